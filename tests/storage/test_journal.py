"""Promises of `Journal`: a line is there until its slip is settled, and no process loses one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.diagnostics import Tally
from crmlogging.storage.journal import Journal, Slip
from crmlogging.storage.segments import claim

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def journal_in(
    directory: Path, *, max_bytes: int = 10**9, clock: Callable[[], float] | None = None
) -> Journal:
    journal = Journal(
        str(directory), max_bytes=max_bytes, tally=Tally(), monotonic=clock or FakeClock()
    )
    journal.make()
    return journal


def append(journal: Journal, *lines: bytes) -> list[Slip]:
    slips = [Slip() for _ in lines]
    for line, slip in zip(lines, slips, strict=True):
        journal.append(line + b"\n", slip)
    return slips


def dead(work: Callable[[], object]) -> None:
    """Do `work` in a process that is then killed."""
    child = os.fork()
    if not child:
        try:
            signal.alarm(60)
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGKILL


def files(directory: Path) -> list[Path]:
    return sorted(each for each in directory.rglob("*") if each.is_file())


class TestSettling:
    def test_settled_segments_go(self, tmp_path: Path) -> None:
        """When every line is settled, in whatever order, closing leaves no file."""
        journal = journal_in(tmp_path)
        slips = append(journal, b"a", b"b", b"c")
        for slip in reversed(slips):
            assert slip.written
            slip.settled = True
        journal.advance()
        assert len(files(tmp_path)) == 1
        journal.close()
        assert files(tmp_path) == []

    def test_what_waits_stays(self, tmp_path: Path) -> None:
        """Closing removes nothing that somebody still has to have."""
        journal = journal_in(tmp_path)
        first, second = append(journal, b"a", b"b")
        first.settled = True
        journal.close()
        assert len(files(tmp_path)) == 1
        second.settled = True
        journal.advance()
        assert files(tmp_path) == []

    def test_nobody_takes_what_a_living_process_holds(self, tmp_path: Path) -> None:
        """Finished or not, segments stay locked as long as lines in them wait."""
        journal = journal_in(tmp_path)
        append(journal, b"a")
        journal.close()
        append(journal, b"b")
        assert list(claim(str(tmp_path))) == []

    def test_files_are_private(self, tmp_path: Path) -> None:
        """0700 and 0600, whatever the umask."""
        before = os.umask(0)
        try:
            journal = journal_in(tmp_path / "journal")
            append(journal, b"a")
        finally:
            os.umask(before)
        assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
        (file,) = files(tmp_path)
        assert file.stat().st_mode & 0o777 == 0o600


class TestLeftovers:
    def test_are_what_was_not_settled(self, tmp_path: Path) -> None:
        """After a death the lines behind the last settled one come back, in order."""

        def die() -> None:
            journal = journal_in(tmp_path)
            slips = append(journal, *(b"%d" % n for n in range(100)))
            for slip in slips[:60]:
                slip.settled = True
            slips[80].settled = True
            journal.advance()
            append(journal, b"100")

        dead(die)
        journal = journal_in(tmp_path)
        found = list(journal.leftovers())
        assert [line for line, _ in found] == [b"%d" % n for n in range(60, 101)]
        for _, slip in found:
            slip.settled = True
        journal.advance()
        assert files(tmp_path) == []

    def test_of_somebody_who_died_over_leftovers(self, tmp_path: Path) -> None:
        """Progress in a segment taken over is remembered like in one's own."""
        dead(lambda: append(journal_in(tmp_path), *(b"%d" % n for n in range(10))))

        def die_too() -> None:
            journal = journal_in(tmp_path)
            for _, slip in list(journal.leftovers())[:7]:
                slip.settled = True
            journal.advance()

        dead(die_too)
        assert [line for line, _ in journal_in(tmp_path).leftovers()] == [b"7", b"8", b"9"]

    def test_of_a_torn_write(self, tmp_path: Path) -> None:
        """A fragment at the end was never accepted; remarks after it are read all the same."""
        dead(lambda: append(journal_in(tmp_path), b"a", b"b", b"c"))
        (file,) = files(tmp_path)
        with file.open("ab") as torn:
            torn.write(b"@\x10\0\0\0torn")

        def die_too() -> None:
            journal = journal_in(tmp_path)
            next(iter(journal.leftovers()))[1].settled = True
            journal.advance()

        dead(die_too)
        journal = journal_in(tmp_path)
        assert [line for line, _ in journal.leftovers()] == [b"b", b"c"]
        assert journal._tally.snapshot() == {}

    def test_of_everything_settled_go_at_once(self, tmp_path: Path) -> None:
        """A segment that only its writer's death kept from going is removed, not repeated."""

        def die() -> None:
            journal = journal_in(tmp_path)
            (slip,) = append(journal, b"a")
            slip.settled = True
            journal.advance()

        dead(die)
        journal = journal_in(tmp_path)
        assert list(journal.leftovers()) == []
        journal.advance()
        assert files(tmp_path) == []

    def test_go_to_one_process_each(self, tmp_path: Path) -> None:
        """Several that look at once share them."""
        for name in (b"a", b"b", b"c", b"d"):
            dead(lambda name=name: append(journal_in(tmp_path), name))  # type: ignore[misc]  # a default binds it
        journals = [journal_in(tmp_path) for _ in range(3)]
        found: list[bytes] = []
        barrier = threading.Barrier(3)

        def look(journal: Journal) -> None:
            barrier.wait(60)
            found.extend(line for line, _ in journal.leftovers())

        threads = [threading.Thread(target=look, args=(each,)) for each in journals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        # A look that met another one at the lock passes by; the next one finds it.
        for journal in journals:
            found += [line for line, _ in journal.leftovers()]
        assert sorted(found) == [b"a", b"b", b"c", b"d"]

    def test_with_damage_come_whole_and_are_set_aside(self, tmp_path: Path) -> None:
        """One bad append is counted; the others come back, and a person can look at the file."""

        def die() -> None:
            journal = journal_in(tmp_path)
            slips = append(journal, b"first", b"second", b"third", b"fourth")
            slips[0].settled = slips[1].settled = slips[2].settled = True
            journal.advance()

        dead(die)
        (file,) = files(tmp_path)
        file.write_bytes(file.read_bytes().replace(b"second", b"sexond"))
        journal = journal_in(tmp_path)
        found = list(journal.leftovers())
        # What counts the lines is worth nothing now: rather once too often than never.
        assert [line for line, _ in found] == [b"first", b"third", b"fourth"]
        for _, slip in found:
            slip.settled = True
        journal.advance()
        assert journal._tally.snapshot() == {"journal.damaged": 1, "journal.set_aside": 1}
        assert [each.parent.name for each in files(tmp_path)] == ["aside"]

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"GIF89a of somebody", id="foreign"),
            pytest.param(b"#crmlogging segment 3\n", id="later-version"),
        ],
    )
    def test_foreign_files_are_set_aside(self, tmp_path: Path, content: bytes) -> None:
        """What bears the name of a segment and is none is kept, counted, and read by nobody."""
        dead(lambda: append(journal_in(tmp_path), b"a"))
        (file,) = files(tmp_path)
        file.write_bytes(content)
        journal = journal_in(tmp_path)
        assert list(journal.leftovers()) == []
        assert journal._tally["journal.set_aside"] == 1
        assert [each.parent.name for each in files(tmp_path)] == ["aside"]

    def test_empty_segments_go(self, tmp_path: Path) -> None:
        """A writer may die between making a file and its first line."""
        dead(lambda: append(journal_in(tmp_path), b"a"))
        (file,) = files(tmp_path)
        file.write_bytes(b"")
        journal = journal_in(tmp_path)
        assert list(journal.leftovers()) == []
        journal.advance()
        assert files(tmp_path) == []

    def test_of_one_s_own_process_count_as_well(self, tmp_path: Path) -> None:
        """A look may take a file in the moment between its making and its lock: it must go."""
        journal = journal_in(tmp_path)
        (slip,) = append(journal, b"a")
        (file,) = files(tmp_path)
        taken = file.with_name(file.name.replace("_0", "_9"))
        taken.touch()
        assert list(journal.leftovers()) == []
        journal.advance()
        assert files(tmp_path) == [file]
        slip.settled = True
        journal.close()

    def test_are_not_the_childs_after_a_fork(self, tmp_path: Path) -> None:
        """A child knows nothing of its parent's segments, and takes none of them."""
        journal = journal_in(tmp_path)
        (slip,) = append(journal, b"parent")

        def in_child() -> None:
            journal.renew()
            assert list(journal.leftovers()) == []
            append(journal, b"child")

        dead(in_child)
        assert [line for line, _ in journal.leftovers()] == [b"child"]
        slip.settled = True
        journal.close()


