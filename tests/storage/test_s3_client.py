"""Promises of the S3 client: what it costs those who log meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from crmlogging.storage.s3_client import load_models, new_client


class TestModels:
    def test_are_parsed_once_for_all_clients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Megabytes of JSON stop every thread, so no later client reads them again."""
        load_models()
        read: list[str] = []
        load_file = JSONFileLoader.load_file

        def seen(self: JSONFileLoader, path: str) -> object:
            read.append(Path(path).name)
            return load_file(self, path)

        monkeypatch.setattr(JSONFileLoader, "load_file", seen)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for _ in range(2):
            assert new_client("http://127.0.0.1:9").meta.service_model.service_name == "s3"
        assert not {"endpoints", "service-2", "endpoint-rule-set-1"} & set(read)
        assert len(read) == len(set(read))

    def test_clients_are_independent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """New credentials in the environment are those of the next client."""
        found = []
        for key in ("first", "second"):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            client = new_client("http://127.0.0.1:9")
            found.append(client._request_signer._credentials.access_key)
        assert found == ["first", "second"]
