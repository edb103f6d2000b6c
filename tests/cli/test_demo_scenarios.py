"""Promises of the demo's plan: every scenario occurs, repeatably, in every size of run."""

from __future__ import annotations

import json
import string
from collections import Counter

import pytest

from crmlogging.cli.demo_contacts import contacts
from crmlogging.cli.demo_scenarios import MINIMUM_CONTACTS, Scenario, plan, providers
from crmlogging.fields import field_named

KNOWN = ("id", "email", "phone", "name", "token", "portal_token", "request_id", "crm_id")
ROWS = [
    pytest.param(row, id=f"{crm.slug}-{row.name}")
    for crm in providers()
    for row in (crm.created, *crm.scenarios)
]


class TestProviders:
    def test_the_four_crms(self) -> None:
        """HubSpot, Salesforce, Zoho and Engagifii, with all kinds of failure between them."""
        crms = providers()
        assert [crm.slug for crm in crms] == ["hubspot", "salesforce", "zoho", "engagifii"]
        categories = {row.category for crm in crms for row in crm.scenarios}
        field = field_named("error.category")
        assert field is not None
        assert categories == set(field.choices) - {"unknown"}

    @pytest.mark.parametrize("row", ROWS)
    def test_bodies_are_json_and_know_their_placeholders(self, row: Scenario) -> None:
        """A body is JSON with everything put in, and names nothing that nobody puts in."""
        names = set(string.Template(row.body).get_identifiers())
        assert names <= set(KNOWN)
        if not row.refused:
            json.loads(row.text(dict.fromkeys(KNOWN, "x")))

    def test_names_are_unique(self) -> None:
        """A provider's scenarios can be told apart, and so can what the operator reads."""
        for crm in providers():
            names = [row.name for row in crm.scenarios]
            assert len(set(names)) == len(names)


class TestPlan:
    @pytest.mark.parametrize("number", [MINIMUM_CONTACTS, 41, 43, 50, 97, 2_000])
    def test_everybody_is_sent_once_and_everything_happens(self, number: int) -> None:
        """Each contact is in one call; each scenario occurs, and successes do too."""
        people = contacts(number, 1)
        calls = plan(providers(), people, 1)
        assert Counter(person.id for call in calls for person in call.contacts) == Counter(
            person.id for person in people
        )
        happening = {(call.provider.slug, call.scenario and call.scenario.name) for call in calls}
        for crm in providers():
            assert {(crm.slug, None), *((crm.slug, row.name) for row in crm.scenarios)} <= happening
        for call in calls:
            assert len(call.contacts) == (call.scenario.batch if call.scenario else 1)

    def test_equal_seeds_give_equal_plans(self) -> None:
        """A run can be repeated; another seed mixes otherwise."""
        people = contacts(200, 1)
        assert plan(providers(), people, 1) == plan(providers(), people, 1)
        assert plan(providers(), people, 1) != plan(providers(), people, 2)

    def test_bursts_come_in_one_piece(self) -> None:
        """An incident hits calls that follow each other."""
        calls = plan(providers(), contacts(2_000, 1), 1)
        for crm in providers():
            own = [call.scenario for call in calls if call.provider == crm]
            for row in crm.scenarios:
                hit = [index for index, each in enumerate(own) if each == row]
                assert not row.burst or hit == list(range(hit[0], hit[0] + len(hit)))
