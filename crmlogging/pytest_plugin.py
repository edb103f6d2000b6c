"""The pytest fixture `assert_no_leak`: a test fails when a secret comes out of the process.

    def test_sync(assert_no_leak, contact):
        with assert_no_leak(contact.email, contact.phone, must_show=["c-4711"]):
            sync(contact)

Loaded by pytest in every suite where crmlogging is installed; it imports what it needs when a
test first asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from crmlogging.checking.guarding import Guard

__all__ = ["NoLeak", "assert_no_leak"]


class NoLeak:
    """What the fixture gives: call it for a block, or `secrets` for the rest of the test."""

    def __init__(self) -> None:
        self._open: list[Guard] = []

    @contextmanager
    def __call__(self, *secrets: object, must_show: Iterable[object] = ()) -> Iterator[None]:
        """Fail if one of `secrets` comes out while the block runs, in any form.

        Args:
            secrets: texts of at least four characters, or numbers of as many digits.
            must_show: values that have to come out, so that a silent log does not pass.
        """
        __tracebackhide__ = True
        guard = _guard(secrets, must_show)
        try:
            yield
        except BaseException as error:
            _add_note(error, guard.finish())
            raise
        _fail_for(guard.finish())

    def secrets(self, *secrets: object, must_show: Iterable[object] = ()) -> None:
        """Fail if one of `secrets` comes out from now to the end of the test function."""
        self._open.append(_guard(secrets, must_show))

    def finish(self) -> list[str]:
        """Return what is wrong with the rest of the test; called at its end."""
        return [each for guard in _popped(self._open) for each in guard.finish()]


def _popped(guards: list[Guard]) -> Iterator[Guard]:
    while guards:
        yield guards.pop()


def _guard(secrets: Iterable[object], must_show: Iterable[object]) -> Guard:
    __tracebackhide__ = True
    from crmlogging.checking.guarding import Guard

    try:
        return Guard(secrets, must_show)
    except ValueError as error:
        pytest.fail(f"assert_no_leak: {error}", pytrace=False)


def _add_note(error: BaseException, complaints: list[str]) -> None:
    if complaints:
        error.add_note("assert_no_leak, besides: " + "\n".join(complaints))


def _fail_for(complaints: list[str]) -> None:
    __tracebackhide__ = True
    if complaints:
        pytest.fail("assert_no_leak: " + "\n".join(complaints), pytrace=False)


@pytest.fixture
def assert_no_leak() -> Iterator[NoLeak]:
    """Check that secrets do not come out of this process: ``with assert_no_leak(SECRET): ...``."""
    watching = NoLeak()
    yield watching
    watching.finish()


# Innermost, while pytest's own capturing of the test is still on.
@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """End what `NoLeak.secrets` has begun, as part of the test."""
    outcome = yield
    watching = getattr(item, "funcargs", {}).get("assert_no_leak")
    if not isinstance(watching, NoLeak):
        return
    complaints = watching.finish()
    if outcome.excinfo is not None:
        _add_note(outcome.excinfo[1], complaints)
        return
    try:
        _fail_for(complaints)
    except pytest.fail.Exception as failure:
        outcome.force_exception(failure)
