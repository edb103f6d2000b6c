"""The ways out of crmlogging, and of other libraries, each set up as its documentation says."""

from __future__ import annotations

import gzip
import io
import logging
import logging.handlers
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.leaks import peers

__all__ = ["OURS", "PEERS", "SINKS", "Sink"]

FIELDS: Final[list[Any]] = [
    *("@crm", "campaign.id", "details.step", "duration", "flags[].name"),
    {"campaign.name": "text"},
]
Written = Mapping[str, bytes]


class Sink(NamedTuple):
    """A set-up of logging.

    Attributes:
        open: returns the handler, which writes below a directory.
        close: returns what was written, by the name of the way out.
        lines: of those names, the ones under which each record is a line.
    """

    open: Callable[[Path], logging.Handler]
    close: Callable[[logging.Handler, Path], Written]
    lines: Collection[str] = ()


def _guarded(handler: logging.Handler, *, whole: bool = True) -> logging.Handler:
    """Put our filters and formatter on `handler`."""
    from crmlogging import AllowlistFilter, CorrelationFilter, ErrorFilter, JsonFormatter

    if whole:
        handler.addFilter(CorrelationFilter())
        handler.addFilter(ErrorFilter())
    handler.addFilter(AllowlistFilter(FIELDS))
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    return handler


def _files(directory: Path) -> bytes:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return b"\n".join(
        str(path.relative_to(directory)).encode() + b"\n" + _content(path) for path in files
    )


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def _close_files(name: str, handler: logging.Handler, directory: Path) -> Written:
    handler.flush()
    handler.close()
    return {name: _files(directory)}


def _to_file(name: str, directory: Path) -> logging.Handler:
    return logging.FileHandler(directory / f"{name}.log", encoding="utf-8")


# --- ours ---


def _open_file(directory: Path) -> logging.Handler:
    return _guarded(_to_file("file", directory), whole=False)


def _open_retention(directory: Path) -> logging.Handler:
    from crmlogging import RetentionFileHandler

    return _guarded(RetentionFileHandler(directory / "crm.jsonl"))


def _close_retention(handler: logging.Handler, directory: Path) -> Written:
    written = _close_files("RetentionFileHandler", handler, directory)
    command = [sys.executable, "-m", "crmlogging", "report", str(directory)]
    environment = {**os.environ, "COLUMNS": "400"}
    report = subprocess.run(command, capture_output=True, env=environment, check=True)
    return {**written, "crmlogging report": report.stdout + report.stderr}


def _open_async(directory: Path) -> logging.Handler:
    from crmlogging import AsyncHandler, JsonFormatter

    target = _to_file("async", directory)
    target.setFormatter(JsonFormatter(service="crm-sync"))
    return _guarded(AsyncHandler(handlers=[target]))


def _open_journal(directory: Path) -> logging.Handler:
    from crmlogging import AsyncHandler, JsonFormatter

    target = logging.StreamHandler(io.StringIO())
    target.setFormatter(JsonFormatter(service="crm-sync"))
    options: dict[str, Any] = {"journal": directory}
    return _guarded(AsyncHandler(handlers=[target], **options))


def _open_console(directory: Path) -> logging.Handler:
    from crmlogging.formatters.console import ConsoleFormatter

    handler = _guarded(_to_file("console", directory))
    handler.setFormatter(ConsoleFormatter())
    return handler


class _Broken(logging.Formatter):
    """Fails on every record, with all that it holds in the error's text."""

    def format(self, record: logging.LogRecord) -> str:
        raise ValueError(f"cannot format {vars(record)}")


def _open_broken(directory: Path) -> logging.Handler:
    from crmlogging import RetentionFileHandler

    handler = _guarded(RetentionFileHandler(directory / "crm.jsonl"))
    handler.setFormatter(_Broken())
    return handler


class _BrokenFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise ValueError(f"cannot filter {vars(record)}")


