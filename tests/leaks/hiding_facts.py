"""Places in what a record says of itself, and in records that no call of this process made."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import logging.handlers
import multiprocessing
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from tests.leaks.places import Extra, add, place, sharing_handlers


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

    add(f"forged-fact: {name}", forged)


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


# --- more of what a record says of itself ---


def _word(secret: str) -> str:
    return "".join(each for each in secret if each.isalnum())


@place
def names_that_fit(log: logging.Logger, secret: str, extra: Extra) -> None:
    """Each fact in the shape of that fact."""
    word = _word(secret)
    for attributes in (
        {"pathname": f"/srv/{word}/{word}.py", "filename": f"{word}.py", "module": word},
        {"pathname": __file__, "lineno": 1, "funcName": word},
        {"pathname": f"{word}.py", "lineno": 1, "funcName": word},
        {"name": f"crm.{word}", "levelname": word},
        {"threadName": f"Thread-1 ({word})", "taskName": word},
        {"processName": f"Process-1 {word}", "host": word, "hostname": word},
    ):
        log.handle(_record(log, extra, **attributes))


@place
def thread_pool_and_timer(log: logging.Logger, secret: str, extra: Extra) -> None:
    timer = threading.Timer(0, log.error, ["Contact failed"], {"extra": extra})
    timer.name = f"{secret}-1"
    timer.start()
    timer.join()
    threading.current_thread().name, before = f"MainThread {secret}", "MainThread"
    try:
        log.error("Contact failed", extra=extra)
    finally:
        threading.current_thread().name = before


@place
def task_named_like_python_does(log: logging.Logger, secret: str, extra: Extra) -> None:
    async def work() -> None:
        log.error("Contact failed", extra=extra)

    async def main() -> None:
        for name in (f"Task-1 {secret}", f"Task-{secret}", secret):
            await asyncio.create_task(work(), name=name)

    asyncio.run(main())


@place
def name_of_a_child(log: logging.Logger, secret: str, extra: Extra) -> None:
    word = _word(secret)
    for name in (word, f"crm.{word}", f"{word}.sync", f"crm.sync.{secret}", f"crm.{secret}.x"):
        with sharing_handlers(name, log) as child:
            child.error("Contact failed", extra=extra)


@place
def level_with_a_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    before = logging.getLevelName(40)
    logging.addLevelName(40, secret)
    try:
        log.error("Contact failed", extra=extra)
    finally:
        logging.addLevelName(40, before)
        logging._nameToLevel.pop(secret, None)


@place
def stack_with_names(log: logging.Logger, secret: str, extra: Extra) -> None:
    log.error("Contact failed", extra=extra, stack_info=True)
    exec(
        compile(
            "log.error('Contact failed', extra=extra, stack_info=True)",
            f"{secret}.py",
            "exec",
        )
    )


@place
def function_with_a_made_up_name(log: logging.Logger, secret: str, extra: Extra) -> None:
    def report() -> None:
        log.error("Contact failed", extra=extra)

    report.__name__ = report.__qualname__ = secret
    report()
    report.__code__ = report.__code__.replace(co_name=_word(secret))
    report()
    report.__code__ = report.__code__.replace(co_filename=f"/srv/{_word(secret)}.py")
    report()


@place
def record_factory(log: logging.Logger, secret: str, extra: Extra) -> None:
    before = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.__dict__.update({"contact": secret, secret: secret, "funcName": secret})
        odd: Any = {"details": {"x": secret}, 7: secret, b"x": secret}
        record.__dict__.update(odd)
        return record

    logging.setLogRecordFactory(factory)
    try:
        log.error("Contact failed", extra=extra)
        log.error(f"Contact {secret} failed", extra=extra)
    finally:
        logging.setLogRecordFactory(before)


@place
def record_stuffed_by_a_filter(log: logging.Logger, secret: str, extra: Extra) -> None:
    def stuffing(record: logging.LogRecord) -> bool:
        for name in _FACTS:
            if name not in ("msg", "args", "message", "levelno"):
                record.__dict__[name] = secret
        record.__dict__.update(exc_text=secret, stack_info=secret, note=secret)
        return True

    log.addFilter(stuffing)
    try:
        log.error("Contact failed", extra=extra)
    finally:
        log.removeFilter(stuffing)


@place
def record_class_that_answers(log: logging.Logger, secret: str, extra: Extra) -> None:
    class Answering(logging.LogRecord):
        def __getattribute__(self, name: str) -> Any:
            if name in ("msg", "name", "levelname", "threadName", "pathname", "exc_text"):
                return secret
            return super().__getattribute__(name)

        def getMessage(self) -> str:
            return secret

    record = Answering(log.name, 40, "x.py", 1, "Contact failed", (secret,), None)
    vars(record).update(extra)
    log.handle(record)


@place
def record_that_says_it_is_safe(log: logging.Logger, secret: str, extra: Extra) -> None:
    class SafeRecord(logging.LogRecord):
        @property  # type: ignore[misc]  # a lie
        def __class__(self) -> Any:
            from crmlogging.records import SafeRecord

            return SafeRecord

    record = SafeRecord(log.name, 40, "x.py", 1, secret, None, None)
    vars(record).update(extra, note=secret)
    log.handle(record)
    log.error("Contact failed", extra={**extra, "safe": True, "_safe": True, "note": secret})


@place
def record_from_a_socket(log: logging.Logger, secret: str, extra: Extra) -> None:
    """As `logging.handlers.SocketHandler` sends and the cookbook receives it."""
    sent = _record(log, extra, msg="Contact %s failed", args=(secret,), note=secret)
    sent.exc_text = f"Traceback: {secret}"
    packed = logging.handlers.SocketHandler("localhost", None).makePickle(sent)
    log.handle(logging.makeLogRecord(pickle.loads(packed[4:])))
    log.handle(
        logging.makeLogRecord(json.loads(json.dumps({**extra, "levelno": 40, "msg": secret})))
    )


@place
def record_logged_again(log: logging.Logger, secret: str, extra: Extra) -> None:
    made = log.makeRecord(log.name, 40, __file__, 1, f"Contact {secret}", (), None, "f", extra)
    for record in (made, copy.copy(made), logging.makeLogRecord(made.__dict__)):
        log.handle(record)
        log.callHandlers(record)
        record.msg, record.args = "Contact %s failed", (secret,)
        log.handle(record)


@place
def record_formatted_before(log: logging.Logger, secret: str, extra: Extra) -> None:
    record = _record(
        log, extra, msg=f"Contact {secret}", exc_info=(KeyError, KeyError(secret), None)
    )
    logging.Formatter("%(asctime)s %(message)s", defaults={"x": secret}).format(record)
    log.handle(record)
