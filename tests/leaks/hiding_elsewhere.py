"""Places on the way from elsewhere: libraries' loggers, other handlers, the scope."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import io
import logging
import logging.handlers
import queue
import urllib.parse
import warnings
from typing import Any

from crmlogging import bind, correlation
from tests.leaks.places import Extra, add, place, shaped, sharing_handlers


@place
def warning(log: logging.Logger, secret: str, extra: Extra) -> None:
    with warnings.catch_warnings(), sharing_handlers("py.warnings", log):
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
        with sharing_handlers(name, log) as library:
            library.error(message, *values, extra=extra)

    add(f"library: {name}", noisy)


_library(
    "httpx", 'HTTP Request: %s %s "%s %d %s"', "GET", "https://x.example/?k=SECRET", "a", "b", "c"
)
_library("botocore.auth", "CanonicalRequest:\n%s", "x-amz-security-token:SECRET")
_library("uvicorn.access", '%s - "%s %s HTTP/%s" %d', "SECRET", "GET", "/?t=SECRET", "1.1", "200")
_library("django.server", '"%s" %s %s', "GET /?t=SECRET HTTP/1.1", "200", "SECRET")
_library("asyncio", "Executing %s took %.3f seconds", "<Task name='SECRET'>", "1")
_library("celery.app.trace", "Task %(name)s[%(id)s] raised", "SECRET")


_library(
    "urllib3.connectionpool",
    '%s://%s:%s "%s %s %s" %s %s',
    *("https", "x.example", "443", "GET", "/contacts/SECRET?k=SECRET", "HTTP/1.1", "200", "SECRET"),
)
_library("uvicorn.error", "Exception in ASGI application: %s", "SECRET")
_library("gunicorn.error", "Error handling request %s", "/contacts?email=SECRET")
_library("django.request", "%s: %s", "Bad Request", "/contacts/SECRET/?t=SECRET")
_library("django.security.DisallowedHost", "Invalid HTTP_HOST header: %r.", "SECRET")
_library("django.db.backends", "(%.3f) %s; args=%s", "0.1", "SELECT 'SECRET'", "('SECRET',)")
_library("sqlalchemy.engine.Engine", "[generated in %.5fs] %r", "0.1", "SECRET")
_library("botocore.endpoint", "Sending http request: %s", "<AWSPreparedRequest SECRET>")
_library("botocore.hooks", "Event %s: calling handler %s", "before-call.s3", "SECRET")
_library("requests_oauthlib.oauth2_session", "Adding token %s to request.", "{'token': 'SECRET'}")
_library("aiohttp.access", '%s %s [%s] "%s" %s', "SECRET", "-", "now", "GET /?e=SECRET", "200")
_library("werkzeug", '%s - - [%s] "%s" %s', "SECRET", "now", "GET /?e=SECRET HTTP/1.1", "200")
_library("kafka.conn", "Received correlation id: %s %s", "1", "SECRET")
_library("paramiko.transport", "userauth is OK %s", "SECRET")
_library("celery.worker.strategy", "Task %(name)s[%(id)s] received", "SECRET")


@place
def gunicorn_access(log: logging.Logger, secret: str, extra: Extra) -> None:
    atoms = {
        "h": secret,
        "l": "-",
        "u": secret,
        "t": "now",
        "r": f"GET /?e={secret} HTTP/1.1",
        "s": "200",
        "b": "7",
        "f": f"https://x.example/?e={secret}",
        "a": secret,
        "m": "GET",
        "U": f"/contacts/{secret}",
        "q": secret,
        "{authorization}i": secret,
    }
    message = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
    with sharing_handlers("gunicorn.access", log) as library:
        library.info(message, atoms, extra=extra)


@place
def celery_task(log: logging.Logger, secret: str, extra: Extra) -> None:
    values = {"id": secret, "name": secret, "args": f"('{secret}',)", "kwargs": secret}
    with sharing_handlers("celery.app.trace", log) as library:
        library.error("Task %(name)s[%(id)s] raised: %(args)s", values, extra=extra)
        library.info("Task %(name)s[%(id)s] succeeded in %(runtime)ss", values, extra=extra)


@place
def real_clients(log: logging.Logger, secret: str, extra: Extra) -> None:
    """What urllib3, requests and httpx log of themselves at DEBUG."""
    import httpx
    import requests
    import urllib3

    url = f"http://127.0.0.1:9/contacts?email={urllib.parse.quote(secret)}"
    with contextlib.ExitStack() as stack:
        for name in ("urllib3", "httpx", "httpcore", "requests"):
            stack.enter_context(sharing_handlers(name, log))
        with contextlib.suppress(requests.RequestException):
            requests.get(url, headers={"X-Note": urllib.parse.quote(secret)}, timeout=1)
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, timeout=1)
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            urllib3.PoolManager(retries=1).request("GET", url, timeout=1)
    log.error("Contact failed", extra=extra)


@place
def event_loop_in_debug_mode(log: logging.Logger, secret: str, extra: Extra) -> None:
    async def fails() -> None:
        raise ValueError(secret)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
        task = asyncio.create_task(fails(), name=secret)
        await asyncio.wait([task])
        del task
        loop.call_exception_handler({"message": secret, "exception": ValueError(secret)})

    with sharing_handlers("asyncio", log):
        asyncio.run(main())
    log.error("Contact failed", extra=extra)


@place
def warnings_of_all_kinds(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Odd(UserWarning):
        def __str__(self) -> str:
            return secret

    with warnings.catch_warnings(), sharing_handlers("py.warnings", log):
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            warnings.warn(Odd(secret), stacklevel=1)
            warnings.warn(f"{secret} is odd", DeprecationWarning, stacklevel=2)
            warnings.warn_explicit(secret, UserWarning, f"{secret}.py", 7, module=secret)
            warnings.showwarning(secret, UserWarning, secret, 7, line=f"x = '{secret}'")
        finally:
            logging.captureWarnings(False)
    log.error("Contact failed", extra=extra)


@place
def root_functions(log: logging.Logger, secret: str, extra: Extra) -> None:
    root = logging.getLogger()
    before, root.handlers[:] = root.handlers[:], log.handlers
    try:
        logging.error(f"Contact {secret} failed", extra=extra)
        logging.error("Contact %s failed", secret, extra=extra)
        logging.warning(secret, extra=extra)
        logging.log(logging.ERROR, secret, extra=extra)
    finally:
        root.handlers[:] = before


# --- handlers before ours ---


@place
def memory_handler(log: logging.Logger, secret: str, extra: Extra) -> None:
    memory = logging.handlers.MemoryHandler(100, flushLevel=60, target=log.handlers[-1])
    kept = log.handlers[:]
    log.handlers[-1] = memory
    try:
        for _ in range(2):
            log.error(f"Contact {secret} failed", extra=extra)
            log.error("Contact %s failed", secret, extra={**extra, "note": secret, secret: 1})
            log.error(secret, extra=extra)
        memory.flush()
    finally:
        log.handlers[:] = kept
        memory.close()


@place
def memory_handler_that_flushes_in_the_call(log: logging.Logger, secret: str, extra: Extra) -> None:
    memory = logging.handlers.MemoryHandler(3, target=log.handlers[-1])
    kept = log.handlers[:]
    log.handlers[-1] = memory
    try:
        for number in range(9):
            text = f"Contact {secret} failed" if number % 2 else secret
            log.warning(text if number % 3 else "Contact failed", extra=extra)
    finally:
        memory.close()
        log.handlers[:] = kept


@place
def queue_before_ours(log: logging.Logger, secret: str, extra: Extra) -> None:
    """The standard library's queue and listener; without our filters before it."""
    channel: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(channel, log.handlers[-1])
    kept = log.handlers[:]
    log.handlers[-1] = logging.handlers.QueueHandler(channel)
    listener.start()
    try:
        log.error(f"Contact {secret} failed", extra=extra)
        log.error("Contact %s failed", secret, extra={**extra, "note": secret})
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("Contact failed", extra=extra)
    finally:
        listener.stop()
        log.handlers[:] = kept


