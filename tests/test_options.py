"""Promises about mistakes in a configuration: told at once, by the name of the option."""

from __future__ import annotations

import inspect
import logging
import math
import queue
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

import crmlogging
from crmlogging import ConfigurationError
from crmlogging.handlers.overflow import Limits


def function() -> float:
    """Stand for something that can be called, as a clock."""
    return 1_795_219_200.0


class Odd:
    """Stand for an object of the application's own."""

    def __repr__(self) -> str:
        return "<odd>"


ODD: Final[Mapping[str, Any]] = {
    "none": None,
    "five": 5,
    "zero": 0,
    "minus": -1,
    "huge": 2**70,
    "half": 0.5,
    "nan": math.nan,
    "infinity": math.inf,
    "true": True,
    "empty": "",
    "word": "x",
    "level": "info",
    "control": "a\0b",
    "no-bytes": b"",
    "bytes": b"x",
    "no-list": [],
    "list": [5],
    "no-dict": {},
    "dict": {5: 5},
    "set": {"a"},
    "object": Odd(),
    "function": function,
    "class": int,
}
ANY: Final = " ".join(ODD)
_PATH: Final = "none word level"
_NAME: Final = "none word level"
_COUNT: Final = "five huge"
_AMOUNT: Final = "five huge half infinity"
_BOOL: Final = "true"
_CALLABLE: Final = "none function class"
_LEVEL: Final = "five zero minus huge"
_MAPPING: Final = "none no-dict dict"
_LISTS: Final = "no-bytes no-list no-dict set"

Row = tuple[Callable[..., Any], Mapping[str, Any], Mapping[str, str]]
TABLE: Final[Mapping[str, Row]] = {
    "CorrelationFilter": (crmlogging.CorrelationFilter, {}, {}),
    "ErrorFilter": (crmlogging.ErrorFilter, {}, {"catalog": "none no-list"}),
    "AllowlistFilter": (
        crmlogging.AllowlistFilter,
        {"fields": ["@crm"]},
        {
            "fields": "set",
            "mask": "none no-dict",
            "unknown": "",
            "messages": "",
            "loggers": _LISTS,
            "trusted": _LISTS,
            "hmac_key": _CALLABLE,
            "seal_to": _PATH,
            "service": _NAME,
        },
    ),
    "GroupingFilter": (
        crmlogging.GroupingFilter,
        {},
        {"first": _COUNT, "window_seconds": "five huge half", "state": _PATH},
    ),
    "ConsoleFormatter": (crmlogging.ConsoleFormatter, {}, {"colour": _BOOL}),
    "JsonFormatter": (
        crmlogging.JsonFormatter,
        {},
        {
            "service": _NAME,
            "environment": _NAME,
            "schema": "none",
            "fmt": "none empty no-list list",
            "style": "",
            "datefmt": "none empty word level control",
            "prefix": "none empty word level control",
            "rename_fields": _MAPPING,
            "static_fields": _MAPPING,
            "defaults": _MAPPING,
        },
    ),
    "AsyncHandler": (
        crmlogging.AsyncHandler,
        {"handlers": [logging.NullHandler()]},
        {
            "handlers": "",
            "respect_handler_level": _BOOL,
            "levels": _BOOL,
            "capacity": _COUNT,
            "capacity_bytes": _COUNT,
            "overflow": "",
            "block_seconds": "five zero half",
            "flush_seconds": "five zero half",
            "journal": _PATH,
            "journal_bytes": _COUNT,
            "heartbeat_seconds": "none five",
        },
    ),
    "RetentionFileHandler": (
        crmlogging.RetentionFileHandler,
        {"filename": "logs/crm.jsonl", "levels": False},
        {
            "filename": "word level",
            "max_bytes": _COUNT,
            "tiers": "none",
            "compress": "none",
            "encrypt_to": "none",
            "fsync": "",
            "mode": "none",
            "group": "none five zero",
            "total_bytes": f"none {_COUNT}",
            "levels": _BOOL,
            "level": _LEVEL,
            "clock": _CALLABLE,
        },
    ),
    "S3Handler": (
        crmlogging.S3Handler,
        {"bucket": "logs", "spool_dir": "spool", "levels": False, "client": function},
        {
            "bucket": "level",
            "prefix": "empty word level",
            "endpoint_url": "none",
            "region": _NAME,
            "spool_dir": _PATH,
            **dict.fromkeys(("spool_bytes", "spool_files", "block_seconds"), _AMOUNT),
            **dict.fromkeys(("segment_bytes", "segment_seconds", "close_seconds"), _AMOUNT),
            "overflow": "",
            "fsync": "",
            "encrypt_to": "none",
            "allow_http": _BOOL,
            "server_side_encryption": "none",
            "kms_key_id": "none",
            "storage_class": _NAME,
            "tags": "none no-dict",
            "expected_owner": _NAME,
            "levels": _BOOL,
            "level": _LEVEL,
            "clock": _CALLABLE,
            "client": _CALLABLE,
        },
    ),
    "configure": (
        crmlogging.configure,
        {"service": "crm-sync", "output": "out.jsonl"},
        {
            "service": "word level",
            "environment": "none empty",
            "output": "set word level",
            "fields": "set",
            "mask": "none no-dict",
            "level": "none level five zero huge",
            "spool_dir": _PATH,
        },
    ),
    "set_level": (crmlogging.set_level, {"spec": "INFO"}, {"spec": "level", "for_": "none"}),
    "drain": (
        crmlogging.drain,
        {},
        {"timeout": "five zero minus huge half infinity"},
    ),
    "sync_run": (
        crmlogging.sync_run,
        {"provider": "hubspot", "resource": "contact"},
        {
            "provider": "word level control",
            "resource": "word level control",
            "state": _PATH,
            "clock": "function class",
            "monotonic": "function class",
        },
    ),
    "correlation": (crmlogging.correlation, {}, {"id": ANY}),
}
"""What is called, with what it needs, and of each option the odd values that it takes."""

