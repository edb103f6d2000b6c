"""The demo's logging: the example document as shipped, with this run's places put in."""

from __future__ import annotations

import logging
import logging.config
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Final

from crmlogging.cli.demo_console import RowFormatter
from crmlogging.cli.demo_storage import BUCKET, REGION, ObjectStore
from crmlogging.cli.environment import environment

__all__ = ["configured", "document", "quiet_servers"]

# What a person's shell says about levels would change what the demo shows.
_NO_LEVELS: Final = dict.fromkeys(("CRMLOGGING_LEVEL", "LOG_LEVEL", "CRMLOGGING_ENV_FILE"))
# The servers that live in this process, and the way to them, are no part of the service.
_QUIET: Final = ("werkzeug", "moto", "boto3", "botocore")
_NO_HANDLERS: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "WARNING", "handlers": []},
}


def document(
    folder: Path, store: ObjectStore | None, *, width: int | None, colour: bool
) -> dict[str, Any]:
    """Return ``logging.conf.example`` with the run's file, spool and bucket.

    Args:
        folder: below it, the file and the spool.
        store: where the objects go; None leaves S3 out.
        width: columns of the terminal that stdout is; None where it is none, and gets the
            document's JSON lines.
        colour: use colours there.
    """
    text = resources.files("crmlogging").joinpath("logging.conf.example").read_text("utf-8")
    example = tomllib.loads(text)
    handlers = example["handlers"]
    handlers["file"]["filename"] = str(folder / handlers["file"]["filename"])
    if store is None:
        del handlers["s3"]
        example["root"]["handlers"].remove("s3")
    else:
        handlers["s3"] |= {
            "bucket": BUCKET,
            "prefix": store.prefix,
            "endpoint_url": store.endpoint,
            "region": REGION,
            "spool_dir": str(folder / "spool"),
        }
    if width is not None:
        example["formatters"]["rows"] = {"()": RowFormatter, "width": width, "colour": colour}
        handlers["stdout"]["formatter"] = "rows"
    return example


@contextmanager
def configured(example: Mapping[str, Any]) -> Iterator[None]:
    """Log by the document; at the end its handlers are closed, which delivers the rest."""
    with environment(_NO_LEVELS):
        logging.config.dictConfig(dict(example))
        try:
            yield
        finally:
            logging.config.dictConfig(_NO_HANDLERS)


@contextmanager
def quiet_servers() -> Iterator[None]:
    """Keep the loggers of the demo's own servers from writing, anywhere."""
    loggers = [logging.getLogger(name) for name in _QUIET]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
