"""What lint is asked to do: the command's options, and ``[tool.crmlogging.lint]``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from crmlogging.exceptions import ConfigurationError, Problems
from crmlogging.linting.allowlists import Allowed, read_allowed
from crmlogging.linting.rules import selected

__all__ = ["Options", "options_from"]

_FILE: Final = "pyproject.toml"
_KNOWN: Final = ("config", "select", "ignore", "verbs")
_VERBS: Final = "CL302"


class Options(NamedTuple):
    """What to look for.

    Attributes:
        codes: keys of `rules.RULES`.
        allowed: what the configuration lets out.
    """

    codes: frozenset[str]
    allowed: Allowed


def options_from(
    folder: Path,
    *,
    config: Path | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    verbs: bool = False,
) -> Options:
    """Return the options of the command line over those of the project.

    Args:
        folder: where the search for pyproject.toml begins; it goes up to the nearest one.
        config: file with the allowlist.
        select: codes, or beginnings of them, in place of the usual ones.
        ignore: codes, or beginnings of them, to leave out.
        verbs: look for messages without a verb as well.

    Raises:
        ConfigurationError: names everything that is wrong.
    """
    path = _nearest(folder)
    problems = Problems("lint" if path is None else str(path))
    given = _table(path, problems) if path is not None else {}
    chosen = list(select) or _codes(given, "select", problems)
    left_out = list(ignore) or _codes(given, "ignore", problems)
    if not isinstance(given.get("verbs", False), bool):
        problems.add("verbs", "must be true or false")
    named = given.get("config")
    if named is not None and not isinstance(named, str):
        problems.add("config", "must be the name of a file")
    elif config is None and named is not None and path is not None:
        config = path.parent / named
    also = [_VERBS] if verbs or given.get("verbs") is True else []
    codes = selected(chosen, also, left_out, problems)
    allowed = Allowed()
    if config is not None:
        try:
            allowed = read_allowed(config)
        except ConfigurationError as error:
            problems.found.extend(error.problems)
    problems.raise_if_any()
    return Options(codes, allowed)


def _nearest(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        if (place / _FILE).is_file():
            return place / _FILE
    return None


def _table(path: Path, problems: Problems) -> Mapping[str, Any]:
    """Return ``[tool.crmlogging.lint]``, empty where there is none."""
    try:
        document: object = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error})") from error
    for name in ("tool", "crmlogging", "lint"):
        document = document.get(name, {}) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: tool.crmlogging.lint is no table")
    problems.unknown(document.keys() - set(_KNOWN), known=_KNOWN)
    return document


def _codes(given: Mapping[str, Any], option: str, problems: Problems) -> list[str]:
    codes = given.get(option, [])
    if isinstance(codes, list) and all(isinstance(code, str) for code in codes):
        return codes
    problems.add(option, "must be a list of codes")
    return []
