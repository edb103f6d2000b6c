"""Places in a logging call, and around it, where a secret hides.

A place logs at least one record that carries the secret outside what is allowed, and gives
``extra``, which holds allowed values only, to each. It may return further texts that must not
come out, such as an encoding of the secret. Literals of these functions may be shown: they are
source.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import multiprocessing
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from tests.leaks.hiding_values import VALUES

__all__ = ["PLACES", "Place"]

Extra = dict[str, Any]
Place = Callable[[logging.Logger, str, Extra], Sequence[str] | None]

PLACES: Final[dict[str, Place]] = {}


def place(function: Place) -> Place:
    """List a hiding place under its function's name."""
    PLACES[function.__name__.replace("_", "-")] = function
    return function


def _each_value(name: str, make: Callable[[str], object]) -> None:
    """Every kind of value, in every argument of a logging call."""

    def in_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "note": make(secret)})

    def beside_allowed(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "details": {"step": 1, "x": make(secret)}})

    def under_allowed(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error("Contact failed", extra={**extra, "campaign.id": make(secret)})

    def in_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
        contact = make(secret)
        log.error("Contact %s of %d failed", contact, 2, extra=extra)

    def in_message(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.error(make(secret), extra=extra)

    def in_exception(log: logging.Logger, secret: str, extra: Extra) -> None:
        try:
            raise ValueError(make(secret))
        except ValueError:
            log.exception("Contact failed", extra=extra)

    for position in (in_extra, beside_allowed, under_allowed, in_argument, in_message):
        PLACES[f"{position.__name__.replace('_', '-')}: {name}"] = position
    PLACES[f"in-exception: {name}"] = in_exception


for _name, _make in VALUES.items():
    _each_value(_name, _make)

# --- names of extra ---


@place
def key_of_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, secret: 1})


@place
def key_below_an_allowed_wildcard(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, "details": {secret: 1}})


@place
def dotted_key_of_extra(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, f"user.{secret}": 1, f"details.{secret}": 1})


@place
def look_alike_keys(log: logging.Logger, secret: str, extra: Extra) -> None:
    keys = ("Campaign.id", "campaign.ID", "campaign.id ", "ｃampaign.id", "сampaign.id")
    log.error("Contact failed", extra={**extra, **dict.fromkeys(keys, secret)})


@place
def reserved_names(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = (
        "timestamp",
        "level",
        "logger",
        "service",
        "environment",
        "host",
        "source",
        "process.id",
    )
    log.error("Contact failed", extra={**extra, **dict.fromkeys(names, secret)})


@place
def fields_of_our_own_stages(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = ("record.id", "schema.version", "error.message", "error.stack", "error.type", "[KEYS]")
    log.error("Contact failed", extra={**extra, **dict.fromkeys(names, secret)})


@place
def allowed_field_that_is_a_token(log: logging.Logger, secret: str, extra: Extra) -> list[str]:
    parts = ('{"alg":"HS256"}', f'{{"sub":"{secret}"}}', "signature-of-it-all")
    jwt = ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts)
    log.error("Contact failed", extra={**extra, "campaign.id": jwt})
    return [jwt]


@place
def audit_flag(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra={**extra, "audit": secret})


# --- messages ---


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
    return [first, second]


@place
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


# --- exceptions ---

_NOBODY: Final[dict[str, str]] = {}


def _log_raised(log: logging.Logger, error: BaseException, extra: Extra) -> None:
    try:
        raise error
    except BaseException:
        log.exception("Contact failed", extra=extra)


@place
def exception_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, ValueError(f"bad contact {secret}"), extra)


@place
def exception_arguments(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, ValueError(404, {"note": secret}, [secret]), extra)


