"""A record's message as its source says it: the static template, and the arguments by name.

``logger.error("Failed %s", contact_id)`` and ``logger.error(f"Failed {contact_id}")`` show
``Failed %s`` and ``Failed {contact_id}``, and give the value a field name. A message is shown
only where it is proved to be source:

- it *is* (by identity) a string that the code loads for this very call; or
- the source of the call, compiled to the running code, builds texts of this form; or
- it has more than one word and is a literal of the calling function, of its module, or of a
  call that led here (wrappers).

Everything else is `DYNAMIC_MESSAGE`. A single word proves nothing by being a constant:
``logger.error(API_KEY)`` logs one, and Python makes equal identifiers one object.
"""

from __future__ import annotations

import logging
import os
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from crmlogging.diagnostics import tally
from crmlogging.redaction import call_site, known_loggers
from crmlogging.redaction.handing_on import is_made_here, is_unchanged
from crmlogging.redaction.mapped import text_of
from crmlogging.redaction.naming import Arguments, by_identity, is_empty, named, paired, taken_back
from crmlogging.redaction.sites import Site, site_of
from crmlogging.redaction.source_text import NotNow
from crmlogging.redaction.splitting import fits
from crmlogging.scrubbing import scrub

if TYPE_CHECKING:
    from crmlogging.redaction.built_messages import Built

__all__ = ["DYNAMIC_MESSAGE", "MESSAGE_CHARACTERS", "Resolved", "built_by", "names_by_position"]
__all__ += ["recall", "resolve"]

DYNAMIC_MESSAGE: Final = "[DYNAMIC MESSAGE]"
_KEPT: Final = 8_192
_MESSAGES_A_LINE: Final = 32
_WRAPPERS: Final = 5
MESSAGE_CHARACTERS: Final = 100_000


class Resolved(NamedTuple):
    """What may be shown of a message.

    Attributes:
        template: scrubbed.
        arguments: field name and value of each argument that has a name; values as the caller
            gave them, of any type.
        exact: the values are the call's own arguments; False when they were taken back out of
            the rendered text (always `str` then).
    """

    template: str
    arguments: Arguments = ()
    exact: bool = True


_DYNAMIC: Final = Resolved(DYNAMIC_MESSAGE)
# (pathname, lineno) -> id of a message proved to be a literal -> that object and its template.
_literals: dict[tuple[str, int], dict[int, tuple[str, Resolved]]] = {}


def recall(record: logging.LogRecord) -> Resolved | None:
    """Return the template of a literal proved before, without a look at any frame.

    None when it was not, and for a call with arguments, whose names need the frame.
    """
    facts = record.__dict__
    message = facts.get("msg")
    if type(message) is not str or not is_empty(facts.get("args")):
        return None
    try:
        known = _literals[facts["pathname"], facts["lineno"]][id(message)]
    except (KeyError, TypeError):
        return None
    return known[1] if known[0] is message else None


def names_by_position(record: logging.LogRecord, frame: FrameType) -> tuple[str | None, ...] | None:
    """Return the names of the arguments of a literal message, which every such call shares.

    None where the message is no literal of the call, or where values decide on names.
    """
    facts = record.__dict__
    message, arguments = facts.get("msg"), facts.get("args")
    if type(message) is not str or type(arguments) is not tuple or not arguments:
        return None
    site = site_of(frame)
    if not _is_literal(message, site) or not is_made_here(facts, frame):
        return None
    if call_site.is_handed_on(frame):
        return None
    marks = tuple(object() for _ in arguments)
    names = {id(mark): name for name, mark in named({**facts, "args": marks}, site, frame)}
    return tuple(names.get(id(mark)) for mark in marks)


def built_by(record: logging.LogRecord, frame: FrameType, template: str) -> Built | None:
    """Return what each message of a call is built of; None where that differs, or is not known.

    It holds of a message that the call itself gave to a logger (`handing_on`), without arguments,
    where its values can be taken back out.

    Args:
        template: what was found to be shown of the message of `record`.
    """
    facts = record.__dict__
    message, logger = facts.get("msg"), facts.get("name")
    if type(message) is not str or not is_empty(facts.get("args")):
        return None
    if type(logger) is not str or known_loggers.has_templates(logger):
        return None
    site = site_of(frame)
    readings = site.readings(frame)
    if not readings or len(readings[0].messages) != 1 or not readings[0].values_hold:
        return None
    [built] = readings[0].messages
    # Else this one is, though built there, an endless text, or the literal alone.
    if not built.names or _scrubbed(site, built.template) != template:
        return None
    return built


def resolve(record: logging.LogRecord, frame: FrameType | None, mode: str) -> Resolved:
    """Return what may be shown of the message of `record`; never raises.

    Args:
        record: its ``msg`` and ``args`` as the caller gave them.
        frame: `call_site.calling_frame`, or None when nothing is known of the caller.
        mode: ``template``; ``literal`` (no message that was built at run time); ``any`` (the
            rendered text, scrubbed).
    """
    try:
        if mode == "any":
            return _rendered(record)
        known = recall(record)
        return _resolve(record, frame, mode == "template") if known is None else known
    except NotNow:
        return _DYNAMIC
    except Exception:  # noqa: BLE001  # fails closed
        tally.add("redaction.failed")
        return _DYNAMIC