class TestFullDisk:
    def test_bound_is_kept(self, tmp_path: Path) -> None:
        """Beyond the bound lines are refused and counted, until there is room again."""
        clock = FakeClock()
        journal = journal_in(tmp_path, max_bytes=500, clock=clock)
        slips = append(journal, *[b"x" * 80] * 10)
        written = [slip.written for slip in slips]
        assert written == [True] * written.count(True) + [False] * written.count(False)
        assert 3 <= written.count(True) <= 5
        assert journal._tally["journal.unwritten"] == written.count(False)
        for slip in slips:
            slip.settled = True
        journal.close()
        journal.measure()
        clock.now += 1.0
        assert append(journal, b"again")[0].written

    def test_a_place_that_vanished_is_counted_and_tried_again(self, tmp_path: Path) -> None:
        """What cannot be written costs one attempt a second, and heals by itself."""
        clock = FakeClock()
        directory = tmp_path / "journal"
        journal = journal_in(directory, clock=clock)
        directory.rmdir()
        directory.write_text("in the way")
        assert [slip.written for slip in append(journal, b"a", b"b")] == [False, False]
        assert journal._tally["journal.unwritten"] == 2
        directory.unlink()
        assert not append(journal, b"c")[0].written
        clock.now += 1.0
        assert append(journal, b"d")[0].written

    def test_a_segment_that_somebody_deleted_does_no_harm(self, tmp_path: Path) -> None:
        """Its lines are in memory only then, and nothing is raised when they are settled."""
        journal = journal_in(tmp_path)
        (slip,) = append(journal, b"a")
        files(tmp_path)[0].unlink()
        slip.settled = True
        journal.close()
        assert files(tmp_path) == []


class TestProperty:
    @settings(max_examples=40, deadline=None)
    @given(
        steps=st.lists(
            st.one_of(st.just("append"), st.just("advance"), st.just("close"), st.integers(0, 30)),
            max_size=40,
        )
    )
    def test_the_files_hold_what_waits(
        self, steps: list[str | int], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Whatever is appended, settled and closed: a death leaves every line that waits."""
        directory = tmp_path_factory.mktemp("journal")
        waiting: list[int] = []
        read, write = os.pipe()

        def die() -> None:
            journal = journal_in(directory)
            slips: list[Slip] = []
            for step in steps:
                if step == "append":
                    slips += append(journal, b"%d" % len(slips))
                elif step == "advance":
                    journal.advance()
                elif step == "close":
                    journal.close()
                elif isinstance(step, int) and step < len(slips):
                    slips[step].settled = True
            left = [n for n, slip in enumerate(slips) if not slip.settled]
            os.write(write, b" ".join(b"%d" % n for n in left) + b"\n")

        dead(die)
        os.close(write)
        with open(read) as result:
            waiting = [int(n) for n in result.read().split()]
        found = [int(line) for line, _ in journal_in(directory).leftovers()]
        assert set(waiting) <= set(found)
        assert len(found) == len(set(found))
