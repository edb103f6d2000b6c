"""Promises of `S3Handler` about what a server answers, and what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.chaos.s3_proxy import ANSWERS, FaultProxy
from tests.handlers.s3_spooling import Make, safe
from tests.s3_server import Server

pytestmark = pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    """Lend a proxy before the server."""
    address = urlsplit(server.url)
    assert address.hostname is not None
    assert address.port is not None
    proxy = FaultProxy((address.hostname, address.port))
    yield proxy
    proxy.stop()


class TestAnswers:
    @pytest.mark.parametrize("fault", [name for name in ANSWERS if name != "too-large"])
    def test_nothing_is_lost_nor_asked_in_a_hurry(
        self, server: Server, make_s3: Make, proxy: FaultProxy, fault: str
    ) -> None:
        """Counted by its code, tried again slowly, and delivered once the server takes it."""
        proxy.always = fault
        handler = make_s3(endpoint_url=proxy.url)
        handler.handle(safe("waited"))
        status, code = ANSWERS[fault]
        passing = status >= 500
        assert not handler.drain(1.5 if passing else 60)
        while f"upload_failed.{code}" not in handler.stats():  # A slow machine is on its way.
            assert not handler.drain(0.5)
        # After a redirect botocore asks once more by itself.
        assert 1 <= proxy.requests <= (20 if passing else 1 + (fault == "moved"))
        assert (handler.stats()["pending"], server.bodies()) == (1, {})
        proxy.always = None
        assert handler.drain(60)
        assert server.lines() == [b"waited"]

    def test_what_is_never_taken_is_set_aside(
        self, server: Server, make_s3: Make, proxy: FaultProxy
    ) -> None:
        """An object that is too large is told and kept, and holds nobody up."""
        proxy.always = "too-large"
        handler = make_s3(endpoint_url=proxy.url)
        handler.handle(safe("large"))
        handler.drain(60)
        proxy.always = None
        handler.handle(safe("next"))
        handler.drain(60)
        assert server.lines() == [b"next"]
        assert (handler.stats()["rejected"], proxy.requests) == (1, 2)


class TestObjects:
    def test_are_stored_as_asked(self, server: Server, make_s3: Make) -> None:
        """Encrypted by the key that is named, in the class, with the tags."""
        handler = make_s3(
            server_side_encryption="aws:kms",
            kms_key_id="alias/logs",
            storage_class="STANDARD_IA",
            tags={"team": "crm + sales", "tier": "logs"},
        )
        handler.handle(safe())
        assert handler.drain(60)
        (key,) = server.bodies()
        head = server.client.head_object(Bucket=server.bucket, Key=key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/logs")
        assert head["StorageClass"] == "STANDARD_IA"
        tags = server.client.get_object_tagging(Bucket=server.bucket, Key=key)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "crm + sales", "tier": "logs"}

    def test_go_to_their_owner_only(self, make_s3: Make) -> None:
        """The server is told whose bucket it has to be, at each call."""
        handler = make_s3(expected_owner="123456789012")
        seen: list[dict[str, str]] = []
        bucket = handler._uploader._bucket
        bucket.prepare()
        bucket._client.meta.events.register(
            "before-call.s3", lambda params, **_: seen.append(dict(params["headers"]))
        )
        handler.handle(safe())
        assert handler.drain(60)
        assert [head["x-amz-expected-bucket-owner"] for head in seen] == ["123456789012"]