@place
def exception_as_message(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error(ValueError(secret), extra=extra)


@place
def exception_as_argument(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError(secret)
    log.error("Contact failed: %s", error, extra=extra)
    log.error(f"Contact failed: {error}", extra=extra)


@place
def exception_notes(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.add_note(secret)
    _log_raised(log, error, extra)


@place
def exception_attributes(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.response = secret  # type: ignore[attr-defined]
    _log_raised(log, error, extra)


@place
def exception_cause(log: logging.Logger, secret: str, extra: Extra) -> None:
    error = ValueError("bad")
    error.__cause__ = KeyError(secret)
    _log_raised(log, error, extra)


@place
def exception_context(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        _NOBODY[secret]
    except KeyError:
        _log_raised(log, ValueError("bad"), extra)


@place
def suppressed_context(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        try:
            _NOBODY[secret]
        except KeyError:
            raise ValueError("bad") from None
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def exception_group(log: logging.Logger, secret: str, extra: Extra) -> None:
    inner = ExceptionGroup(secret, [ValueError(secret)])
    _log_raised(log, ExceptionGroup("several", [inner, KeyError(secret)]), extra)


@place
def file_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        open(f"/nowhere/{secret}").close()
    except OSError:
        log.exception("Contact failed", extra=extra)


@place
def syntax_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        compile(f"x = {secret} +", f"{secret}.py", "exec")
    except SyntaxError:
        log.exception("Contact failed", extra=extra)


@place
def decode_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        (secret.encode() + b"\xff").decode()
    except UnicodeDecodeError:
        log.exception("Contact failed", extra=extra)


@place
def conversion_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        int(secret)
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def attribute_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        getattr(None, secret)
    except AttributeError:
        log.exception("Contact failed", extra=extra)


@place
def import_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        __import__(secret)
    except ImportError:
        log.exception("Contact failed", extra=extra)


@place
def assertion(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        raise AssertionError(f"{secret} is no contact")
    except AssertionError:
        log.exception("Contact failed", extra=extra)


@place
def exit_with_text(log: logging.Logger, secret: str, extra: Extra) -> None:
    _log_raised(log, SystemExit(secret), extra)


@place
def validation_error(log: logging.Logger, secret: str, extra: Extra) -> None:
    import pydantic

    try:
        pydantic.TypeAdapter(dict[str, int]).validate_python({secret: secret})
    except pydantic.ValidationError:
        log.exception("Contact failed", extra=extra)


@place
def pydantic_model(log: logging.Logger, secret: str, extra: Extra) -> None:
    import pydantic

    model = pydantic.create_model("Model", note=(str, ...))(note=secret)
    log.error("Contact failed", extra={**extra, "note": model, "details": model})


@place
def exception_class_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    made = type(secret, (ValueError,), {"__module__": secret, "__qualname__": secret})
    _log_raised(log, made("bad"), extra)


@place
def function_that_raised(log: logging.Logger, secret: str, extra: Extra) -> None:
    def fails() -> None:
        raise ValueError("bad")

    fails.__code__ = fails.__code__.replace(co_name=secret, co_filename=secret)
    try:
        fails()
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def generated_code_that_raised(log: logging.Logger, secret: str, extra: Extra) -> None:
    try:
        exec(f"raise ValueError('Contact {secret} is bad')")
    except ValueError:
        log.exception("Contact failed", extra=extra)


@place
def local_variables(log: logging.Logger, secret: str, extra: Extra) -> None:
    hidden = [secret]
    try:
        hidden[1]
    except IndexError:
        log.exception("Contact failed", extra=extra, stack_info=True)


@place
def long_chain(log: logging.Logger, secret: str, extra: Extra) -> None:
    error: BaseException = ValueError(secret)
    for _ in range(500):
        following = ValueError(secret)
        following.__cause__ = error
        error = following
    _log_raised(log, error, extra)


# --- facts ---


def _in_thread(name: str, action: Callable[[], None]) -> None:
    worker = threading.Thread(target=action, name=name)
    worker.start()
    worker.join()


@place
def thread_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    _in_thread(secret, lambda: log.error("Contact failed", extra=extra))


@place
def thread_target_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    _in_thread(f"Thread-1 ({secret})", lambda: log.error("Contact failed", extra=extra))


@place
def pool_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix=secret) as pool:
        pool.submit(log.error, "Contact failed", extra=extra).result()


@place
def task_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    async def work() -> None:
        log.error("Contact failed", extra=extra)

    async def main() -> None:
        await asyncio.create_task(work(), name=secret)

    asyncio.run(main())


@place
def process_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    process = multiprocessing.current_process()
    before, process.name = process.name, secret
    try:
        log.error("Contact failed", extra=extra)
    finally:
        process.name = before


@place
def logger_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    for name in (secret, f"tenant.{secret}.sync"):
        child = logging.Logger(name)
        child.parent = log
        child.error("Contact failed", extra=extra)


@place
def level_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    logging.addLevelName(43, secret)
    try:
        log.log(43, "Contact failed", extra=extra)
    finally:
        del logging._levelToName[43], logging._nameToLevel[secret]


@place
def stack_info(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.handle(_record(log, extra, stack_info=f"Stack: {secret}"))


@place
def exception_text_of_a_record(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.handle(
        _record(log, extra, exc_text=secret, exc_info=(ValueError, ValueError(secret), None))
    )


@place
def forged_exception(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.handle(_record(log, extra, exc_info=secret))
    log.handle(_record(log, extra, exc_info=(secret, secret, secret)))


def _record(log: logging.Logger, extra: Extra, **attributes: Any) -> logging.LogRecord:
    facts = {"name": log.name, "levelno": 40, "levelname": "ERROR", "msg": "Contact failed"}
    return logging.makeLogRecord({**facts, **extra, **attributes})


_FACTS: Final = (
    *("name", "levelname", "pathname", "filename", "module", "funcName", "threadName", "taskName"),
    *("processName", "lineno", "thread", "process", "created", "msecs", "message"),
    *("relativeCreated", "asctime", "msg", "args"),
)


def _each_fact(name: str) -> None:
    def forged(log: logging.Logger, secret: str, extra: Extra) -> None:
        log.handle(_record(log, extra, **{name: secret}))

    PLACES[f"forged-fact: {name}"] = forged


for _name in _FACTS:
    _each_fact(_name)


@place
def record_from_another_process(log: logging.Logger, secret: str, extra: Extra) -> None:
    sent = _record(log, extra, msg=f"Contact {secret} failed", args=(secret,), note=secret)
    log.handle(logging.makeLogRecord(pickle.loads(pickle.dumps(vars(sent)))))


@place
def record_class_of_its_own(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Record(logging.LogRecord):
        def getMessage(self) -> str:
            return secret

        def __str__(self) -> str:
            return secret

        __repr__ = __str__

    record = Record(log.name, 40, "x.py", 1, "Contact failed", None, None)
    vars(record).update(extra)
    log.handle(record)


# --- other ways in ---


@contextlib.contextmanager
def _sharing_handlers(name: str, log: logging.Logger) -> Iterator[logging.Logger]:
    """Lend the logger of a library, which writes where `log` does and nowhere else."""
    library = logging.getLogger(name)
    library.addHandler(log.handlers[0])
    library.propagate = False
    try:
        yield library
    finally:
        library.propagate = True
        library.removeHandler(log.handlers[0])


@place
def warning(log: logging.Logger, secret: str, extra: Extra) -> None:
    with warnings.catch_warnings(), _sharing_handlers("py.warnings", log):
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            warnings.warn(f"Contact {secret} is odd", stacklevel=1)
        finally:
            logging.captureWarnings(False)
    log.error("Contact failed", extra=extra)


def _library(name: str, message: str, *arguments: str) -> None:
    def noisy(log: logging.Logger, secret: str, extra: Extra) -> None:
        values = [each.replace("SECRET", secret) for each in arguments]
        with _sharing_handlers(name, log) as library:
            library.error(message, *values, extra=extra)

    PLACES[f"library: {name}"] = noisy


_library(
    "httpx", 'HTTP Request: %s %s "%s %d %s"', "GET", "https://x.example/?k=SECRET", "a", "b", "c"
)
_library("botocore.auth", "CanonicalRequest:\n%s", "x-amz-security-token:SECRET")
_library("uvicorn.access", '%s - "%s %s HTTP/%s" %d', "SECRET", "GET", "/?t=SECRET", "1.1", "200")
_library("django.server", '"%s" %s %s', "GET /?t=SECRET HTTP/1.1", "200", "SECRET")
_library("asyncio", "Executing %s took %.3f seconds", "<Task name='SECRET'>", "1")
_library("celery.app.trace", "Task %(name)s[%(id)s] raised", "SECRET")
