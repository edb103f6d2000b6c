"""Places in a message: built at run time, wrapped, changed on its way."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import itertools
import json
import linecache
import logging
import operator
import string
import sys
import tempfile
import textwrap
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from tests.leaks.places import Extra, place, shaped


@place
def f_string(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(f"Contact {secret} failed", extra=extra)


@place
def f_string_with_format(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(f"Contact {secret!r:>80} failed", extra=extra)


@place
def f_string_twice(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(f"{secret}{secret}", extra=extra)


@place
def format_method(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact {} failed".format(secret), extra=extra)  # noqa: UP032  # the place itself


@place
def percent_operator(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact %s failed" % secret, extra=extra)  # noqa: UP031  # the place itself


@place
def concatenation(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact " + secret + " failed", extra=extra)


@place
def join(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(" ".join(["Contact", secret, "failed"]), extra=extra)  # noqa: FLY002  # the place itself


@place
def message_alone(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(secret, extra=extra)


@place
def message_from_a_variable(log: logging.Logger, secret: str, extra: Extra) -> None:
    message = f"Contact {secret} failed"
    log.error(message, extra=extra)


@place
def message_through_a_wrapper(log: logging.Logger, secret: str, extra: Extra) -> None:
    def report(text: str) -> None:
        log.error(text, extra=extra)

    report(f"Contact {secret} failed")
    report("Contact failed: " + secret)


@place
def interned_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(sys.intern(secret), extra=extra)


@place
def generated_code(log: logging.Logger, secret: str, extra: Extra) -> None:
    exec(f"log.error({secret!r}, extra=extra)")
    exec(f"log.error('Contact {secret} failed', extra={{**extra, {secret!r}: 1}})")
    exec(compile(f"log.error('Contact {secret} failed', extra=extra)", secret, "exec"))


@place
def too_many_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", secret, secret, extra=extra)


@place
def too_few_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact %s %s %d failed", secret, extra=extra)


@place
def bad_format(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact %y %(x)s failed %", secret, extra=extra)


@place
def mapping_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact %(contact)s failed", {"contact": secret, "unused": secret}, extra=extra)


@place
def split_over_arguments(log: logging.Logger, secret: str, extra: Extra) -> list[str]:
    first, second = secret[: len(secret) // 2], secret[len(secret) // 2 :]
    log.error("Contact %s%s failed", first, second, extra=extra)
    return [*first.split(), *second.split()]


@shaped
def argument_named_like_an_allowed_field(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801  # named as a caller's object would be
        id = secret

    log.error("Campaign %s failed", campaign.id, extra=extra)
    log.error(f"Campaign {campaign.id} failed", extra=extra)


@place
def unpacked_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    arguments = (secret, 1)
    log.error("Contact %s %s failed", *arguments, extra=extra)


@place
def ambiguous_split(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801
        id = "7"

    log.error(f"Campaign {campaign.id}-{secret}-{campaign.id} failed", extra=extra)


@place
def two_calls_on_a_line(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Got %s", 1, extra=extra), log.error(f"Got {secret}", extra=extra)  # type: ignore[func-returns-value]


@place
def adapter(log: logging.Logger, secret: str, extra: Extra) -> None:
    logging.LoggerAdapter(log, {**extra, "note": secret}).error("Contact failed")


@place
def adapter_that_prefixes(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Prefixing(logging.LoggerAdapter[logging.Logger]):
        def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
            return f"[{secret}] {msg} ({secret})", {**kwargs, "extra": extra}

    Prefixing(log, {}).error("Contact failed")
    Prefixing(log, {}).error(f"Contact {len(extra)} failed")


@place
def filter_that_adds(log: logging.Logger, secret: str, extra: Extra) -> None:
    def adding(record: logging.LogRecord) -> bool:
        record.msg = f"{record.msg} {secret}"
        record.args = (secret,)
        record.note = secret
        return True

    log.addFilter(adding)
    try:
        log.error("Contact failed", extra=extra)
    finally:
        log.removeFilter(adding)


@place
def cached_text_of_another_formatter(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Caching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            record.exc_text = record.message = record.asctime = record.stack_info = secret

    caching = Caching()
    log.handlers.insert(0, caching)
    try:
        log.error("Contact failed", extra=extra)
    finally:
        log.removeHandler(caching)


# --- objects as messages ---


class _Brace:
    """As the logging cookbook has it: formats when somebody asks."""

    def __init__(self, template: str, *arguments: object, **named: object) -> None:
        self.template, self.arguments, self.named = template, arguments, named

    def __str__(self) -> str:
        return self.template.format(*self.arguments, **self.named)

    __repr__ = __str__


class _Lazy:
    """A translation that is looked up late, as gettext_lazy gives it."""

    def __init__(self, function: Callable[[], str]) -> None:
        self._function = function

    def __str__(self) -> str:
        return self._function()

    def __mod__(self, arguments: object) -> str:
        return f"{self._function()} {arguments}"

    def __format__(self, spec: str) -> str:
        return self._function()

    __repr__ = __str__


class _Rendering(str):
    """A str whose every operation shows what it hides."""

    hidden = ""

    def __mod__(self, arguments: object) -> str:
        return self.hidden

    def __str__(self) -> str:
        return self.hidden

    def __format__(self, spec: str) -> str:
        return self.hidden

    __repr__ = __str__


def _rendering(text: str, secret: str) -> _Rendering:
    rendering = _Rendering(text)
    rendering.hidden = secret
    return rendering


@place
def brace_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(_Brace("Contact {} failed at {step}", secret, step=secret), extra=extra)


@place
def lazy_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(_Lazy(lambda: f"Contact {secret} failed"), extra=extra)
    log.error(_Lazy(lambda: "Contact failed"), secret, extra=extra)


@place
def lazy_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact %s failed", _Lazy(lambda: secret), extra=extra)
    log.error(f"Contact {_Lazy(lambda: secret)} failed", extra=extra)


@place
def rendering_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(_rendering("Contact failed", secret), extra=extra)
    log.error(_rendering("Contact %s failed", secret), 1, extra=extra)
    log.error("Contact %s failed", _rendering("x", secret), extra=extra)


@place
def template_string(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(string.Template("Contact $contact failed"), extra=extra)
    log.error(string.Template("Contact $contact failed").substitute(contact=secret), extra=extra)
    log.error(string.Template(f"Contact {secret}"), extra=extra)


@place
def dictionary_as_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error({"event": "Contact failed", "note": secret, secret: 1}, extra=extra)


@place
def list_as_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(["Contact failed", secret], extra=extra)
    log.error(("Contact failed", secret), extra=extra)


@place
def bytes_as_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(b"Contact %b failed" % secret.encode(), extra=extra)
    log.error("Contact %s failed", secret.encode(), extra=extra)


# --- texts made by other means ---


@place
def text_methods(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact NAME failed".replace("NAME", secret), extra=extra)
    log.error("Contact {name} failed".format_map({"name": secret}), extra=extra)
    log.error(secret.upper(), extra=extra)
    log.error(f"Contact {secret}"[:60], extra=extra)
    log.error(f"Contact {secret}".strip(), extra=extra)
    log.error(textwrap.dedent(f"  Contact {secret}"), extra=extra)
    log.error(str.format("Contact {}", secret), extra=extra)
    log.error(str.__add__("Contact ", secret), extra=extra)
    log.error(operator.mod("Contact %s", secret), extra=extra)
    log.error(json.dumps({"contact": secret}), extra=extra)
    log.error(repr({"contact": secret}), extra=extra)
    log.error(secret + secret, extra=extra)
    log.error(secret * 3, extra=extra)
    log.error(base64.b64encode(secret.encode()).decode(), extra=extra)


@place
def augmented_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    message = "Contact failed"
    message += ": " + secret
    log.error(message, extra=extra)


@place
def text_put_together_in_a_loop(log: logging.Logger, secret: str, extra: Extra) -> None:
    message = "Contacts failed:"
    for each in (secret, secret):
        message = f"{message} {each}"
    log.error(message, extra=extra)


@place
def f_string_kinds(log: logging.Logger, secret: str, extra: Extra) -> None:
    width = 60
    log.error(f"{secret=}", extra=extra)
    log.error(f"Contact {secret = !s} failed", extra=extra)
    log.error(f"Contact {secret!a} failed", extra=extra)
    log.error(f"Contact {secret:>{width}} failed", extra=extra)
    log.error(f"Contact {f'{secret}'} failed", extra=extra)
    log.error(f"Contact {'<' + secret + '>'} failed", extra=extra)
    log.error(f"Contact {[secret, {secret: secret}]} failed", extra=extra)
    log.error(f"Contact {secret.upper()} {secret[2:]} failed", extra=extra)
    log.error(f"Contact {secret if width else None} {{}} failed", extra=extra)
    log.error(
        f"Contact {secret} "
        f"{len(extra)} of "
        "many failed",
        extra=extra,
    )  # fmt: skip


@place
def ternary(log: logging.Logger, secret: str, extra: Extra) -> None:
    for bad in (True, False):
        log.error(f"Contact {secret} failed" if bad else f"Deal {secret} failed", extra=extra)
        log.error(secret if bad else "Contact failed", extra=extra)
        log.error((bad and secret) or "Contact failed", extra=extra)


@place
def walrus(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(message := f"Contact {secret} failed", extra=extra)
    log.error(message, extra=extra)


@place
def message_that_looks_like_a_template(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(f"{secret} %s {{x}} %(y)s", 1, extra=extra)
    log.error(f"100% of {secret}", extra=extra)
    log.error("%s" % secret + " %s", 1, extra=extra)  # noqa: UP031  # the place itself
    log.error("Contact %(" + secret + ")s failed", {secret: 1}, extra=extra)


@place
def values_that_look_like_literals(log: logging.Logger, secret: str, extra: Extra) -> None:
    source, target = f"7 to {secret}", f"{secret} to 8"
    log.error(f"Moved {source} to {target}", extra=extra)
    log.error("Moved {} to {}".format(source, target), extra=extra)  # noqa: UP032  # the place itself


@shaped
def split_beside_an_allowed_value(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801
        id = "7"

    log.error(f"{campaign.id}{secret}", extra=extra)
    log.error(f"{secret}{campaign.id}", extra=extra)
    log.error(f"Campaign {campaign.id}: {secret}", extra=extra)
    log.error(f"Campaign {secret}: {campaign.id}", extra=extra)
    log.error(f"Campaign {secret!s:.6} {campaign.id}", extra=extra)


@place
def behind_a_width_or_a_nested_field(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801
        id = 9

    log.error("Moved {:>{}} to {}".format("a", campaign.id, secret), extra=extra)
    log.error("Moved {.real} to {}".format(campaign.id, secret), extra=extra)  # noqa: UP032  # the place itself
    campaign.id = "news"  # type: ignore[assignment]  # the text before has an end like it
    log.error("Moved %*s %s" % (9, campaign.id, secret), extra=extra)  # noqa: UP031  # the place itself


@place
def in_place_of_an_allowed_entry(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801
        id = "7"

    more, key = {"id": secret}, "id"
    log.error("Moved %(id)s" % {"id": campaign.id, **more}, extra=extra)  # noqa: UP031  # the place itself
    log.error("Moved %(id)s" % {"id": campaign.id, key: secret}, extra=extra)  # noqa: UP031  # the place itself


# --- calls in other shapes ---


@place
def call_with_unpacked_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(*("Contact %s failed", secret), extra=extra)
    log.error(*(f"Contact {secret} failed",), extra=extra)
    log.error(msg=f"Contact {secret} failed", extra=extra)
    log.log(*(logging.ERROR, f"Contact {secret} failed"), extra=extra)


@place
def call_by_keyword(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(msg=f"Contact {secret} failed", extra=extra)
    log.log(level=logging.ERROR, msg=secret, extra=extra)
    log._log(logging.ERROR, f"Contact {secret} failed", (secret,), extra=extra)


@place
def call_of_log(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.log(logging.ERROR, "Contact %s failed", secret, extra=extra)
    log.log(logging.ERROR, f"Contact {secret} failed", extra=extra)
    log.log(35, secret, extra=extra)


@place
def call_by_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    getattr(log, "error")(f"Contact {secret} failed", extra=extra)  # noqa: B009  # the place itself
    operator.methodcaller("error", secret, extra=extra)(log)
    type(log).error(log, f"Contact {secret} failed", extra=extra)


@place
def partial_call(log: logging.Logger, secret: str, extra: Extra) -> None:
    functools.partial(log.error, extra=extra)(f"Contact {secret} failed")
    functools.partial(log.error, "Contact %s failed", secret, extra=extra)()
    functools.partial(log.error, secret, extra=extra)()
    functools.partial(log.log, logging.ERROR)("Contact %s failed", secret, extra=extra)


@place
def mapped_call(log: logging.Logger, secret: str, extra: Extra) -> None:
    bound = functools.partial(log.error, extra=extra)
    list(map(bound, [secret, f"Contact {secret} failed"]))
    [bound(each) for each in (secret, "Contact failed")]
    any(bound(f"Contact {each} failed") for each in (secret,))
    max([1, 2], key=lambda _: bound(f"Contact {secret} failed") or 0)


@place
def call_from_a_thread(log: logging.Logger, secret: str, extra: Extra) -> None:
    for text in (secret, f"Contact {secret} failed"):
        worker = threading.Thread(target=log.error, args=(text,), kwargs={"extra": extra})
        worker.start()
        worker.join()


@place
def call_from_an_event_loop(log: logging.Logger, secret: str, extra: Extra) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(functools.partial(log.error, f"Contact {secret} failed", extra=extra))
        await asyncio.to_thread(log.error, secret, extra=extra)
        log.error(f"Contact {secret} failed", extra=extra)

    asyncio.run(main())


@place
def call_at_the_end_of_a_block(log: logging.Logger, secret: str, extra: Extra) -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(log.error, f"Contact {secret} failed", extra=extra)
        stack.callback(log.error, secret, extra=extra)


@place
def call_from_a_finalizer(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Contact:
        def __del__(self) -> None:
            log.error(f"Contact {secret} is gone", extra=extra)

    contact = Contact()
    weakref.finalize(contact, log.error, secret, extra=extra)
    del contact


@place
def call_in_a_sort_key(log: logging.Logger, secret: str, extra: Extra) -> None:
    def key(each: str) -> str:
        log.error("Comparing " + each, extra=extra)
        return each

    sorted([secret, "b"], key=key)


@place
def decorated_call(log: logging.Logger, secret: str, extra: Extra) -> None:
    def logged(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def inner(*args: object, **kwargs: object) -> object:
            log.error(f"Calling {function.__name__} with {args} {kwargs}", extra=extra)
            log.error("Calling %s with %r %r", function, args, kwargs, extra=extra)
            return function(*args, **kwargs)

        return inner

    @logged
    def create(contact: str, note: str = "") -> None:
        return None

    create(secret, note=secret)


@place
def wrapped_in_a_class(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Reporter:
        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda text, *args: log.log(logging.ERROR, text, *args, extra=extra)

        def tell(self, text: str, *args: object) -> None:
            log.error(text, *args, extra=extra, stacklevel=2)

    Reporter().error("Contact " + secret)
    Reporter().error("Contact %s", secret)
    Reporter().tell(f"Contact {secret}")
    Reporter().tell("Contact {}".format(secret))  # noqa: UP032  # the place itself
    Reporter().tell(secret, secret)


@place
def stack_levels(log: logging.Logger, secret: str, extra: Extra) -> None:
    for level in (1, 2, 3, 50):
        log.error(f"Contact {secret} failed", extra=extra, stacklevel=level)
        log.error(secret, extra=extra, stacklevel=level)


@place
def closure_default_and_attribute(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Contact:
        note = secret

    def by_default(text: str = f"Contact {secret} failed") -> None:
        log.error(text, extra=extra)

    by_default()
    (lambda: log.error(secret, extra=extra))()
    log.error(Contact.note, extra=extra)
    log.error({"text": f"Contact {secret}"}["text"], extra=extra)
    log.error(f"Contact {Contact.note} {Contact().note}", extra=extra)


# --- code that no file holds, or another file than it says ---


@place
def code_that_names_a_real_file(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = {"log": log, "extra": extra}
    for text in (f"Contact {secret} failed", secret):
        exec(compile(f"log.error({text!r}, extra=extra)", __file__, "exec"), names)
        exec(compile(f"log.error({text!r}, extra=extra)", json.__file__, "exec"), globals(), names)


@place
def keys_in_code_that_names_a_real_file(log: logging.Logger, secret: str, extra: Extra) -> None:
    text = f"log.error('Contact failed', extra={{**extra, {secret!r}: 1}})"
    exec(compile(text, __file__, "exec"), {"log": log, "extra": extra})


_numbers: Final = itertools.count()


@place
def code_whose_text_is_cached(log: logging.Logger, secret: str, extra: Extra) -> None:
    text = f"log.error('Contact {secret} failed', extra={{**extra, {secret!r}: 1}})\n"
    number = next(_numbers)
    for name in (f"<made by a generator {number}>", f"/nowhere/made{number}.py", "<string>"):
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        try:
            exec(compile(text, name, "exec"), {"log": log, "extra": extra})
        finally:
            del linecache.cache[name]


@place
def code_of_a_loader_of_its_own(log: logging.Logger, secret: str, extra: Extra) -> None:
    text = f"log.error('Contact {secret} failed', extra={{**extra, {secret!r}: 1}})\n"
    file = f"/nowhere/loaded{next(_numbers)}.py"
    for loader in (SimpleNamespace(get_source=lambda _: text), None):
        made = ModuleType("crm_made")
        made.__dict__.update(log=log, extra=extra, __file__=file if loader is None else None)
        made.__dict__["__loader__"] = loader
        sys.modules["crm_made"] = made
        try:
            exec(compile(text, file, "exec"), made.__dict__)
        finally:
            del sys.modules["crm_made"]


@place
def code_in_a_file_that_is_no_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for content in (b"", b"\xff\xfe\0", "Grüße {{ name }}".encode("latin-1")):
            file = Path(directory) / f"page{next(_numbers)}.html"
            file.write_bytes(content)
            text = f"log.error('Contact {secret} failed', extra={{**extra, {secret!r}: 1}})"
            exec(compile(text, str(file), "exec"), {"log": log, "extra": extra})


@place
def expression_of_a_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    eval(f"log.error('Contact {secret} failed', extra=extra)")
    eval(compile(f"log.error({secret!r}, extra=extra)", "<expression>", "eval"))


@place
def function_of_a_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    names: dict[str, Any] = {}
    exec(f"def report(log, extra, x): log.error('Contact {secret} %s', x, extra=extra)", names)
    names["report"](log, extra, secret)
    exec(f"def report(log, extra): log.error(f'Contact {secret} {{extra}}', extra=extra)", names)
    names["report"](log, extra)


# --- what stands between the call and the handler ---


@place
def adapter_in_an_adapter(log: logging.Logger, secret: str, extra: Extra) -> None:
    inner = logging.LoggerAdapter(log, {**extra, "note": secret})
    outer = logging.LoggerAdapter(inner, {**extra, secret: secret})
    outer.error(f"Contact {secret} failed")
    outer.error("Contact %s failed", secret)
    outer.log(logging.ERROR, secret)


@place
def adapter_with_context(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Adapter(logging.LoggerAdapter[logging.Logger]):
        def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
            return f"{msg} contact={secret} ", {"extra": {**extra, **kwargs.get("extra", {})}}

    Adapter(log, {}).error("Contact failed", extra={"note": secret})
    Adapter(log, {}).error("Contact %s failed", 7)
    Adapter(log, {}).exception(f"Contact {secret}")


@place
def logger_that_adds(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Adding(logging.Logger):
        def _log(self, level: int, msg: Any, args: Any, *more: Any, **kwargs: Any) -> None:
            super()._log(level, f"{msg} by {secret}", args, *more, **kwargs)

        def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
            record = super().makeRecord(*args, **kwargs)
            record.__dict__.update({"note": secret, secret: secret})
            return record

    adding = Adding("crm.battery")
    adding.parent = log
    adding.error("Contact failed", extra=extra)
    adding.error(f"Contact {len(extra)} failed", extra=extra)
    adding.error("Contact %s failed", 7, extra=extra)


@shaped
def filter_that_appends_to_a_value(log: logging.Logger, secret: str, extra: Extra) -> None:
    class campaign:  # noqa: N801
        id = "7"

    def appending(record: logging.LogRecord) -> bool:
        record.msg = f"{record.msg}{secret}"
        return True

    with _filtering(log, appending):
        log.error(f"Campaign {campaign.id}", extra=extra)


@place
def filter_that_replaces(log: logging.Logger, secret: str, extra: Extra) -> None:
    def replacing(record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage() + secret, None
        return True

    with _filtering(log, replacing):
        log.error("Contact failed", extra=extra)
        log.error("Contact %s failed", secret, extra=extra)
        log.error(f"Contact {secret} failed", extra=extra)


@place
def filter_that_makes_an_object(log: logging.Logger, secret: str, extra: Extra) -> None:
    def replacing(record: logging.LogRecord) -> bool:
        record.msg = _Brace("Contact {}", secret)
        record.args = {"x": secret}
        record.exc_info = (ValueError, ValueError(secret), None)
        return True

    with _filtering(log, replacing):
        log.error("Contact failed", extra=extra)


@contextlib.contextmanager
def _filtering(
    log: logging.Logger, function: Callable[[logging.LogRecord], bool]
) -> Iterator[None]:
    log.addFilter(function)
    try:
        yield
    finally:
        log.removeFilter(function)


@place
def structlog_event(log: logging.Logger, secret: str, extra: Extra) -> None:
    import structlog

    for final in (
        structlog.processors.KeyValueRenderer(),
        structlog.stdlib.render_to_log_kwargs,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ):
        bound = structlog.wrap_logger(log, processors=[final])
        if final is structlog.stdlib.render_to_log_kwargs:
            bound.error("Contact failed", contact=secret, **{secret: 1}, **extra)
        else:
            bound.error("Contact failed", contact=secret, extra=extra, **{secret: 1})
        bound.bind(contact=secret).error(f"Contact {secret} failed", extra=extra)
    log.error("Contact failed", extra=extra)
