"""Scopes: a correlation id, and fields bound around a piece of work.

A sync, a webhook or a request opens a scope with `correlation`; every record logged inside it,
in any library, carries the id and what was bound with `bind`. Scopes nest, and stay apart
between threads and between asyncio tasks. `crmlogging.CorrelationFilter` writes them on records.

Shape of an id: 1 to 128 characters of ``A-Z a-z 0-9 . _ : -``; generated ones are 32 lower-case
hex digits.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType
from typing import Any, Final, NamedTuple, TypeVar, cast

from crmlogging.exceptions import ConfigurationError
from crmlogging.fields import MISFIT, SHAPES
from crmlogging.records import STANDARD_ATTRIBUTES

__all__ = ["Scope", "bind", "correlation", "current", "unbind"]

F = TypeVar("F", bound=Callable[..., Any])

_shape: Final = SHAPES["id"]


class State(NamedTuple):
    """What a scope holds: its id (None outside any scope) and the bound fields."""

    id: str | None
    fields: Mapping[str, object]


_NO_SCOPE: Final = State(None, MappingProxyType({}))
_state: Final[ContextVar[State]] = ContextVar("crmlogging_scope", default=_NO_SCOPE)


def current() -> State:
    """Return id and fields in force, in the calling thread or task."""
    return _state.get()


def bind(**fields: object) -> None:
    """Add `fields` to the current scope; they go with every record until the scope ends.

    Outside any scope they last as long as the thread or task does, or until `unbind`.
    Dotted names need the double star. A name the standard library reserves for itself
    (``name``, ``args``, ...) is kept as ``extra.<name>``.

    Example:
        >>> with correlation("sync-1"):
        ...     bind(crm="hubspot", **{"tenant.code": "acme"})
        ...     sorted(current().fields)
        ['crm', 'tenant.code']
        >>> sorted(current().fields)
        []
    """
    state = _state.get()
    _state.set(State(state.id, _merged(state.fields, fields)))


def unbind(*names: str) -> None:
    """Take fields out of the current scope; names that are not bound are ignored.

    Raises:
        ConfigurationError: one of `names` is no text.
    """
    for name in names:
        if not isinstance(name, str):
            raise ConfigurationError(f"unbind: names: {name!r} is no name of a field")
    state = _state.get()
    gone = {_own_name(name) for name in names}
    kept = {name: value for name, value in state.fields.items() if name not in gone}
    _state.set(State(state.id, MappingProxyType(kept)))


def _merged(bound: Mapping[str, object], fields: Mapping[str, object]) -> Mapping[str, object]:
    if not fields:
        return bound
    return MappingProxyType({**bound, **{_own_name(name): value for name, value in fields.items()}})


def _own_name(name: str) -> str:
    return f"extra.{name}" if name in STANDARD_ATTRIBUTES else name


def _valid_id(inbound: object) -> str:
    """Return `inbound` if it is an id, else a new one.

    It is outside data: a wrong shape can neither break the caller nor forge a line.
    """
    # No import for the sake of a caller who would have made it.
    uuid = sys.modules.get("uuid")
    if uuid is not None and isinstance(inbound, uuid.UUID):
        return f"{inbound}"
    if type(inbound) is str and _shape(inbound) is not MISFIT:
        return inbound
    return os.urandom(16).hex()


class Scope:
    """One or more entries into a scope; see `correlation`, which makes them."""

    def __init__(self, id: object, fields: Mapping[str, object]) -> None:
        self._id = id
        self._fields = fields
        self._tokens: list[Token[State]] = []

    def __enter__(self) -> str:
        state = State(_valid_id(self._id), _merged(_state.get().fields, self._fields))
        self._tokens.append(_state.set(state))
        return cast("str", state.id)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A generator may be closed in another context than it was started in (streamed bodies,
        # async generators). The scope was never open in that one: nothing to restore.
        with suppress(ValueError):
            _state.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        """Open a fresh scope around every call of `function`, which may be async or a generator."""
        kinds: tuple[tuple[Callable[[Any], bool], Callable[..., Any]], ...] = (
            (inspect.iscoroutinefunction, self._around_coroutine),
            (inspect.isasyncgenfunction, self._around_async_generator),
            (inspect.isgeneratorfunction, self._around_generator),
        )
        around = next((wrap for is_kind, wrap in kinds if is_kind(function)), self._around_call)
        return cast("F", functools.wraps(function)(around(function)))

    def _again(self) -> Scope:
        return Scope(self._id, self._fields)

    def _around_call(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return call

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return await function(*args, **kwargs)

        return call

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with self._again():
                yield from function(*args, **kwargs)

        return call

    def _around_async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with self._again():
                async for item in function(*args, **kwargs):
                    yield item

        return call


def correlation(id: object = None, **fields: object) -> Scope:
    """Open a scope: a context manager that yields the id in force, and a decorator.

    Args:
        id: received from the peer or the job's own, a str or `uuid.UUID`. One of the wrong
            shape, or None, is replaced by a generated id.
        fields: bound inside the scope, beside those of the enclosing one (see `bind`).

    Example:
        >>> with correlation("sync-2026.1", crm="zoho") as id:
        ...     id, current().id, dict(current().fields)
        ('sync-2026.1', 'sync-2026.1', {'crm': 'zoho'})
        >>> @correlation()
        ... def job():
        ...     return current().id
        >>> len(job()), job() == job()
        (32, False)
    """
    return Scope(id, fields)
