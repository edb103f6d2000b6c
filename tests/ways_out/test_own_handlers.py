"""Whatever fails inside our handlers, and wherever their names and keys come from: no value."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from crmlogging import AsyncHandler, RetentionFileHandler, S3Handler, classify, drain
from crmlogging.handlers.stream import StreamHandler
from tests.ways_out.conftest import SECRET, protect

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")


class Broken(logging.Formatter):
    """Fails, and says with what."""

    def format(self, record: logging.LogRecord) -> str:
        raise ValueError(f"cannot format {SECRET} of {vars(record)!r}")


class BrokenTarget(logging.Handler):
    """A foreign handler that fails, by the stock way: it prints record and traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            raise OSError(f"cannot deliver {SECRET} of {vars(record)!r}")
        except OSError:
            self.handleError(record)


class Raising(logging.Handler):
    """A foreign handler that lets its error out."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(f"cannot deliver {SECRET}")


def use(handler: logging.Handler) -> None:
    """Log a secret in each part, protected and not, through this handler alone."""
    for name in ("crm.protected", "crm.bare"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(handler)
        secret = SECRET
        try:
            raise ValueError(secret)
        except ValueError:
            logger.exception("Failed %s", secret, stack_info=True, extra={"email": secret})
        logger.error("Failed %d and %s", secret)
        logger.removeHandler(handler)
        handler.filters.clear()
    drain(60)
    handler.close()


def _broken(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(Broken())
    return handler


def _stream(path: Path) -> logging.Handler:
    return _broken(StreamHandler(io.StringIO()))


def _closed_stream(path: Path) -> logging.Handler:
    stream = (path / "closed").open("w")
    stream.close()
    return StreamHandler(stream)


def _file(path: Path) -> logging.Handler:
    return _broken(RetentionFileHandler(path / "crm.jsonl"))


def _async_formatter(path: Path) -> logging.Handler:
    return _broken(AsyncHandler(handlers=[logging.StreamHandler(io.StringIO())]))


def _async(target: Callable[[], logging.Handler]) -> Callable[[Path], logging.Handler]:
    return lambda path: AsyncHandler(handlers=[target()], flush_seconds=5)


class TestErrorPaths:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(_stream, id="stream"),
            pytest.param(_closed_stream, id="closed-stream"),
            pytest.param(_file, id="file"),
            pytest.param(_async_formatter, id="async-formatter"),
            pytest.param(
                _async(lambda: _broken(logging.StreamHandler(io.StringIO()))), id="async-stream"
            ),
            pytest.param(_async(BrokenTarget), id="async-stock-error-path"),
            pytest.param(_async(Raising), id="async-raising-target"),
        ],
    )
    def test_show_kind_and_place_only(
        self,
        make: Callable[[Path], logging.Handler],
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A formatter, a target or a stream that fails with the record in its error's text."""
        handler = protect(make(tmp_path))
        use(handler)
        told = capfd.readouterr()
        assert SECRET not in told.out + told.err
        assert "crmlogging: " in told.err or make is _closed_stream
        assert "Traceback" not in told.err

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
    def test_a_full_disk_shows_nothing(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """ENOSPC at each write: told once, without the line that could not be written."""
        with open("/dev/full", "w") as full:
            use(protect(StreamHandler(full)))
            use(protect(AsyncHandler(handlers=[logging.StreamHandler(full)], flush_seconds=5)))
            told = capfd.readouterr().err
            assert "ENOSPC" in told
            assert SECRET not in told
            assert "Failed" not in told
            full.flush = lambda: None  # type: ignore[method-assign]  # nothing of ours is in there


class TestNames:
    def test_keys_metadata_and_spool_hold_no_values(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S3's keys, the objects' metadata and bodies, the spool's names and contents."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setitem(os.environ, name, "test")
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            url = "http://{}:{}".format(*server.get_host_and_port())
            client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
            client.create_bucket(Bucket="logs")
            handler = protect(
                S3Handler("logs", endpoint_url=url, region="us-east-1", spool_dir=tmp_path)
            )
            use(handler)
            keys = [each["Key"] for each in client.list_objects_v2(Bucket="logs")["Contents"]]
            texts = [*keys, *(str(path) for path in tmp_path.rglob("*"))]
            for key in keys:
                found = client.get_object(Bucket="logs", Key=key)
                texts += [str(found["Metadata"]), str(found["ResponseMetadata"]["HTTPHeaders"])]
                texts.append(gzip.decompress(found["Body"].read()).decode())
            texts += [str(p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()]
            client.close()
        finally:
            server.stop()
        assert any("Failed %s" in text for text in texts)
        assert not [text for text in texts if "lovelace" in text]

    def test_file_names_come_from_the_configuration(self, tmp_path: Path) -> None:
        """Whatever is logged, the directory holds the names that the handler's options give."""
        use(protect(RetentionFileHandler(tmp_path / "crm.jsonl")))
        assert {path.name.partition(".")[0].lstrip(".") for path in tmp_path.iterdir()} <= {
            *("crm", ""),
        }
        texts = [path.read_text() for path in tmp_path.iterdir() if path.suffix == ".jsonl"]
        assert "lovelace" not in "".join(texts)


@pytest.fixture
def error() -> Any:
    """An error classified from an answer with a secret in every place of it."""
    return classify(
        status=400,
        headers={"X-Request-Id": SECRET, "Retry-After": SECRET, "Set-Cookie": SECRET},
        body={
            "status": "error",
            "message": f"Property email: {SECRET} was invalid",
            "correlationId": SECRET,
            "category": "VALIDATION_ERROR",
            "errors": [
                {"message": SECRET, "in": SECRET, "code": SECRET, "context": {"x": [SECRET]}}
            ],
        },
        provider="hubspot",
        exception=ValueError(f"no contact {SECRET}"),
        method="POST",
        url=f"https://user:{SECRET}@api.hubapi.com/crm/v3/objects/contacts?email={SECRET}",
    )


class TestCrmError:
    @pytest.mark.parametrize(
        "shown",
        [
            pytest.param(repr, id="repr"),
            pytest.param(str, id="str"),
            pytest.param(dataclasses.asdict, id="asdict"),
            pytest.param(pickle.dumps, id="pickle"),
            pytest.param(lambda error: error.to_problem(), id="problem"),
            pytest.param(lambda error: json.dumps(error.to_problem()), id="problem-json"),
            pytest.param(lambda error: f"{error!r:>1}{error.fields}{error.items}", id="format"),
        ],
    )
    def test_holds_nothing_of_the_answer(self, error: Any, shown: Callable[[Any], object]) -> None:
        """Body, headers, URL and exception leave no text in it, however it is written out."""
        assert error.category == "validation"
        text = repr(shown(error)).lower()
        assert "lovelace" not in text
        assert "leak.example" not in text


class TestReport:
    def test_shows_what_the_archive_holds(self, tmp_path: Path) -> None:
        """The report adds nothing: over a protected archive its output has no value."""
        archive = tmp_path / "crm.jsonl"
        handler = protect(RetentionFileHandler(archive))
        use(handler)
        done = subprocess.run(
            [sys.executable, "-m", "crmlogging", "report", str(tmp_path)],
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "4 failed calls" in done.stdout, done.stderr
        assert "lovelace" not in done.stdout + done.stderr
