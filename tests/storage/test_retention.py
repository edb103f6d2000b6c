"""Promises of `retention`: exactly the files that are due go, and no other is touched."""

from __future__ import annotations

import datetime
import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.diagnostics import Tally
from crmlogging.storage import locking
from crmlogging.storage.retention import Sweep, plan
from crmlogging.storage.rotation import Names, Rotated

TODAY = datetime.date(2026, 11, 21)
NOON = 1_795_262_400.0
DAYS: dict[str, int | None] = {"debug": 7, "standard": 90}


def rotated(tier: str, age: int, number: int = 1, *, compressed: bool = False) -> Rotated:
    names = Names("/x/crm.jsonl", tier)
    name = names.rotated(TODAY - datetime.timedelta(days=age), number)
    found = names.parse(name + (".gz" if compressed else ""))
    assert found is not None
    return found


def sweep(directory: Path, **options: Any) -> Sweep:
    path = str(directory / "crm.jsonl")
    given: dict[str, Any] = {
        "active": ["crm.jsonl", "crm.debug.jsonl"],
        "days": DAYS,
        "total_bytes": None,
        "compress": True,
        "mode": 0o600,
        "gid": None,
        "clock": lambda: NOON,
        "tally": Tally(),
        "settle": lambda: None,
    }
    names = [Names(path, tier) for tier in ("debug", "standard")]
    return Sweep(names, **{**given, **options})


class TestPlan:
    @pytest.mark.parametrize(("tier", "days"), [("debug", 7), ("standard", 90)])
    def test_deletes_after_the_last_record_is_old_enough(self, tier: str, days: int) -> None:
        """With 7 days, a file 6 or 7 days old stays and one of 8 goes; so with 89, 90, 91."""
        for age, goes in ((days - 1, False), (days, False), (days + 1, True)):
            decided = plan([(rotated(tier, age), 1)], today=TODAY, days=DAYS)
            assert bool(decided.expired) is goes

    @given(st.integers(-400, 400), st.integers(1, 400), st.booleans())
    def test_age_alone_decides(self, age: int, days: int, compressed: bool) -> None:
        """Any age, any limit, compressed or not; a date in the future stays."""
        file = rotated("debug", age, compressed=compressed)
        assert bool(plan([(file, 1)], today=TODAY, days={"debug": days}).expired) is (age > days)

    def test_none_keeps_for_ever(self) -> None:
        """A tier without a limit, or of another handler, is never deleted."""
        files = [(rotated("debug", 9_999), 1), (rotated("standard", 9_999), 1)]
        assert not plan(files, today=TODAY, days={"debug": None}).expired

    def test_total_bytes_takes_the_oldest_first(self) -> None:
        """No more goes than the bound asks for, the active files included in the count."""
        files = [(rotated("standard", age), 100) for age in (1, 3, 2, 4)]
        decided = plan(files, today=TODAY, days=DAYS, total_bytes=250, active_bytes=50)
        assert decided.excess == [rotated("standard", 4), rotated("standard", 3)]
        assert not plan(files, today=TODAY, days=DAYS, total_bytes=450, active_bytes=50).excess

    def test_full_files_are_compressed_at_once_and_the_days_last_after_30_days(self) -> None:
        """All of today, all but the last of a day, and everything from 30 days on."""
        files = [rotated("standard", age, n) for age in (0, 1, 29, 30) for n in (1, 2)]
        decided = plan([(file, 1) for file in files], today=TODAY, days=DAYS)
        stay = {rotated("standard", 1, 2), rotated("standard", 29, 2)}
        assert set(decided.compress) == set(files) - stay

    def test_tiers_do_not_count_for_each_other(self) -> None:
        """The last debug file of a day is the last, however many standard ones there are."""
        files = [rotated("debug", 1, 1), rotated("standard", 1, 1), rotated("standard", 1, 2)]
        decided = plan([(file, 1) for file in files], today=TODAY, days=DAYS)
        assert decided.compress == [rotated("standard", 1, 1)]

    def test_compressed_files_are_left(self) -> None:
        """Nothing is compressed twice."""
        files = [(rotated("standard", 40, n, compressed=True), 1) for n in (1, 2)]
        assert not plan(files, today=TODAY, days=DAYS).compress


LOOK_ALIKES = [
    "crm.jsonl",
    "crm.debug.jsonl",
    "crm.jsonl.1",
    "crm.standard.2020-01-01.jsonl",
    "crm.standard.2020-01-01.1.jsonl",
    "crm.standard.2020-01-01.000001.jsonl.gz.bak",
    "crm.standard.2020-01-01.000001.jsonl.gz.tmp.tmp",
    "crm.standard.2020-13-01.000001.jsonl",
    "crm.other.2020-01-01.000001.jsonl",
    "acrm.standard.2020-01-01.000001.jsonl",
    "crm.standard.2020-01-01.000001.jsonlx",
    "crm-standard.2020-01-01.000001.jsonl",
    "crm.standard.2020-01-01.000001.JSONL",
    "other.standard.2020-01-01.000001.jsonl",
]


