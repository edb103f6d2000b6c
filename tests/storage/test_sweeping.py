"""Promises of `sweeping`: work in the background that never piles up and never holds an exit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from crmlogging.storage import sweeping
from crmlogging.storage.sweeping import Sweeper

Pause = Callable[[float], bool]


class FakeClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestSweeper:
    def test_sweeps_in_a_thread_that_ends(self) -> None:
        """The caller goes on at once; when nothing is left to do there is no thread."""
        threads: list[threading.Thread] = []
        done = threading.Event()

        def sweep(_: Pause) -> bool:
            threads.append(threading.current_thread())
            done.set()
            return True

        Sweeper(sweep).soon()
        assert done.wait(60)
        assert threads[0] is not threading.current_thread()
        threads[0].join(60)
        assert not threads[0].is_alive()

    def test_wishes_during_a_sweep_make_one_more(self) -> None:
        """A hundred rotations while one sweep runs cause one other sweep, not a hundred."""
        begun, go_on = threading.Event(), threading.Event()
        sweeps: list[int] = []

        def sweep(_: Pause) -> bool:
            sweeps.append(1)
            begun.set()
            go_on.wait(60)
            return True

        sweeper = Sweeper(sweep)
        sweeper.soon()
        begun.wait(60)
        for _ in range(100):
            sweeper.soon()
        go_on.set()
        assert sweeper.close(60)
        assert len(sweeps) == 2

    def test_wishes_soon_after_one_another_make_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Files that fill within moments cost one look at the directory, and one thread."""
        monkeypatch.setattr(sweeping, "_GATHER_SECONDS", 60.0)
        sweeps: list[threading.Thread] = []

        def sweep(_: Pause) -> bool:
            sweeps.append(threading.current_thread())
            return True

        sweeper = Sweeper(sweep)
        for _ in range(50):
            sweeper.soon()
        assert sweeps == []
        assert sweeper.close(60)
        assert len(sweeps) == 1

    def test_unfinished_sweep_is_tried_again_later(self) -> None:
        """Not at once, which could be a hot loop."""
        clock, sweeps = FakeClock(), threading.Semaphore(0)

        def sweep(_: Pause) -> bool:
            sweeps.release()
            raise OSError(5, "EIO")

        sweeper = Sweeper(sweep, monotonic=clock)
        sweeper.soon()
        assert sweeps.acquire(timeout=60)
        assert sweeper.close(60)
        sweeper.retry_if_due()
        assert not sweeps.acquire(blocking=False)
        clock.now = 60.0
        sweeper.retry_if_due()
        assert sweeps.acquire(timeout=60)
        assert sweeper.close(60)

    def test_takes_half_a_core(self) -> None:
        """After work of 20 ms it rests as long, unless it has to hurry."""
        rested: list[float] = []
        done = threading.Event()

        def sweep(pause: Pause) -> bool:
            began = time.perf_counter()
            assert pause(0.02)
            rested.append(time.perf_counter() - began)
            done.set()
            return True

        sweeper = Sweeper(sweep)
        sweeper.soon()
        assert done.wait(60)
        assert rested[0] >= 0.02

    def test_rests_between_sweeps(self) -> None:
        """Looking at many files is work too: the next sweep waits as long as the last one took."""
        moments: list[float] = []
        begun, done = threading.Event(), threading.Event()

        def sweep(_: Pause) -> bool:
            moments.append(time.perf_counter())
            begun.set()
            began = time.thread_time()
            while time.thread_time() < began + 0.03:
                pass
            moments.append(time.perf_counter())
            if len(moments) > 2:
                done.set()
            return True

        sweeper = Sweeper(sweep)
        sweeper.soon()
        assert begun.wait(60)
        sweeper.soon()
        assert done.wait(60)
        assert moments[2] - moments[1] >= 0.03

    def test_close_hurries_and_then_stops(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A long sweep finishes faster at close; when its time is over it is told to stop."""
        answers: list[bool] = []
        begun, hurried, timed_out = (threading.Event() for _ in range(3))

        def sweep(pause: Pause) -> bool:
            begun.set()
            answers.append(pause(3_600.0))
            hurried.set()
            timed_out.wait(60)
            answers.append(pause(3_600.0))
            return False

        sweeper = Sweeper(sweep)
        sweeper.soon()
        thread = sweeper._thread
        assert thread is not None
        begun.wait(60)
        # Its time is over as soon as it has hurried, however long the machine takes for that.
        monkeypatch.setattr(thread, "join", lambda _seconds: hurried.wait(60))
        assert not sweeper.close(0.05)
        timed_out.set()
        threading.Thread.join(thread, 60)
        assert answers == [True, False]

    def test_close_leaves_time_to_undo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who is told to stop removes what it has half done before the process ends."""
        monkeypatch.setattr(sweeping, "_UNDO_SECONDS", 60.0)
        begun, undone = threading.Event(), threading.Event()

        def sweep(pause: Pause) -> bool:
            begun.set()
            while pause(0.001):
                pass
            undone.set()
            return False

        sweeper = Sweeper(sweep)
        sweeper.soon()
        begun.wait(60)
        assert sweeper.close(0.01)
        assert undone.is_set()

    def test_can_be_used_after_close(self) -> None:
        """A handler that is opened again sweeps again."""
        sweeps = threading.Semaphore(0)

        def sweep(_: Pause) -> bool:
            sweeps.release()
            return True

        sweeper = Sweeper(sweep)
        for _ in range(2):
            sweeper.soon()
            assert sweeps.acquire(timeout=60)
            assert sweeper.close(60)
