"""Promises of `turns`: nothing waits for itself, nothing is forgotten."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from crmlogging.storage import turns
from crmlogging.storage.turns import Turns


class TestTurns:
    def test_call_from_inside_is_made_afterwards(self) -> None:
        """A call that interrupts another one of its thread comes after it, whole."""
        turns = Turns()
        order: list[Any] = []

        def outer() -> None:
            turns.take(order.append, "inner")
            order.append("outer")

        turns.take(outer)
        assert order == ["outer", "inner"]

    def test_mark_belongs_to_the_thread(self) -> None:
        """Inside one object no other is entered either, or two threads could wait in a ring."""
        first, second = Turns(), Turns()
        order: list[str] = []

        def outer() -> None:
            second.take(order.append, "second")
            order.append("first")

        first.take(outer)
        assert order == ["first", "second"]

    def test_put_off_calls_may_put_off_more(self) -> None:
        """A chain of interrupting calls is made in order, without nesting."""
        turns = Turns()
        order: list[Any] = []

        def call(number: int) -> None:
            if number < 2_000:
                turns.take(call, number + 1)
            order.append(number)

        turns.take(call, 0)
        assert order == list(range(2_001))

    def test_put_off_call_survives_an_exception(self) -> None:
        """When the outer call fails, e.g. by SystemExit, what it held up is still made."""
        turns = Turns()
        done: list[str] = []

        def outer() -> None:
            turns.take(done.append, "inner")
            raise SystemExit

        with pytest.raises(SystemExit):
            turns.take(outer)
        assert done == ["inner"]

    def test_threads_take_turns(self) -> None:
        """Two threads are never inside at once."""
        turns = Turns()
        inside, entered, leave = [0], threading.Event(), threading.Event()

        def first() -> None:
            inside[0] += 1
            entered.set()
            leave.wait(60)
            inside[0] -= 1

        seen: list[int] = []
        one = threading.Thread(target=turns.take, args=(first,))
        one.start()
        entered.wait(60)
        other = threading.Thread(target=turns.take, args=(lambda: seen.append(inside[0]),))
        other.start()
        leave.set()
        one.join(60)
        other.join(60)
        assert seen == [0]

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_child_is_not_locked_out(self) -> None:
        """A child forked while another thread was inside can enter."""
        turns, entered, leave = Turns(), threading.Event(), threading.Event()

        def hold() -> None:
            entered.set()
            leave.wait(60)

        holder = threading.Thread(target=turns.take, args=(hold,))
        holder.start()
        entered.wait(60)
        child = os.fork()
        if not child:
            done: list[int] = []
            worker = threading.Thread(target=turns.take, args=(lambda: done.append(1),))
            worker.daemon = True
            worker.start()
            worker.join(60)
            os._exit(0 if done else 1)
        leave.set()
        holder.join(60)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestMakingUp:
    def test_nothing_left_to_make_up(self) -> None:
        """A signal handler's own call may have made up what waited, between the look and this."""
        turns.make_up()
        assert turns.put_off == {}