PAIRS: Final = [(name, option) for name, (_, _, options) in TABLE.items() for option in options]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class TestOddValues:
    @pytest.mark.parametrize(("name", "option"), PAIRS, ids=map("-".join, PAIRS))
    def test_are_refused_by_the_options_name(self, name: str, option: str) -> None:
        """Never another error, and nothing is taken that would fail later."""
        call, needed, options = TABLE[name]
        taken, unnamed = [], []
        for kind, value in ODD.items():
            try:
                made = call(**{**needed, option: value})
            except ConfigurationError as error:
                unnamed += [str(error)] if option not in str(error) else []
            else:
                taken.append(kind)
                if isinstance(made, logging.Handler):
                    made.close()
        assert unnamed == []
        assert sorted(taken) == sorted(options[option].split())

    @pytest.mark.parametrize("name", TABLE)
    def test_no_option_is_forgotten(self, name: str) -> None:
        """An option that comes new stands in this table, or is left to another's promise."""
        call, _, options = TABLE[name]
        known = {
            each.name
            for each in inspect.signature(call).parameters.values()
            if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        }
        if name == "AsyncHandler":
            known |= set(Limits._fields) - {"queue"}
            known.discard("queue")
        assert known <= options.keys()

    def test_a_queue_is_one(self) -> None:
        """Without targets a queue is written to, so it has to be one."""
        for value in ODD.values():
            with pytest.raises(ConfigurationError, match="queue"):
                crmlogging.AsyncHandler(value)
        crmlogging.AsyncHandler(queue.SimpleQueue()).close()

    def test_unbind_takes_names(self) -> None:
        """Of fields, bound or not."""
        for value in ODD.values():
            if not isinstance(value, str):
                with pytest.raises(ConfigurationError, match="unbind: names"):
                    crmlogging.unbind("crm", value)
        crmlogging.unbind("crm")

    def test_classify_takes_anything(self) -> None:
        """It is asked while something goes wrong already."""
        for value in ODD.values():
            for option in inspect.signature(crmlogging.classify).parameters:
                crmlogging.classify(**{"status": 503, option: value})
