"""Lines of known calls as records: what stands for the record that nobody made."""

from __future__ import annotations

from threading import get_ident
from types import ModuleType
from typing import Any, Final

from crmlogging.formatters.prepared_line import thread_json
from crmlogging.handlers.known_calls import Known
from crmlogging.records import TASKS, SafeRecord, Written, deferred, task_name

__all__ = ["not_written", "thread_shown", "threads_shown", "written"]

_written: Final = tuple.__new__  # past the arguments by name
_THREADS_KEPT: Final = 1_024

threads_shown: Final[dict[str | None, bytes]] = {}
"""Names of threads as they are shown, as JSON, by themselves; bounded."""


def thread_shown(name: str | None) -> bytes:
    """Return a thread's name as it is shown, as JSON, and remember it."""
    if len(threads_shown) >= _THREADS_KEPT:
        threads_shown.clear()
    threads_shown[name] = shown = thread_json(_facts().thread_name(name))
    return shown


def written(
    known: Known, line: bytes, level: int, created: float, given: dict[str, Any] | None
) -> Written:
    """Return what stands for the record of a line, written here and now.

    Args:
        line: with a newline behind.
        created: seconds since the epoch.
        given: attributes of the record, if there is one.
    """
    relative, thread = None, get_ident()
    if given is None:
        task = task_name() if TASKS else None
    else:
        relative, task = given["relativeCreated"], given.get("taskName")
        if relative is None:
            relative = 0.0
        # No line shows it, so that nobody has judged it yet.
        if type(given["thread"]) is not int or given["thread"] != thread:
            thread = _facts().thread_id(given["thread"])
    if task is not None:
        task = _facts().task_name(task)
    parts = known.outline, level, created, relative, thread, task, line, known.formatter
    return _written(Written, parts)


def not_written(known: Known, line: bytes, level: int, created: float) -> SafeRecord:
    """Return the record whose line could not be written, for whoever asks for those."""
    try:
        record = deferred(written(known, line, level, created, None))
        vars(record)  # now: nobody is to find out later that it cannot be read
    except Exception:  # noqa: BLE001  # memory may be short
        return SafeRecord(known.outline.base)
    return record


def _facts() -> ModuleType:
    from crmlogging.redaction import facts  # whoever asks has it loaded

    return facts
