"""Promises of the demo's CRMs: they answer by the plan, and their count is their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from crmlogging.cli.demo_contacts import contacts
from crmlogging.cli.demo_scenarios import Call, plan, providers
from crmlogging.cli.demo_server import CrmServer

CALLS = plan(providers(), contacts(60, 1), 1)


@pytest.fixture
def crms() -> Iterator[CrmServer]:
    """Lend running CRMs."""
    with CrmServer(CALLS, seed=1) as server:
        yield server


def the_call(crm: str, name: str | None) -> Call:
    return next(
        call
        for call in CALLS
        if call.provider.slug == crm and (call.scenario.name if call.scenario else None) == name
    )


def send(crms: CrmServer, call: Call) -> requests.Response:
    headers = {"Idempotency-Key": call.key}
    return requests.post(crms.url(call), json={}, headers=headers, timeout=60)


class TestCrmServer:
    def test_a_success(self, crms: CrmServer) -> None:
        """A call without a scenario creates the contact."""
        assert send(crms, the_call("hubspot", None)).status_code == 201
        assert (crms.successes, crms.failures.total()) == (1, 0)

    def test_a_failure_for_good(self, crms: CrmServer) -> None:
        """It fails however often it is sent, and each answer counts."""
        call = the_call("hubspot", "expired token")
        for _ in range(3):
            answer = send(crms, call)
            assert answer.status_code == 401
            assert answer.json()["category"] == "EXPIRED_AUTHENTICATION"
        assert crms.failures == {("hubspot", "auth", "EXPIRED_AUTHENTICATION"): 3}

    def test_a_failure_that_passes(self, crms: CrmServer) -> None:
        """After the planned failures the same call succeeds; the delay stands in the header."""
        call = the_call("zoho", "too many requests")
        answers = [send(crms, call) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 429, 201]
        assert answers[0].headers["Retry-After"] == "2"
        assert crms.failures == {("zoho", "transient", "TOO_MANY_REQUESTS"): 2}

    def test_bodies_repeat_what_must_not_be_logged(self, crms: CrmServer) -> None:
        """The answers are as dangerous as real ones."""
        call = the_call("engagifii", "several fields")
        assert call.contacts[0].email in send(crms, call).text
        expired = send(crms, the_call("hubspot", "expired token"))
        assert crms.tokens["hubspot"] in expired.text

    def test_an_outage_refuses_the_connection(self, crms: CrmServer) -> None:
        """A CRM that is down does not listen."""
        with pytest.raises(requests.ConnectionError, match="refused"):
            send(crms, the_call("engagifii", "connection refused"))

    def test_a_call_of_no_plan(self, crms: CrmServer) -> None:
        """What nobody planned is told apart."""
        url = crms.url(the_call("hubspot", None))
        assert requests.post(url, json={}, timeout=60).status_code == 404
        assert crms.unexpected == 1

    def test_connections_are_reused(self, crms: CrmServer) -> None:
        """Two calls of one session go over one connection."""
        with requests.Session() as session:
            call = the_call("hubspot", None)
            for _ in range(3):
                session.post(crms.url(call), headers={"Idempotency-Key": call.key}, timeout=60)
            (pool,) = session.get_adapter("http://").poolmanager.pools._container.values()  # type: ignore[attr-defined]
            assert (pool.num_connections, pool.num_requests) == (1, 3)
