"""Promises of the gate: a child is born while nobody is inside what does not survive a fork."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from crmlogging.storage import forking
from crmlogging.storage.forking import inside

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def wait_for_a_fork() -> None:
    """Return as soon as somebody wants to fork."""
    while not forking._gate._forks:
        time.sleep(0.001)


def fork(found: list[str]) -> list[str]:
    """Return what a child finds in `found`."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, ",".join(found).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        answer = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return answer.split(",") if answer else []


class TestInside:
    @pytest.fixture
    def entered(self) -> Iterator[threading.Event]:
        yield threading.Event()
        assert not forking._gate._patience

    def test_a_fork_waits(self, entered: threading.Event) -> None:
        """The child sees all that was done inside, and may go in itself."""
        done: list[str] = []

        def work() -> None:
            with inside(60.0):
                entered.set()
                wait_for_a_fork()
                done.append("done")

        thread = threading.Thread(target=work)
        thread.start()
        assert entered.wait(60)
        assert fork(done) == ["done"]
        thread.join()

    def test_not_for_ever(self, entered: threading.Event) -> None:
        """Who stays longer than it said is waited for no longer."""
        end = threading.Event()

        def work() -> None:
            with inside(0.02):
                entered.set()
                assert end.wait(60)

        thread = threading.Thread(target=work)
        thread.start()
        assert entered.wait(60)
        assert fork(["born"]) == ["born"]
        end.set()
        thread.join()

    def test_nobody_waits_for_oneself(self, entered: threading.Event) -> None:
        """A fork from inside, also where one is inside twice."""
        with inside(600.0), inside(600.0):
            assert fork(["born"]) == ["born"]
            assert forking._gate._patience == {threading.get_ident(): 600.0}

    def test_nobody_goes_in_during_a_fork(self, entered: threading.Event) -> None:
        """Else a busy uploader could keep a fork waiting without end."""

        def work() -> None:
            with inside(1.0):
                entered.set()

        forking._gate.before_fork()
        thread = threading.Thread(target=work)
        thread.start()
        assert not entered.wait(0.05)
        forking._gate.after_fork()
        assert entered.wait(60)
        thread.join()

    def test_what_raises_inside_is_out(self, entered: threading.Event) -> None:
        """An upload that fails keeps no fork waiting."""
        with pytest.raises(ValueError, match="x"), inside(600.0):
            raise ValueError("x")
