"""Levels for one piece of work: who may log below its level, because a rule names its scope.

Asked only after a logger has said no, and answered by one look at an empty tuple as long as
there is no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crmlogging.levels.spec import Rule

__all__ = ["admits", "rules"]

rules: tuple[Rule, ...] = ()
"""The rules in force; the watcher puts a new tuple in place of the old one."""


def admits(logger: str, level: int, id: str | None, fields: Mapping[str, object]) -> bool:
    """Tell whether a rule lets `logger` log at `level` within a scope.

    Args:
        id: correlation id of the scope, if there is one.
        fields: what is bound in it.
    """
    for rule in rules:
        if level < rule.level:
            continue
        below = not rule.logger or f"{logger}.".startswith(f"{rule.logger}.")
        found = id if rule.field == "correlation_id" else fields.get(rule.field)
        # Nothing else is asked for its text: what a service binds may be of any class.
        if below and (type(found) is str or type(found) is int) and f"{found}" == rule.value:
            return True
    return False