class TestSweep:
    def test_leaves_exactly_the_right_directory(self, tmp_path: Path) -> None:
        """What must go goes, look-alikes stay as they are, full files become archives."""
        for name in LOOK_ALIKES:
            (tmp_path / name).write_bytes(b"look-alike\n")
        ours = {
            "crm.debug.2026-11-13.000001.jsonl.gz": None,
            "crm.debug.2026-11-14.000001.jsonl": "crm.debug.2026-11-14.000001.jsonl",
            "crm.standard.2026-08-22.000007.jsonl": None,
            "crm.standard.2026-08-23.000007.jsonl": "crm.standard.2026-08-23.000007.jsonl.gz",
            "crm.standard.2026-11-20.000001.jsonl": "crm.standard.2026-11-20.000001.jsonl.gz",
            "crm.standard.2026-11-20.000002.jsonl": "crm.standard.2026-11-20.000002.jsonl",
            "crm.standard.2026-11-21.000001.jsonl": "crm.standard.2026-11-21.000001.jsonl.gz",
        }
        for name in ours:
            (tmp_path / name).write_bytes(b"line\n" * 10)
        tally = Tally()
        assert sweep(tmp_path, tally=tally).run()
        expected = {*LOOK_ALIKES, *filter(None, ours.values())}
        assert {file.name for file in tmp_path.iterdir()} == expected
        for name in LOOK_ALIKES:
            assert (tmp_path / name).read_bytes() == b"look-alike\n"
        for name in filter(None, ours.values()):
            data = (tmp_path / name).read_bytes()
            assert (gzip.decompress(data) if name.endswith(".gz") else data) == b"line\n" * 10
        assert tally.snapshot() == {"deleted": 2, "compressed": 3}

    def test_time_of_change_does_not_matter(self, tmp_path: Path) -> None:
        """A file that was copied or compressed yesterday is as old as its name says."""
        path = tmp_path / "crm.debug.2026-11-01.000001.jsonl"
        path.write_bytes(b"line\n")
        os.utime(path, (NOON, NOON))
        assert sweep(tmp_path).run()
        assert not path.exists()

    def test_never_leaves_the_directory(self, tmp_path: Path) -> None:
        """A planted link of the right name is removed or left, its target never touched."""
        logs = tmp_path / "logs"
        logs.mkdir()
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        (logs / "crm.debug.2020-01-01.000001.jsonl").symlink_to(victim)
        (logs / "crm.standard.2026-11-21.000001.jsonl").symlink_to(victim)
        assert not sweep(logs).run()
        assert victim.read_bytes() == b"untouched"
        assert [file.name for file in logs.iterdir()] == ["crm.standard.2026-11-21.000001.jsonl"]

    def test_one_process_at_a_time(self, tmp_path: Path) -> None:
        """While another process sweeps the directory this one does nothing, and says so."""
        path = tmp_path / "crm.debug.2020-01-01.000001.jsonl"
        path.write_bytes(b"line\n")
        other = os.open(tmp_path, os.O_RDONLY)
        assert locking.try_lock(other)
        assert not sweep(tmp_path).run()
        assert path.exists()
        os.close(other)
        assert sweep(tmp_path).run()
        assert not path.exists()

    def test_total_bytes_is_counted(self, tmp_path: Path) -> None:
        """Files that went before their time are told apart from expired ones."""
        for number in (1, 2, 3):
            name = f"crm.standard.2026-11-21.{number:06d}.jsonl"
            (tmp_path / name).write_bytes(b"x" * 100)
        tally = Tally()
        assert sweep(tmp_path, total_bytes=150, compress=False, tally=tally).run()
        assert [file.name for file in tmp_path.iterdir()] == [
            "crm.standard.2026-11-21.000003.jsonl"
        ]
        assert tally.snapshot() == {"deleted.total_bytes": 2}

    def test_removes_only_its_own_unfinished_archives(self, tmp_path: Path) -> None:
        """What a crash left half written goes, its source is compressed again."""
        source = tmp_path / "crm.standard.2026-11-21.000001.jsonl"
        source.write_bytes(b"line\n")
        (tmp_path / f"{source.name}.gz.tmp").write_bytes(b"half")
        (tmp_path / "crm.tar.gz.tmp").write_bytes(b"somebody else's")
        assert sweep(tmp_path).run()
        assert {file.name for file in tmp_path.iterdir()} == {
            "crm.tar.gz.tmp",
            f"{source.name}.gz",
        }

    def test_settles_before_it_compresses(self, tmp_path: Path) -> None:
        """Writers get the time they need to notice the rotation before a source may go."""
        path = tmp_path / "crm.standard.2026-11-21.000001.jsonl"
        path.write_bytes(b"one\n")

        def late_line() -> None:
            with path.open("ab") as file:
                file.write(b"two\n")

        assert sweep(tmp_path, settle=late_line).run()
        assert gzip.decompress((tmp_path / f"{path.name}.gz").read_bytes()) == b"one\ntwo\n"

    def test_missing_directory_is_no_error(self, tmp_path: Path) -> None:
        """There is nothing to do, and nothing is raised."""
        assert not sweep(tmp_path / "gone").run()
