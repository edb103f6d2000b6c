"""Names for the arguments of a logging call, so that the allowlist can decide on each.

A name is an expression of the source (``contact_id``, ``user.email``), a key of the template
(``%(id)s``), or a row of the table of `known_loggers`. An argument without one is left out.
"""

from __future__ import annotations

import re
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, cast

from crmlogging.redaction import known_loggers
from crmlogging.redaction.call_site import is_handed_on
from crmlogging.redaction.sites import Reading, Site
from crmlogging.redaction.splitting import split

if TYPE_CHECKING:
    from crmlogging.redaction.built_messages import Built

__all__ = ["Arguments", "by_identity", "is_empty", "named", "paired", "taken_back"]

_KEYS: Final = r"%\(([A-Za-z_][A-Za-z0-9_.]{0,99})\)"

Arguments = tuple[tuple[str, object], ...]


def named(facts: dict[str, Any], site: Site, frame: FrameType) -> Arguments:
    """Return the arguments that have a name: by the table, the template's keys, or the source."""
    message, arguments, logger = facts["msg"], facts["args"], facts.get("name")
    if type(logger) is str:
        known = known_loggers.fields_of_call(logger, message, arguments)
        if known is not None:
            return known
    if issubclass(type(arguments), dict):
        return _keyed(message, cast("dict[Any, object]", arguments))
    for reading in site.readings(frame):
        if reading.known or reading.literal == message:
            return paired(reading, arguments, frame)
    return ()


def is_empty(arguments: object) -> bool:
    """Truth of a foreign object would run its code."""
    if type(arguments) is tuple or type(arguments) is dict:
        return not arguments
    return arguments is None


def _keyed(message: str, mapping: dict[Any, object]) -> Arguments:
    """Name the entries of a mapping that the template uses; no code of a subclass runs."""
    keys = dict.fromkeys(re.findall(_KEYS, message, re.ASCII))
    return tuple((key, dict.get(mapping, key)) for key in keys if dict.__contains__(mapping, key))


def paired(reading: Reading, arguments: object, frame: FrameType) -> Arguments:
    """Name the arguments after the expressions of the call, if there are as many.

    Where they were handed on to logging by somebody else, only those that are the very variables
    of `frame`: they may be those of another call.
    """
    if type(arguments) is not tuple or reading.names is None:
        return ()
    if len(arguments) != len(reading.names):
        return ()
    pairs = zip(reading.names, arguments, strict=True)
    found = tuple((name, value) for name, value in pairs if name is not None)
    if found and is_handed_on(frame):
        variables = frame.f_locals
        found = tuple(pair for pair in found if variables.get(pair[0], found) is pair[1])
    return found


def taken_back(message: str, built: Built) -> Arguments:
    """Return the values that stand in a built message, where it can be cut in one way only."""
    values = split(message, built.literals)
    if values is None:
        return ()
    pairs = zip(built.names, values, strict=True)
    return tuple((name, value) for name, value in pairs if name is not None)


def by_identity(frame: FrameType, site: Site, arguments: object) -> Arguments:
    """Name each argument after a variable of `frame` that holds it, if the call names that one."""
    if type(arguments) is not tuple or not arguments:
        return ()
    # Before 3.13 this refreshes a dict that `locals()` gave out; there is no other way to look.
    variables = frame.f_locals
    found = []
    for reading in site.readings(frame):
        for name in reading.names or ():
            if name is not None and name in variables:
                value = variables[name]
                if any(value is argument for argument in arguments):
                    found.append((name, value))
    return tuple(dict(found).items())
