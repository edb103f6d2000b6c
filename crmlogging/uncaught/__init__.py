"""What Python would print by itself leaves as safe records instead.

A stock traceback prints the exception's text, and with it whatever value is in there. `install`
puts ours where Python asks somebody to print:

    sys.excepthook          CRITICAL   the main thread ends, and the process with exit code 1
    threading.excepthook    ERROR      another thread ends
    sys.unraisablehook      ERROR      nobody can catch it: a finaliser's, an exit function's
    warnings.showwarning    WARNING    on logger ``py.warnings``, with its category and place
    logging.lastResort      WARNING    what is said where a logger has no handler

The record is made safe before any handler sees it, so that an unprotected one, or a library that
patches the logging system, gets nothing else. Python itself decides how the process ends: exit
code 1, and for KeyboardInterrupt the signal's.

- A hook that somebody set *before* (Sentry's) is called as well, with stderr closed to it, since
  such hooks end by calling Python's own. One that somebody sets *after* stays where it is.
- At an interactive prompt Python's own traceback is shown: the person typed those values.
- asyncio has no hook of the process: its loops log on logger ``asyncio``, like any library.

Out of reach: the text of ``sys.exit("...")``, and ``multiprocessing``, which prints the traceback
of a child process by itself; docs/recipes.md shows what to do.
"""

from __future__ import annotations

import logging
import warnings

from crmlogging.records import Stage
from crmlogging.uncaught import reporting
from crmlogging.uncaught.hooks import HOOKS
from crmlogging.uncaught.last_resort import LastResort
from crmlogging.uncaught.showing import show_warning

__all__ = ["install", "uninstall"]


def install(stages: tuple[Stage, ...] = (), *, console: bool = True) -> None:
    """Put our hooks in place; again is harmless, and takes over the new arguments.

    Args:
        stages: filters that make a record safe, in order; without them no field is allowed.
        console: whether people see what is logged; if not, the end of the process is told on
            stderr too: class and place in one line.
    """
    reporting.configure(stages, console=console)
    for hook in HOOKS:
        hook.install()
    logging.captureWarnings(True)
    warnings.showwarning = show_warning
    # `None` is somebody's wish for silence.
    if logging.lastResort is not None and not isinstance(logging.lastResort, LastResort):
        logging.lastResort = LastResort(logging.lastResort)


def uninstall() -> None:
    """Put back what stood there before, where ours is still in place; for tests."""
    for hook in HOOKS:
        hook.uninstall()
    if warnings.showwarning is show_warning:
        logging.captureWarnings(False)
    if isinstance(logging.lastResort, LastResort):
        logging.lastResort = logging.lastResort.before
