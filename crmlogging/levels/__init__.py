"""Levels that follow ``CRMLOGGING_LEVEL`` in the running process.

The variable, or ``LOG_LEVEL`` where it is not set, holds a *spec*::

    INFO
    INFO,crm.sync=DEBUG,urllib3=WARNING
    DEBUG;until=2026-11-22T03:00Z
    INFO,DEBUG@tenant.code=acme,crm.sync=DEBUG@correlation_id=sync-17

A bare level is the root logger's. What follows ``@`` makes it the level for one piece of work:
for scopes that carry this correlation id, or have bound this value (`crmlogging.bind`); only
a `crmlogging.Logger` asks for that. Once a second the watcher looks at ``os.environ`` and at the
file that ``CRMLOGGING_ENV_FILE`` names (lines ``NAME=value``, as a ConfigMap mounts it); the
source that changed last decides. A logger that drops out of the spec, or whose time is over,
gets back the level it had. A spec that cannot be read changes nothing and is reported once.

Levels above CRITICAL count as CRITICAL: nothing can silence that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crmlogging import ticking
from crmlogging.levels import scoping

if TYPE_CHECKING:
    from crmlogging.levels.watcher import Watcher

__all__ = ["set_level", "start", "stop"]

_watcher: Watcher | None = None


def start(*, now: bool = False) -> None:
    """Start this process's watcher, once.

    Args:
        now: apply the spec before returning, for who has configured all loggers already.
    """
    global _watcher
    if _watcher is None:
        from crmlogging.levels.watcher import Watcher  # Here: with the first handler.

        _watcher = Watcher()
    if now:
        _watcher.tick()
    ticking.watch(_watcher)


def stop() -> None:
    """Forget this process's watcher; the loggers keep the levels they have, rules end."""
    global _watcher
    _watcher = None
    scoping.rules = ()


def set_level(spec: str, for_: str | None = None) -> None:
    """Change levels now, in this process and in those it starts: writes ``CRMLOGGING_LEVEL``.

    Args:
        spec: ``"DEBUG"``, ``"INFO,crm.sync=DEBUG"`` or, for one customer account alone,
            ``"DEBUG@tenant.code=acme"``.
        for_: how long, ``"15m"``; then the former levels return by themselves.

    Raises:
        ConfigurationError: `spec` or `for_` cannot be read; nothing changes.
    """
    from crmlogging.exceptions import ConfigurationError, Problems
    from crmlogging.levels.env_file import VARIABLE
    from crmlogging.levels.spec import parse_duration, parse_spec, with_end

    problems = Problems("set_level")
    checks: tuple[tuple[str, Callable[[Any], object], object], ...]
    checks = (("spec", parse_spec, spec), ("for_", parse_duration, "1s" if for_ is None else for_))
    for option, check, given in checks:
        try:
            check(given)
        except ConfigurationError as error:
            for each in error.problems:
                problems.add(option, each.partition(": ")[2])
    problems.raise_if_any()
    os.environ[VARIABLE] = with_end(spec, for_)
    start(now=True)
