"""Promises of locks between processes: soon taken where that is possible, never waited for ever."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlogging.storage import locking


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Open one file twice; two descriptions of it shut each other out as two processes do."""
    path = tmp_path / "file"
    first, second = (os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2))
    yield first, second
    os.close(first)
    os.close(second)


class TestAskAgain:
    def test_takes_what_comes_free_meanwhile(
        self, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A neighbour in the middle of an append is let finish, and then it is our turn."""
        theirs, ours = pair
        assert locking.try_lock(theirs)
        times = itertools.count(1)

        def give_way() -> None:
            if next(times) == 3:
                locking.unlock(theirs)

        monkeypatch.setattr(locking, "_give_way", give_way)
        assert locking.ask_again(ours)
        assert not locking.try_lock(theirs)

    def test_gives_up_soon(self, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever keeps the lock is not asked for ever: the caller has another way."""
        theirs, ours = pair
        assert locking.try_lock(theirs)
        asked: list[None] = []
        monkeypatch.setattr(locking, "_give_way", lambda: asked.append(None))
        assert not locking.ask_again(ours)
        assert 1 <= len(asked) <= 100


class TestWaitLock:
    def test_waits_no_longer_than_it_was_told(
        self, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that was stopped while holding the lock does not stop the others."""
        theirs, ours = pair
        assert locking.try_lock(theirs)
        now, here, sleep_there = [0.0], threading.get_ident(), time.sleep

        def sleep(seconds: float) -> None:
            if threading.get_ident() == here:
                now[0] += seconds
            else:
                sleep_there(seconds)

        monkeypatch.setattr(time, "sleep", sleep)
        assert not locking.wait_lock(ours, 0.5, monotonic=lambda: now[0])
        assert 0.5 <= now[0] < 0.51
        locking.unlock(theirs)
        assert locking.wait_lock(ours, 0.0, monotonic=lambda: now[0])
