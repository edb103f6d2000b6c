"""Promises for every moment inside an append: what a signal handler does there harms no line.

A signal handler runs between two steps of its thread, at the latest when a call into C returns.
Python tells a profiler of each such return, so the test stands at the first of them, then at the
second, and so on to the end, and does there what a handler might do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from crmlogging.storage import locking
from crmlogging.storage.appending import Appender
from crmlogging.storage.rotation import Names, RotatingAppender
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.segments import claim

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


class Raised(BaseException):
    """What a signal handler raises, as SystemExit."""


def interrupted(work: Callable[[], None], step: int, handler: Callable[[], None]) -> bool:
    """Run `work`, and `handler` at the return of its C call number `step`; tell whether it ran."""
    left, ran = step, False

    def look(_frame: Any, event: str, called: Any) -> None:
        nonlocal left, ran
        if event != "c_return" or called is sys.setprofile:
            return
        left -= 1
        if left == 0:
            ran = True
            sys.setprofile(None)
            handler()

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return ran


def alone(work: Callable[[Path, str], None], directory: Path, ways: tuple[str, ...]) -> None:
    """Do `work` for each way, in a new process.

    A fork of this one, with all that the suite has loaded, takes a hundred times as long.
    """
    process = multiprocessing.get_context("spawn").Process(
        target=_for_each, args=(work, directory, ways)
    )
    process.start()
    process.join(100)
    process.kill()
    process.join()
    assert process.exitcode == 0, "see what it wrote to stderr"


def _for_each(work: Callable[[Path, str], None], directory: Path, ways: tuple[str, ...]) -> None:
    for way in ways:
        place = directory / way.replace(" ", "-")
        place.mkdir()
        work(place, way)


Make = Callable[[], Appender]
WAYS = ("quick", "first", "rotating", "another's line", "another's fragment")


def appender_that_goes(way: str, directory: Path) -> Appender:
    """Return an Appender whose next append goes this way, of the ways there are."""
    path = directory / "crm.jsonl"
    for old in directory.iterdir():
        old.unlink()
    appender = RotatingAppender(
        str(path),
        names=Names(str(path), "standard"),
        max_bytes=12 if way == "rotating" else 10_000,
        monotonic=(1_000.0).conjugate,  # a call into C, as time.monotonic is
    )
    if way == "first":
        return appender
    appender.append(b"before\n")
    if way.startswith("another"):
        with path.open("ab") as other:
            other.write(b"theirs\n" if way == "another's line" else b"the")
    return appender


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Return how to get an Appender whose next append goes one of the ways there are."""
    return lambda: appender_that_goes(request.param, tmp_path)


def lines(directory: Path) -> list[bytes]:
    """Return the lines of all files; every one must be whole."""
    data = b"".join(path.read_bytes() for path in sorted(directory.iterdir(), reverse=True))
    assert data.endswith(b"\n")
    return data.split()


def steps() -> Iterator[int]:
    return iter(range(1, 1_000))


class TestSignalHandler:
    def test_logs(self, make: Make, tmp_path: Path) -> None:
        """A handler that logs to the same file, at every step: both lines, once and whole."""
        for step in steps():
            appender = make()
            ran = interrupted(
                lambda appender=appender: appender.append(b"outer\n"),  # type: ignore[misc]  # a default has no type
                step,
                lambda appender=appender: appender.append(b"inner\n"),  # type: ignore[misc]  # a lambda's default has no type
            )
            found = lines(tmp_path)
            assert found.count(b"outer") == 1
            assert found.count(b"inner") == ran
            appender.close()
            if not ran:
                assert step > 5
                return

    @pytest.mark.parametrize("error", [Raised, TimeoutError])
    def test_raises(self, make: Make, tmp_path: Path, error: type[BaseException]) -> None:
        """One that ends the call, at every step: no line torn or written twice, no lock kept."""

        def leave() -> None:
            raise error

        for step in steps():
            appender = make()
            ran = True
            try:
                ran = interrupted(
                    lambda appender=appender: appender.append(b"outer\n"),  # type: ignore[misc]  # a lambda's default has no type
                    step,
                    leave,
                )
            except error:
                pass
            self.assert_free(appender, tmp_path / "crm.jsonl")
            appender.append(b"next\n")
            found = lines(tmp_path)
            assert found.count(b"outer") <= 1
            assert found.count(b"next") == 1
            appender.close()
            if not ran:
                assert found.count(b"outer") == 1
                return

    @staticmethod
    def assert_free(appender: Appender, path: Path) -> None:
        """Another thread can append, and another process could."""
        writer = threading.Thread(target=appender.append, args=(b"thread\n",), daemon=True)
        writer.start()
        writer.join(60)
        assert not writer.is_alive()
        other = os.open(path, os.O_RDWR)
        assert locking.try_lock(other)
        os.close(other)

    def test_forks(self, tmp_path: Path) -> None:
        """One that forks, at every step: the parent's line once, the child's lines once."""
        alone(forks_within_an_append, tmp_path, WAYS)


