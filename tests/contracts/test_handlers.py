"""What every handler of ours promises, whichever it is."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging import AsyncHandler, ConfigurationError, RetentionFileHandler, S3Handler
from crmlogging.handlers.stream import StreamHandler

Build = Callable[[Path], logging.Handler]


def blocked(directory: Path) -> Path:
    """Return a path below a file, where nothing can be made."""
    (directory / "file").write_text("")
    return directory / "file" / "below"


FAILING: list[tuple[str, Build]] = [
    ("file", lambda path: RetentionFileHandler(blocked(path) / "crm.jsonl")),
    ("s3", lambda path: S3Handler("logs", spool_dir=blocked(path))),
    ("async", lambda path: AsyncHandler(handlers=[], capacity=-1)),
    ("async-target", lambda path: AsyncHandler(handlers=["nobody"])),
]


class TestFailedConstruction:
    @pytest.mark.parametrize(("name", "build"), FAILING, ids=[name for name, _ in FAILING])
    def test_leaves_nothing_to_trip_over(self, tmp_path: Path, name: str, build: Build) -> None:
        """The error is kept, as a debugger or a test does, and a next configuration works."""
        with pytest.raises(ConfigurationError) as kept:
            build(tmp_path)
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        logging.shutdown([ref for ref in logging._handlerList if ref() is not None])  # type: ignore[attr-defined]  # what runs at exit
        assert kept.value.problems


class TestReserve:
    def test_a_stream_handler_is_one_of_ours(self, tmp_path: Path) -> None:
        """The direct console writes to the descriptor and never raises."""
        path = tmp_path / "out"
        with path.open("w") as stream:
            handler = StreamHandler(stream)
            handler.handle(logging.makeLogRecord({"msg": "hello"}))
            assert path.read_text() == "hello\n"
        handler.handle(logging.makeLogRecord({"msg": "closed"}))
        handler.close()