def _open_broken_filter(directory: Path) -> logging.Handler:
    from crmlogging import RetentionFileHandler

    handler = RetentionFileHandler(directory / "crm.jsonl")
    handler.addFilter(_BrokenFilter())
    return handler


def _open_unguarded(directory: Path) -> logging.Handler:
    from crmlogging import RetentionFileHandler

    return RetentionFileHandler(directory / "crm.jsonl")


class _Pickling(logging.handlers.SocketHandler):
    """Writes to a file what would go over the wire."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", None)
        self._path = path

    def send(self, s: Any) -> None:
        with self._path.open("ab") as file:
            file.write(repr(pickle.loads(s[4:])).encode() + b"\n")


def _open_pickling(directory: Path) -> logging.Handler:
    return _guarded(_Pickling(directory / "socket.log"))


def _open_s3(directory: Path) -> logging.Handler:
    from moto.server import ThreadedMotoServer

    from crmlogging import S3Handler

    logging.getLogger("werkzeug").addHandler(logging.NullHandler())  # else it adds its own
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    client = _client(f"http://{host}:{port}")
    client.create_bucket(Bucket="acme-logs")
    handler = S3Handler(
        "acme-logs",
        prefix="crm",
        endpoint_url=f"http://{host}:{port}",
        region="us-east-1",
        spool_dir=str(directory),
        segment_seconds=600,
    )
    handler.__dict__["battery"] = client, server
    return _guarded(handler)


def _client(url: str) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=url, region_name="us-east-1")


def _close_s3(handler: logging.Handler, directory: Path) -> Written:
    client, server = handler.__dict__["battery"]
    spool = _files(directory)
    handler.close()
    objects = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="acme-logs"):
        for each in page.get("Contents", []):
            found = client.get_object(Bucket="acme-logs", Key=each["Key"])
            about = f"{each['Key']} {found['Metadata']} {found['ResponseMetadata']}".encode()
            objects.append(about + b"\n" + gzip.decompress(found["Body"].read()))
    server.stop()
    return {"S3Handler: spool": spool, "S3Handler: objects": b"\n".join(objects)}


def _file_sink(name: str, opened: Callable[[Path], logging.Handler], lines: bool = True) -> Sink:
    return Sink(opened, partial(_close_files, name), (name,) if lines else ())


OURS: Final[dict[str, Sink]] = {
    "file": _file_sink("FileHandler", _open_file),
    "retention": Sink(_open_retention, _close_retention, ("RetentionFileHandler",)),
    "async": _file_sink("AsyncHandler", _open_async),
    "s3": Sink(_open_s3, _close_s3, ("S3Handler: spool", "S3Handler: objects")),
    "console": _file_sink("ConsoleFormatter", _open_console),
    "socket": _file_sink("SocketHandler", _open_pickling),
    "no-filter": _file_sink("RetentionFileHandler without filters", _open_unguarded, lines=False),
    "broken-filter": _file_sink("a filter that fails", _open_broken_filter, lines=False),
    "broken-formatter": _file_sink("a formatter that fails", _open_broken, lines=False),
}


def _has_journal() -> bool:
    from crmlogging import AsyncHandler
    from crmlogging.exceptions import ConfigurationError

    options: dict[str, Any] = {"journal": os.devnull + "/none"}
    try:
        AsyncHandler(handlers=[logging.NullHandler()], levels=False, **options)
    except ConfigurationError as error:
        return "no journal is kept" not in str(error)
    return True


if _has_journal():
    OURS["journal"] = _file_sink("AsyncHandler: journal", _open_journal, lines=False)


def _open_peer(name: str, directory: Path) -> logging.Handler:
    handler = peers.PEERS[name](directory / "peer.log")
    handler.__dict__["may_raise"] = True
    return handler


PEERS: Final[dict[str, Sink]] = {
    name: _file_sink(name, partial(_open_peer, name)) for name in peers.PEERS
}
SINKS: Final[dict[str, Sink]] = {**OURS, **PEERS}