@place
def handler_that_formats_first(log: logging.Logger, secret: str, extra: Extra) -> None:
    """Another handler's formatter leaves its traces on the record."""

    class Formatting(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            text = super().format(record)
            record.__dict__.update(note=secret, message=secret, asctime=secret)
            record.exc_text = f"{secret} {record.exc_text}"
            return text

    first = logging.StreamHandler(io.StringIO())
    first.setFormatter(Formatting("%(message)s"))
    log.handlers.insert(0, first)
    try:
        log.error("Contact %s failed", secret, extra=extra)
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("Contact failed", extra=extra, stack_info=True)
    finally:
        log.handlers.remove(first)


@place
def handler_that_logs(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Logging(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.ERROR:
                log.warning(f"Handling {record.getMessage()}", extra=extra)
                log.warning("Handling %s", record, extra={**extra, "record": record})

    first = Logging()
    log.handlers.insert(0, first)
    try:
        log.error(f"Contact {secret} failed", extra={**extra, "note": secret})
    finally:
        log.handlers.remove(first)


# --- the scope ---


@place
def bound_fields(log: logging.Logger, secret: str, extra: Extra) -> None:
    with correlation("nightly-77", email=secret, **{secret: 1}):
        bind(phone=secret, contact={"note": secret, secret: secret}, **{f"x.{secret}": secret})
        log.error("Contact failed", extra=extra)
        log.error(f"Contact {secret} failed", extra=extra)


@place
def bound_fields_of_reserved_names(log: logging.Logger, secret: str, extra: Extra) -> None:
    names = ("name", "msg", "args", "exc_info", "levelname", "message", "threadName", "timestamp")
    with correlation("nightly-77", **dict.fromkeys(names, secret)):
        log.error("Contact failed", extra=extra)


@shaped
def correlation_id_of_a_header(log: logging.Logger, secret: str, extra: Extra) -> None:
    for inbound in (secret, f"{secret}\r\nX-Note: 1", secret.encode(), f"Bearer {secret}"):
        with correlation(inbound):
            log.error("Contact failed", extra=extra)
    log.error("Contact failed", extra={**extra, "correlation_id": secret})
    log.error("Contact failed", extra={**extra, "correlation_id": f"Bearer {secret}"})


@place
def context_variable(log: logging.Logger, secret: str, extra: Extra) -> None:
    variable = contextvars.ContextVar(secret, default=secret)
    log.error("Contact %s failed", variable, extra={**extra, "context": variable})
    log.error(f"Contact {variable.get()} failed", extra=extra)
