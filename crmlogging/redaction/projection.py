"""The projection: a record reduced to its template, its own facts and its allowed fields.

Whatever is not allowed is not looked at: no ``repr``, no ``str``, no property of it runs. The
walk follows the compiled allowlist (`patterns`), writes one placeholder for each value withheld,
and one count for all the keys of a mapping that may not be named.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from types import FrameType
from typing import Any, Final, cast

from crmlogging.exceptions import Problems
from crmlogging.records import STANDARD_ATTRIBUTES, Call, Moment, SafeRecord, deferred, record_id
from crmlogging.records.calls import LAST_SECOND
from crmlogging.redaction import call_site, facts, templates
from crmlogging.redaction.allowlist import Allowlist
from crmlogging.redaction.failing import BLANK, failed
from crmlogging.redaction.handing_on import is_unchanged
from crmlogging.redaction.mapped import unfold_message
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import compile_patterns
from crmlogging.redaction.plan import Plan
from crmlogging.redaction.plans import Plans
from crmlogging.redaction.safe_exceptions import exception_fields
from crmlogging.redaction.source_text import NotNow
from crmlogging.redaction.walk import ANY_NAME, SCALARS, Walk

__all__ = ["Projection"]

_moment: Final = tuple.__new__  # past the arguments by name
_UNKNOWN: Final = ("mask", "drop")
_MESSAGES: Final = ("template", "literal", "any")
_OPTIONS: Final = (
    *("fields", "mask", "unknown", "messages", "loggers", "trusted", "hmac_key", "seal_to"),
    "service",
)


class Projection:
    """Reduces records to what may leave the process.

    Args:
        fields: patterns of what may be shown: ``["@crm", "user.*", {"campaign.name": "text"}]``.
        mask: pattern to ``last4`` or ``hmac``; wins over `fields` and needs no entry there.
        unknown: ``mask`` shows a placeholder for what is withheld, ``drop`` leaves it out.
        messages: ``template``; ``literal`` shows no message built at run time; ``any`` shows
            every message, scrubbed only.
        loggers: logger names to show as they are, though they are not known ones.
        trusted: exception classes (``module.Class``) whose text is shown, scrubbed.
        hmac_key: returns the key of the mask ``hmac``; None takes ``CRMLOGGING_HMAC_KEY``.

    Raises:
        ConfigurationError: names every option that is wrong.
    """

    def __init__(
        self,
        fields: Iterable[str | Mapping[str, str]] = (),
        *,
        mask: Mapping[str, str] | None = None,
        unknown: str = "mask",
        messages: str = "template",
        loggers: Iterable[str] = (),
        trusted: Iterable[str | type[BaseException]] = (),
        hmac_key: HmacKey | None = None,
        **unknown_options: object,
    ) -> None:
        problems = Problems("AllowlistFilter")
        problems.unknown(unknown_options, known=_OPTIONS)
        for option, given, known in (
            ("unknown", unknown, _UNKNOWN),
            ("messages", messages, _MESSAGES),
        ):
            if given not in known:
                problems.add(option, f"{given!r} is not one of {', '.join(known)}")
        if hmac_key is not None and not callable(hmac_key):
            problems.add("hmac_key", "must be a callable that returns the key")
            hmac_key = None
        self._loggers = frozenset(_names("loggers", loggers, problems))
        self._trusted = tuple(_names("trusted", trusted, problems))
        self._messages = messages
        root = compile_patterns(fields, mask, hmac_key, problems)
        problems.raise_if_any()
        self._allowlist = Allowlist(root, drop=unknown == "drop", hmac_key=hmac_key)
        self._plans = Plans(self._allowlist, self._loggers)

    def project(self, record: logging.LogRecord) -> SafeRecord:
        """Return what may be shown of `record`, which stays as it is; never raises."""
        outcome = self.brief(record, "")
        return deferred(outcome) if isinstance(outcome, Moment) else outcome

    def brief(self, record: logging.LogRecord, identity: str) -> SafeRecord | Moment:
        """Return the same, or what sets that record apart from others of its call.

        Args:
            identity: the record's id, if the caller knows it.
        """
        try:
            kind = type(record)  # Not isinstance: a record's __class__ may lie.
            if kind is not logging.LogRecord and issubclass(kind, SafeRecord):
                return self._narrowed(cast("SafeRecord", record))
            given = record.__dict__
            found = self._plans.find(given)
            if found is not None:
                plan, values = found
                message, more = plan.base["msg"], None
            else:
                made = self._made(record, identity)
                if isinstance(made, SafeRecord):
                    return made
                plan, values, message, more = made
            exc_info = given["exc_info"]
            if exc_info is not None and exc_info is not False:
                more = {**(more or {}), **exception_fields(exc_info, self._trusted)}
            task = given.get("taskName")
            return _moment(
                Moment,
                (
                    plan,
                    plan.level,
                    given["created"],
                    given["relativeCreated"],
                    given["thread"],
                    facts.thread_name(given["threadName"]),
                    None if task is None else facts.task_name(task),
                    message,
                    values,
                    more,
                    identity or record_id(record),
                ),
            )
        except Exception as error:  # noqa: BLE001  # a bug of ours: fail closed, lose nothing
            try:
                return failed(record, error, identity)
            except Exception:  # noqa: BLE001  # not one frame left on the stack
                return BLANK

    def narrow(self, record: SafeRecord) -> SafeRecord:
        """Return `record` without the fields that this allowlist does not let out as well."""
        return self.project(record)

    def shows(self, name: str) -> Callable[[object], object]:
        """Return what tells how a field of the table is shown, given its value: None if not."""
        place = self._allowlist.names.get(name)
        if place is not None and place.node.mask is None and place.node.fit is not None:
            fit = place.node.fit
            return lambda value: fit(value) if type(value) in SCALARS else self._walk(name, value)
        return partial(self._walk, name)

    def _walk(self, name: str, value: object) -> object:
        fields: dict[str, Any] = {}
        Walk(self._allowlist, frozenset(), fields).attributes({name: value})
        return fields.get(name)

    def _made(
        self, record: logging.LogRecord, identity: str
    ) -> SafeRecord | tuple[Plan, list[bytes], str, dict[str, Any] | None]:
        """Return the plan of the call, what it shows, message and arguments; or all of a record."""
        given = record.__dict__
        frame = call_site.calling_frame()
        found = None
        if frame is not None and type(given.get("msg")) is not dict:
            found = self._plans.find_at(frame, given)
        if found is None:
            identity = identity or record_id(record)
            try:
                return self._walked(record, frame, identity)
            except NotNow:  # logged by whoever reads the source of this very call
                return self._walked(record, None, identity)
        plan, values = found
        args = plan.taken_back(given["msg"], given["args"], None)
        if args is not None and frame is not None:
            named = is_unchanged(given["msg"], frame)
        else:
            args = given["args"]
            named = plan.message is given["msg"] and not call_site.is_handed_on(frame)
        more = plan.argument_fields(args) if named else None
        if more is not None:
            return plan, values, plan.base["msg"], more
        return plan, values, *self._message(record, frame, plan.base)

    def answer(self, call: Call, fields: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return what sets apart the record of `call` and its fields; None if that takes one.

        Returns:
            The parts of its `Moment`, but the last, its id.
        """
        code, offset, spoken, message, given, created, relative, thread, name, task, speaker = call
        for plan in self._plans.by_site.get((id(code), offset, len(fields)), ()):
            if plan.code is not code or plan.spoken != spoken:
                continue
            args: tuple[object, ...] | None = given
            if plan.message is not message:
                args = plan.taken_back(message, given, speaker)
            if args is None:
                continue
            more = None
            if args or plan.count:
                # A mapping that stands alone is a record's arguments by name.
                if len(args) == 1 and type(args[0]) not in SCALARS:
                    return None
                more = plan.argument_fields(args)
                if more is None:
                    return None
            values = None if (picked := plan.pick(fields)) is None else plan.show(picked)
            if values is not None and 0.0 <= created <= LAST_SECOND:
                shown = facts.thread_name(name)
                task = None if task is None else facts.task_name(task)
                text = plan.base["msg"]
                return plan, spoken[1], created, relative, thread, shown, task, text, values, more
        return None

    def _walked(
        self, record: logging.LogRecord, frame: FrameType | None, identity: str
    ) -> SafeRecord:
        """Project the long way, and remember what holds for the next record like this."""
        given = record.__dict__
        attributes = facts.safe_facts(record, loggers=self._loggers) | {"msg": None}
        names = call_site.constants
        constants = frozenset() if frame is None else names(frame.f_code, frame.f_globals)
        unfolded = unfold_message(given)
        Walk(self._allowlist, constants, attributes).attributes(unfolded)
        attributes["msg"], more = self._message(record, frame, attributes)
        if more:
            attributes.update(more)
        if frame is not None and unfolded is given:
            self._remember(record, frame, constants, attributes["msg"])
        exc_info = given.get("exc_info")
        if exc_info is not None and exc_info is not False:
            attributes.update(exception_fields(exc_info, self._trusted))
        attributes["record.id"] = identity
        return SafeRecord(attributes)

    def _remember(
        self,
        record: logging.LogRecord,
        frame: FrameType,
        constants: frozenset[str],
        template: str,
    ) -> None:
        names = built = None
        is_known = self._messages != "any"
        if is_known and templates.recall(record) is None:
            names = templates.names_by_position(record, frame)
            if names is None:
                built = templates.built_by(record, frame, template)
            is_known = names is not None or built is not None
        shown = template if is_known else None
        self._plans.make(frame, record, constants, shown, names, built)

    def _message(
        self, record: logging.LogRecord, frame: FrameType | None, taken: Container[str]
    ) -> tuple[str, dict[str, Any] | None]:
        """Return the template of the record's message, and its arguments as fields."""
        resolved = templates.resolve(record, frame, self._messages)
        if not resolved.arguments:
            return resolved.template, None
        fields: dict[str, Any] = {}
        walk = Walk(self._allowlist, frozenset(), fields)
        walk.arguments(resolved.arguments, taken, exact=resolved.exact)
        return resolved.template, fields

    def _narrowed(self, record: SafeRecord) -> SafeRecord:
        known = record.__dict__
        attributes = {name: value for name, value in known.items() if name in STANDARD_ATTRIBUTES}
        attributes.update(args=None, exc_info=None, exc_text=None, stack_info=None)
        Walk(self._allowlist, ANY_NAME, attributes).again(known)
        attributes["record.id"] = record_id(record)
        return SafeRecord(attributes)


def _names(option: str, given: object, problems: Problems) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        problems.add(option, f"must be a list, not {type(given).__name__}")
        return []
    names = []
    for each in given:
        if isinstance(each, str):
            names.append(each)
        elif isinstance(each, type) and option == "trusted":
            names.append(f"{each.__module__}.{each.__qualname__}")
        else:
            problems.add(option, f"an entry is {type(each).__name__}, not a name")
    return names
