"""Promises of `rotation`: names that tell age and order, and one rotation where many are due."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.storage.rotation import Names, Rotated, RotatingAppender, day_of
from tests.open_files import open_below

DAY = 86_400
NOV_21 = 1_795_219_200.0


class FakeClock:
    def __init__(self, now: float = NOV_21) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def rotating(path: Path, clock: FakeClock, *, max_bytes: int = 1_000) -> RotatingAppender:
    return RotatingAppender(
        str(path), names=Names(str(path), "standard"), max_bytes=max_bytes, clock=clock
    )


def touch(path: Path, when: float) -> None:
    os.utime(path, (when, when))


class TestDayOf:
    @pytest.mark.parametrize(
        ("seconds", "day"),
        [
            pytest.param(0, "1970-01-01", id="epoch"),
            pytest.param(NOV_21 - 0.001, "2026-11-20", id="just-before-midnight"),
            pytest.param(NOV_21, "2026-11-21", id="midnight"),
            pytest.param(1_835_395_200, "2028-02-29", id="leap-day"),
            pytest.param(2**31, "2038-01-19", id="after-2038"),
        ],
    )
    def test_is_the_utc_day(self, seconds: float, day: str) -> None:
        """Neither time zone nor summer time has a part in it."""
        assert day_of(seconds).isoformat() == day


class TestNames:
    @given(
        day=st.dates(min_value=datetime.date(1970, 1, 1)),
        number=st.integers(1, 999_999_999),
        stem=st.text("abc.-_[]*+()$", min_size=1, max_size=12).filter(lambda s: s.strip(".")),
    )
    def test_reads_what_it_writes(self, day: datetime.date, number: int, stem: str) -> None:
        """Every name it gives is recognised, whatever the file is called."""
        names = Names(f"/x/{stem}.jsonl", "standard")
        found = names.parse(names.rotated(day, number) + ".gz")
        assert found is not None
        assert (found.day, found.number, found.compressed) == (day, number, True)

    @pytest.mark.parametrize(
        "name",
        [
            "crm.jsonl",
            "crm.debug.jsonl",
            "crm.debug.2026-11-21.000001.jsonl",
            "crm.standard.2026-11-21.1.jsonl",
            "crm.standard.2026-11-21.0000001.jsonl",
            "crm.standard.2026-13-21.000001.jsonl",
            "crm.standard.2026-02-30.000001.jsonl",
            "crm.standard.2026-11-21.000001.jsonl.bz2",
            "crm.standard.2026-11-21.000001.jsonl.gz.tmp",
            "crm.standard.2026-11-21.000001.jsonl\n",
            "crm.standard.2026-11-21.000001.log",
            "crmxstandard.2026-11-21.000001.jsonl",
            "xcrm.standard.2026-11-21.000001.jsonl",
            "crm.standard.\u0662026-11-21.000001.jsonl",
            "crm.standard.2026-11-21.000001.jsonl.gz.1",
        ],
    )
    def test_knows_no_look_alike(self, name: str) -> None:
        """A name that is not exactly of our form is somebody else's file."""
        assert Names("/x/crm.jsonl", "standard").parse(name) is None


