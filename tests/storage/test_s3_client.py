"""Promises of the S3 client: what it costs those who log meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from crmlogging.storage import s3_models
from crmlogging.storage.s3_client import new_client


class TestModels:
    def test_are_read_once_for_all_clients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Megabytes of JSON stop every thread, so no later client reads them again."""
        s3_models.load()
        read: list[str] = []
        load_file = s3_models._Files.load_file

        def seen(self: s3_models._Files, path: str) -> object:
            read.append(Path(path).name)
            return load_file(self, path)

        monkeypatch.setattr(s3_models._Files, "load_file", seen)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for _ in range(2):
            assert new_client("http://127.0.0.1:9").meta.service_model.service_name == "s3"
        assert not {"endpoints", "service-2", "endpoint-rule-set-1"} & set(read)
        assert len(read) == len(set(read))

    def test_are_botocores_own(self) -> None:
        """What the fast reader finds, also for other services that credentials may come from."""
        own, theirs = s3_models.loader.__wrapped__(), Loader()
        assert own.load_data("endpoints") == theirs.load_data("endpoints")
        for service in ("s3", "sts", "sso"):
            for kind in ("service-2", "endpoint-rule-set-1"):
                wanted = theirs.load_service_model(service, kind)
                assert own.load_service_model(service, kind) == wanted
        with pytest.raises(UnknownServiceError):
            own.load_service_model("nobody-has-this", "service-2")

    def test_may_lie_elsewhere(self, tmp_path: Path) -> None:
        """``AWS_DATA_PATH`` adds a place, as everywhere with botocore; there they may be plain."""
        model = tmp_path / "own" / "2026-01-01"
        model.mkdir(parents=True)
        (model / "service-2.json").write_text('{"metadata": {}}')
        script = """
from crmlogging.storage import s3_models
print(s3_models.loader().load_service_model("own", "service-2"))
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env={**os.environ, "AWS_DATA_PATH": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == "{'metadata': {}}\n"

    def test_clients_are_independent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """New credentials in the environment are those of the next client."""
        found = []
        for key in ("first", "second"):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            client = new_client("http://127.0.0.1:9")
            found.append(client._request_signer._credentials.access_key)
        assert found == ["first", "second"]
