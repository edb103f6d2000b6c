"""What threads can do here: wait without a deadlock, and run at all."""

from __future__ import annotations

import logging
import sys
import threading
import time

__all__ = ["pause", "threads_are_frozen"]


def pause(seconds: float) -> None:
    """Sleep, letting go of `logging`'s module lock meanwhile if this thread holds it.

    dictConfig closes handlers under that lock, and a target may need it to finish
    (``getLogger``, a first ``isEnabledFor``): waiting with the lock held would be a deadlock.
    """
    try:
        threading.Condition(logging._lock).wait(seconds)  # type: ignore[attr-defined]  # private, no other way
    except RuntimeError:  # not ours
        time.sleep(seconds)


def threads_are_frozen() -> bool:
    """Whether a thread would start but not run: uWSGI without ``--enable-threads``."""
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    return isinstance(options, dict) and not any(
        options.get(name) or options.get(name.encode()) for name in ("enable-threads", "threads")
    )