class TestRotatingAppender:
    def test_rotates_when_full(self, tmp_path: Path) -> None:
        """No file grows beyond its size, and the content continues in the next."""
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=100)
        for number in range(10):
            appender.append(b"%039d\n" % number)
        files = sorted(tmp_path.iterdir())
        assert [file.name for file in files] == [
            "crm.jsonl",
            *(f"crm.standard.2026-11-21.{n:06d}.jsonl" for n in range(1, 5)),
        ]
        assert all(file.stat().st_size <= 100 for file in files)
        content = b"".join(file.read_bytes() for file in [*files[1:], files[0]])
        assert [int(line) for line in content.split()] == list(range(10))
        assert appender.rotations == 4
        appender.close()

    def test_line_larger_than_a_file_stays_whole(self, tmp_path: Path) -> None:
        """It gets a file of its own."""
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=100)
        appender.append(b"x" * 500 + b"\n")
        appender.append(b"y\n")
        assert (tmp_path / "crm.standard.2026-11-21.000001.jsonl").stat().st_size == 501
        assert (tmp_path / "crm.jsonl").read_bytes() == b"y\n"
        appender.close()

    @pytest.mark.parametrize("later", [0, DAY], ids=["full", "next-day"])
    def test_a_killed_writers_fragment_does_not_go_into_the_archive(
        self, tmp_path: Path, later: int
    ) -> None:
        """What a dead writer left unfinished is cut off before the file is put away."""
        path, clock = tmp_path / "crm.jsonl", FakeClock()
        appender = rotating(path, clock, max_bytes=20)
        appender.append(b"0123456789\n")
        touch(path, NOV_21)
        with path.open("ab") as killed:
            killed.write(b"01234567" if later else b"0123456789 more")
        clock.now += later
        appender.append(b"0123456789\n")
        rotated = tmp_path / "crm.standard.2026-11-21.000001.jsonl"
        assert rotated.read_bytes() == path.read_bytes() == b"0123456789\n"
        assert appender.mended == 1

    def test_rotates_at_midnight_utc(self, tmp_path: Path) -> None:
        """The first line of a day begins a file; the name holds the day of the content."""
        clock = FakeClock(NOV_21 + DAY - 0.001)
        appender = rotating(tmp_path / "crm.jsonl", clock)
        appender.append(b"before\n")
        clock.now = NOV_21 + DAY
        appender.append(b"after\n")
        assert (tmp_path / "crm.standard.2026-11-21.000001.jsonl").read_bytes() == b"before\n"
        assert (tmp_path / "crm.jsonl").read_bytes() == b"after\n"
        appender.close()

    def test_silent_days_make_no_files(self, tmp_path: Path) -> None:
        """After a weekend without records there is one rotated file, dated Friday."""
        clock = FakeClock()
        appender = rotating(tmp_path / "crm.jsonl", clock)
        appender.append(b"friday\n")
        clock.now += 3 * DAY
        appender.append(b"monday\n")
        assert sorted(file.name for file in tmp_path.iterdir()) == [
            "crm.jsonl",
            "crm.standard.2026-11-21.000001.jsonl",
        ]
        appender.close()

    def test_another_processs_file_of_yesterday_is_rotated(self, tmp_path: Path) -> None:
        """Who opens a file that others began knows its day from the last write."""
        path = tmp_path / "crm.jsonl"
        path.write_bytes(b"left over\n")
        touch(path, NOV_21 - 5 * DAY)
        appender = rotating(path, FakeClock())
        appender.append(b"new\n")
        assert (tmp_path / "crm.standard.2026-11-16.000001.jsonl").read_bytes() == b"left over\n"
        appender.close()

    def test_content_tells_the_day_where_the_clock_was_set(self, tmp_path: Path) -> None:
        """A copied or restored file has a new time of change, but its lines say when they were."""
        path = tmp_path / "crm.jsonl"
        path.write_bytes(b'{"timestamp":"2026-10-01T12:00:00.000Z","level":"INFO"}\n')
        touch(path, NOV_21 - DAY)
        appender = rotating(path, FakeClock())
        appender.append(b"{}\n")
        assert (tmp_path / "crm.standard.2026-10-01.000001.jsonl").exists()
        appender.close()

    def test_recent_file_is_continued(self, tmp_path: Path) -> None:
        """A restart on the same day goes on in the same file, whatever old lines it begins with."""
        path = tmp_path / "crm.jsonl"
        path.write_bytes(b'{"timestamp":"2026-10-01T12:00:00.000Z"}\n')
        touch(path, NOV_21 + 10)
        appender = rotating(path, FakeClock(NOV_21 + 20))
        appender.append(b"{}\n")
        assert [file.name for file in tmp_path.iterdir()] == ["crm.jsonl"]
        appender.close()

    def test_clock_that_jumps_causes_no_storm(self, tmp_path: Path) -> None:
        """An hour back over midnight, a year forward and back: one rotation for each jump."""
        clock = FakeClock(NOV_21 + 60)
        appender = rotating(tmp_path / "crm.jsonl", clock)
        jumps = [0.0, -3_600.0, 3_600.0, 365.0 * DAY, -365.0 * DAY]
        for jump in jumps:
            clock.now += jump
            for _ in range(5):
                appender.append(b"%.0f\n" % clock.now)
        rotated = [file for file in tmp_path.iterdir() if file.name != "crm.jsonl"]
        assert len(rotated) == 4
        lines = b"".join(file.read_bytes() for file in tmp_path.iterdir()).split()
        assert len(lines) == 25
        appender.close()

    def test_takes_no_name_that_was_taken(self, tmp_path: Path) -> None:
        """Numbers go on after the highest, compressed ones included."""
        (tmp_path / "crm.standard.2026-11-21.000041.jsonl.gz").write_bytes(b"")
        (tmp_path / "crm.standard.2026-11-20.000099.jsonl").write_bytes(b"")
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=3)
        for _ in range(3):
            appender.append(b"xx\n")
        names = {file.name for file in tmp_path.iterdir()}
        assert "crm.standard.2026-11-21.000042.jsonl" in names
        assert "crm.standard.2026-11-21.000043.jsonl" in names
        appender.close()

    def test_does_not_list_what_others_rotated(self, tmp_path: Path) -> None:
        """With thousands of files in the directory a listing would hold up all processes."""
        lists = []

        class Counting(Names):
            def listing(self) -> list[Rotated]:
                lists.append(1)
                return super().listing()

        path = tmp_path / "crm.jsonl"
        names = Counting(str(path), "standard")
        one, two = (RotatingAppender(str(path), names=names, max_bytes=3) for _ in range(2))
        for _ in range(20):
            one.append(b"xx\n")
            two.append(b"xx\n")
            two.append(b"xx\n")
        assert one.rotations + two.rotations == 59
        assert len(list(tmp_path.iterdir())) == 60
        assert len(lists) == 2
        one.close()
        two.close()

    def test_two_processes_rotate_once(self, tmp_path: Path) -> None:
        """Who finds the file rotated by another does not rotate the new one."""
        clock = FakeClock()
        one, two = (rotating(tmp_path / "crm.jsonl", clock, max_bytes=10) for _ in range(2))
        one.append(b"12345678\n")
        two.append(b"second\n")
        touch(tmp_path / "crm.jsonl", clock.now)
        one.append(b"x\n")
        assert one.rotations + two.rotations == 1
        assert (tmp_path / "crm.jsonl").read_bytes() == b"second\nx\n"
        one.close()
        two.close()

    def test_goes_on_when_it_cannot_rotate(self, tmp_path: Path) -> None:
        """Too large a file is better than a lost line."""
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=10)
        appender.append(b"12345678\n")

        def refuse(day: datetime.date) -> str:
            raise PermissionError(13, f"no name for {day}")

        appender._free_name = refuse  # type: ignore[method-assign]  # a full table
        appender.append(b"second\n")
        appender.append(b"third\n")
        assert (tmp_path / "crm.jsonl").read_bytes() == b"12345678\nsecond\nthird\n"
        appender.close()

    def test_goes_on_in_the_full_file_while_its_name_leads_to_a_link(self, tmp_path: Path) -> None:
        """What somebody planted is not written to, and costs no line either."""
        path, victim = tmp_path / "crm.jsonl", tmp_path / "victim"
        appender = rotating(path, FakeClock(), max_bytes=10)
        appender.append(b"12345678\n")
        path.rename(tmp_path / "moved")
        path.symlink_to(victim)
        appender.append(b"second\n")
        appender.append(b"third\n")
        assert (tmp_path / "moved").read_bytes() == b"12345678\nsecond\nthird\n"
        path.unlink()
        appender.append(b"fourth\n")
        assert path.read_bytes() == b"fourth\n"
        assert not victim.exists()
        appender.close()

    def test_takes_the_old_file_back_when_there_is_no_new_one(self, tmp_path: Path) -> None:
        """Out of descriptors after the renaming: the old file gets its name back."""
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=10)
        appender.append(b"12345678\n")
        reopen = appender._reopen

        def refuse() -> None:
            raise OSError(24, "EMFILE")

        appender._reopen = refuse  # type: ignore[method-assign]  # as if out of descriptors
        appender.append(b"second\n")
        assert [file.name for file in tmp_path.iterdir()] == ["crm.jsonl"]
        appender._reopen = reopen  # type: ignore[method-assign]
        appender._retry_at = 0.0
        appender.append(b"third\n")
        assert (tmp_path / "crm.jsonl").read_bytes() == b"third\n"
        rotated = tmp_path / "crm.standard.2026-11-21.000001.jsonl"
        assert rotated.read_bytes() == b"12345678\nsecond\n"
        appender.close()

    def test_thousands_of_rotations_grow_nothing(self, tmp_path: Path) -> None:
        """Descriptors stay as many as they were."""
        appender = rotating(tmp_path / "crm.jsonl", FakeClock(), max_bytes=2)
        appender.append(b"x\n")
        before = open_below(tmp_path)
        assert before == [str(tmp_path / "crm.jsonl")]
        for _ in range(4_000):
            appender.append(b"x\n")
        assert appender.rotations == 4_000
        assert open_below(tmp_path) == before
        appender.close()
