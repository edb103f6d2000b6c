"""Promises of the archive in the bucket: others' tools read it whole, by its partitions."""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import duckdb_extension_httpfs  # type: ignore[import-untyped]  # it holds a file only
import pytest

from crmlogging import JsonFormatter
from tests.handlers.s3_spooling import Make, safe
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")

# The package brings the file; INSTALL would fetch it over the network.
HTTPFS = next(Path(duckdb_extension_httpfs.__path__[0]).rglob("httpfs.duckdb_extension"))
HOUR_14 = 1_795_269_600.0


class TestDuckDB:
    def test_counts_are_what_was_logged(self, server: Server, make_s3: Make) -> None:
        """Over the S3 protocol, all objects of all days and hours, Hive partitions as columns."""
        handler = make_s3(segment_bytes=4_000)
        handler.setFormatter(JsonFormatter())
        logged: Counter[tuple[str, str, str]] = Counter()
        for number in range(300):
            level = logging.DEBUG if number % 3 == 0 else logging.INFO
            when = HOUR_14 + number * 600
            handler.handle(safe(f"record {number}", level, created=when))
            moment = datetime.datetime.fromtimestamp(when, datetime.UTC)
            tier = "debug" if level == logging.DEBUG else "standard"
            logged[tier, f"{moment:%Y-%m-%d}", f"{moment:%H}"] += 1
        assert handler.drain(60)
        with duckdb.connect() as database:
            database.execute(f"LOAD '{HTTPFS}'")
            database.execute(
                "CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', URL_STYLE 'path', "
                f"USE_SSL false, REGION 'us-east-1', ENDPOINT '{urlsplit(server.url).netloc}')"
            )
            rows = database.execute(
                "SELECT tier, CAST(dt AS VARCHAR), CAST(hour AS VARCHAR), count(*) "
                "FROM read_json(?, hive_partitioning = true, hive_types_autocast = false) "
                "GROUP BY ALL",
                [f"s3://{server.bucket}/crm/**/*.jsonl.gz"],
            ).fetchall()
        assert {row[:3]: row[3] for row in rows} == logged
