"""What every test gets back as it was: the logging system, and the scope of the main thread.

And an S3 server on loopback, for those that ask for it.
"""

from __future__ import annotations

import logging
import os
import sys
import uuid
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from crmlogging import context, levels, ticking, uncaught
from crmlogging.handlers import delivery
from crmlogging.records import identity

if TYPE_CHECKING:
    from tests.s3_server import Server

# By chance the hexadecimal part of ids would hold what a test must not find: "ada", or "4711".
identity.ids.renew("e" * 16)
# No example fails for a machine that is busy with something else.
settings.register_profile("unhurried", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")
# Hundreds of processes are started by the tests: the first one compiles for all.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def _ticks_when_told() -> Iterator[None]:
    """Let no second pass in the middle of a test: a tick comes when the test says so.

    What handlers say by themselves, once an interval, is counted and seen by their targets.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticking, "INTERVAL_SECONDS", 86_400.0)
        yield


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Put back root's handlers, levels, logger class, hooks, and the environment."""
    root, manager = logging.root, logging.root.manager
    handlers, level, kind = root.handlers[:], root.level, type(root)
    states = {
        name: (logger.disabled, logger.level, logger.propagate)
        for name, logger in manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    environment = dict(os.environ)
    logger_class, show = logging.getLoggerClass(), warnings.showwarning
    hooks = sys.excepthook, sys.unraisablehook
    draining = set(delivery._draining.values())
    yield
    uncaught.uninstall()
    # A handler that another test left undelivered would have `drain` wait for it.
    for left in set(delivery._draining.values()) - draining:
        del delivery._draining[id(left)]
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    for name, logger in manager.loggerDict.items():
        if not isinstance(logger, logging.Logger):
            continue
        if name not in states:
            for handler in logger.handlers[:]:
                logger.removeHandler(handler)
                handler.close()
            logger.filters.clear()
        # A dictConfig disables the loggers it does not name, unless told otherwise.
        logger.disabled, level_before, logger.propagate = states.get(name, (False, 0, True))
        if logger.level != level_before:
            logger.setLevel(level_before)
    root.handlers[:] = handlers
    root.__class__ = kind
    root.setLevel(level)
    logging.setLoggerClass(logger_class)
    logging.captureWarnings(False)
    warnings.showwarning = show
    sys.excepthook, sys.unraisablehook = hooks
    os.environ.clear()
    os.environ.update(environment)
    levels.stop()
    context.unbind(*context.current().fields)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Lend the address of the server."""
    from tests.s3_server import serving  # Here: most tests need no boto3.

    with serving() as url:
        yield url


@pytest.fixture
def server(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Lend a fresh bucket, and credentials for it in the environment."""
    from tests.s3_server import CREDENTIALS, Server

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return Server(s3_url, f"logs-{uuid.uuid4().hex}")