def _resolve(record: logging.LogRecord, frame: FrameType | None, built: bool) -> Resolved:
    facts = record.__dict__
    message, arguments = text_of(facts.get("msg")), facts.get("args")
    if type(message) is not str:
        return _of_object(message) if built else _DYNAMIC
    if message is not facts.get("msg"):
        facts = {**facts, "msg": message}
    if len(message) > MESSAGE_CHARACTERS:
        return _DYNAMIC
    logger = facts.get("name")
    if type(logger) is str:
        template = known_loggers.template_of(logger, message)
        if template is not None:
            known = known_loggers.fields_of_call(logger, message, arguments)
            return Resolved(template, known or ())
    if frame is None:
        return _DYNAMIC
    site = site_of(frame)
    here = is_made_here(facts, frame)
    if _is_literal(message, site):
        return _literal(facts, site, frame if here else None)
    if not here:
        return _DYNAMIC
    resolved = _built(facts, site, frame) if built else None
    resolved = resolved or _wrapped(facts, frame, built) or _warned(facts, frame)
    if resolved is None and " " in message and message in site.module_texts(frame):
        return _literal(facts, site, frame)
    return resolved or _DYNAMIC


def _is_literal(message: str, site: Site) -> bool:
    if any(each is message for each in site.loaded):
        return True
    return " " in message and any(each is message for each in site.constants)


def _literal(facts: dict[str, Any], site: Site, frame: FrameType | None) -> Resolved:
    template = _scrubbed(site, facts["msg"])
    if is_empty(facts.get("args")):
        return _remember(facts, Resolved(template), frame)
    return Resolved(template, () if frame is None else named(facts, site, frame))


def _built(facts: dict[str, Any], site: Site, frame: FrameType) -> Resolved | None:
    """Match a message built at run time with what the source of the call builds."""
    message, arguments = facts["msg"], facts.get("args")
    for reading in site.readings(frame):
        built = _fitting(message, reading.messages)
        if built is not None:
            template = _scrubbed(site, built.template)
            if not is_empty(arguments):
                return Resolved(template, paired(reading, arguments, frame))
            if reading.values_hold and is_unchanged(message, frame):
                return Resolved(template, taken_back(message, built), exact=False)
            return Resolved(template)
        rendered = _fitting(message, reading.rendered())
        if rendered is not None and reading.known:
            return Resolved(_scrubbed(site, rendered.template))
        # An adapter's `process` may have put something before or after.
        text = reading.literal
        if text and " " in text and message.startswith(text) | message.endswith(text):
            return Resolved(_scrubbed(site, text), paired(reading, arguments, frame))
    return None


def _fitting(message: str, possible: tuple[Built, ...]) -> Built | None:
    """Return the one message that can have given this text."""
    fitting = [built for built in possible if fits(message, built.literals)]
    return fitting[0] if len(fitting) == 1 else None


def _wrapped(facts: dict[str, Any], frame: FrameType, built: bool) -> Resolved | None:
    """Look for the message among the calls that led to this one: ``def log(msg): ...``."""
    message, arguments = facts["msg"], facts.get("args")
    if " " not in message:
        return None
    for own in call_site.own_frames(frame):
        if any(each is message for each in site_of(own).loaded):
            return Resolved(_scrubbed(site_of(own), message))
    for outer in call_site.outer_frames(frame, _WRAPPERS):
        site = site_of(outer)
        if any(each is message for each in site.loaded):
            logger, known = facts.get("name"), None
            if type(logger) is str:
                known = known_loggers.fields_of_call(logger, message, arguments)
            found = by_identity(outer, site, arguments) if known is None else known
            return Resolved(_scrubbed(site, message), found)
        for reading in site.readings(outer) if built else ():
            fitting = _fitting(message, reading.messages + reading.rendered())
            if fitting is not None:
                return Resolved(_scrubbed(site, fitting.template))
    return None


def _warned(facts: dict[str, Any], frame: FrameType) -> Resolved | None:
    """``warnings.warn("...")``, captured: its text stands in a line that `warnings` made."""
    if facts.get("name") != "py.warnings" or frame.f_globals.get("__name__") != "warnings":
        return None
    for outer in call_site.outer_frames(frame, 2):
        for text in site_of(outer).loaded:
            if " " in text and f": {text}\n" in facts["msg"]:
                return Resolved(_scrubbed(site_of(outer), text))
    return None


def _of_object(message: object) -> Resolved:
    """``logger.error(exc)``: the exception's template."""
    if not issubclass(type(message), BaseException):
        return _DYNAMIC
    from crmlogging.redaction.safe_exceptions import safe_message

    return Resolved(safe_message(cast("BaseException", message)) or DYNAMIC_MESSAGE)


def _rendered(record: logging.LogRecord) -> Resolved:
    from crmlogging.redaction.rendering import rendered

    message, arguments = text_of(record.__dict__.get("msg")), record.__dict__.get("args")
    if type(message) is not str:
        return _of_object(message)
    return Resolved(rendered(message, None if is_empty(arguments) else arguments))


def _scrubbed(site: Site, text: str) -> str:
    known = site.templates.get(text)
    if known is None:
        known = site.templates[text] = scrub(text)
    return known


def _remember(facts: dict[str, Any], resolved: Resolved, frame: FrameType | None) -> Resolved:
    """Remember a literal for its line, which is not that of a function many calls go through."""
    message, path, line = facts["msg"], facts.get("pathname"), facts.get("lineno")
    if frame is None or type(path) is not str or line != frame.f_lineno:
        return resolved
    if path == os.path.normcase(frame.f_code.co_filename):
        if len(_literals) >= _KEPT:
            _literals.clear()
        here = _literals.setdefault((path, line), {})
        if len(here) >= _MESSAGES_A_LINE:  # code that is compiled again and again
            here.clear()
        here[id(message)] = (message, resolved)
    return resolved