Writer = TypeVar("Writer", bound="Writing")


class Writing(Protocol):
    """What appends lines, and counts them."""

    written: int

    def append(self, data: bytes, /) -> object:
        """Append whole lines."""


def forks_within(
    begin: Callable[[], Writer], taken: Callable[[Writer], list[bytes]], database: Path
) -> None:
    """Fork at every step of an append to what `begin` returns; `taken` tells what arrived."""
    database.touch()
    for step in steps():
        writer = begin()
        children: list[int] = []

        def fork(children: list[int] = children, writer: Writing = writer) -> None:
            children.append(os.fork())
            if not children[0]:
                signal.alarm(60)
                os.open(database, os.O_RDWR)  # Gets the number that was the log's.
                writer.append(b"within\n")

        ran = interrupted(
            lambda writer=writer: writer.append(b"outer\n"),  # type: ignore[misc]  # a default has no type
            step,
            fork,
        )
        if children == [0]:
            writer.append(b"after\n")
            os._exit(0 if writer.written == 2 else 1)
        if children:
            assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
        found = taken(writer)
        counts = [found.count(each) for each in (b"outer", b"within", b"after")]
        assert counts == [1, ran, ran], f"{database.name}, step {step}: {found}"
        assert database.read_bytes() == b""
        if not ran:
            assert step > 5
            return


def forks_within_an_append(directory: Path, way: str) -> None:
    """Fork at every step of an append that goes this way."""

    def taken(appender: Appender) -> list[bytes]:
        appender.close()
        return lines(directory)

    database = directory.with_name(f"{directory.name}-database")
    forks_within(lambda: appender_that_goes(way, directory), taken, database)


SPOOLED_WAYS = ("quick", "first", "full")


def writer_that_goes(way: str, directory: Path) -> SegmentWriter:
    """Return a SegmentWriter whose next append goes this way, of the ways there are."""
    writer = SegmentWriter(
        str(directory / "segments"),
        "own",
        max_bytes=60 if way == "full" else 10_000,
        clock=lambda: 1_000.0,
        monotonic=(1_000.0).conjugate,  # a call into C, as time.monotonic is
    )
    if way != "first":
        writer.append(b"before\n")
    return writer


@pytest.fixture(params=SPOOLED_WAYS)
def begin(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SegmentWriter]:
    """Return how to get a SegmentWriter whose next append goes one of the ways there are."""
    return lambda: writer_that_goes(request.param, tmp_path)


def taken_out(directory: Path) -> list[bytes]:
    """Return the lines of all finished segments, which are gone then; none may be damaged."""
    found: list[bytes] = []
    for segment in claim(str(directory / "segments")):
        for block in segment.blocks():
            found += block.split()
        assert not segment.damaged
        segment.finish()
    return found


class TestSignalHandlerWithinASegment:
    def test_logs(self, begin: Callable[[], SegmentWriter], tmp_path: Path) -> None:
        """A handler that logs to the same spool, at every step: both lines, once and whole."""
        for step in steps():
            writer = begin()
            ran = interrupted(
                lambda writer=writer: writer.append(b"outer\n"),  # type: ignore[misc]  # a default has no type
                step,
                lambda writer=writer: writer.append(b"inner\n"),  # type: ignore[misc]  # a lambda's default has no type
            )
            writer.seal()
            found = taken_out(tmp_path)
            assert [found.count(each) for each in (b"outer", b"inner")] == [1, ran]
            if not ran:
                assert step > 5
                return

    @pytest.mark.parametrize("error", [Raised, TimeoutError])
    def test_raises(
        self, begin: Callable[[], SegmentWriter], tmp_path: Path, error: type[BaseException]
    ) -> None:
        """One that ends the call, at every step: no line twice, and the next one is written."""

        def leave() -> None:
            raise error

        for step in steps():
            writer = begin()
            ran = True
            try:
                ran = interrupted(
                    lambda writer=writer: writer.append(b"outer\n"),  # type: ignore[misc]  # a lambda's default has no type
                    step,
                    leave,
                )
            except error:
                pass
            thread = threading.Thread(target=writer.append, args=(b"next\n",), daemon=True)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()
            writer.seal()
            found = taken_out(tmp_path)
            assert found.count(b"outer") <= 1
            assert found.count(b"next") == 1
            if not ran:
                assert found.count(b"outer") == 1
                return

    def test_forks(self, tmp_path: Path) -> None:
        """One that forks, at every step: the parent's line once, the child's lines once."""
        alone(forks_within_a_segment, tmp_path, SPOOLED_WAYS)


def forks_within_a_segment(directory: Path, way: str) -> None:
    """Fork at every step of an append that goes this way."""

    def taken(writer: SegmentWriter) -> list[bytes]:
        writer.seal()
        return taken_out(directory)

    forks_within(lambda: writer_that_goes(way, directory), taken, directory / "database")
