"""Promises of the demo's contacts: made up, repeatable, and all of it can be searched for."""

from __future__ import annotations

import json
import random

import pytest

from crmlogging.cli.demo_checks import check_secrets
from crmlogging.cli.demo_contacts import contacts, secrets_of, token


class TestContacts:
    def test_equal_seeds_give_equal_contacts(self) -> None:
        """A run can be repeated; another seed gives other people."""
        assert contacts(50, 1) == contacts(50, 1)
        assert contacts(50, 1) != contacts(50, 2)

    def test_nobody_real(self) -> None:
        """Addresses are in a reserved domain, numbers in the range reserved for fiction."""
        for person in contacts(500, 3):
            assert person.email.isascii()
            assert person.email.endswith(".example")
            assert " 555 01" in person.phone

    def test_everybody_is_somebody_else(self) -> None:
        """Ids, addresses, numbers and tokens are distinct, also with many contacts."""
        people = contacts(20_000, 1)
        for name in ("id", "email", "phone", "portal_token"):
            assert len({getattr(person, name) for person in people}) == len(people)


class TestSecrets:
    @pytest.mark.parametrize(
        "leak",
        [
            pytest.param("mail {email} end", id="email"),
            pytest.param("EMAIL=%s", id="email-in-capitals"),
            pytest.param('{{"phone": "{phone}"}}', id="phone"),
            pytest.param("{portal_token}", id="token"),
            pytest.param("Dear {given} {family},", id="name"),
        ],
    )
    def test_a_leak_is_found(self, leak: str) -> None:
        """Whatever of a contact is in a file, the search finds it."""
        people = contacts(300, 1)
        person = people[200]
        text = leak.format(**person.as_payload()).replace("%s", person.email.upper())
        contents = ("x" * 10_000 + text + "y" * 10_000).encode()
        assert len(check_secrets([("file", contents)], secrets_of(people))) == 1

    def test_numbers_in_other_spellings(self) -> None:
        """A telephone number is found with and without its country and separators."""
        people = contacts(300, 1)
        _, area, _, line = people[7].phone.split()
        spellings = (f"+1{area}555{line}", f"({area}) 555-{line}", f"{area}-555-{line}")
        for spelling in spellings:
            assert check_secrets([("file", spelling.encode())], secrets_of(people))

    def test_what_is_no_secret_is_not_found(self) -> None:
        """Placeholders, ids and the domains alone are no leak."""
        people = contacts(300, 1)
        line = {"resource.id": people[0].id, "message": "[EMAIL] [PHONE] northlake.example 555"}
        assert check_secrets([("file", json.dumps(line).encode())], secrets_of(people)) == []

    def test_tokens_carry_their_prefix(self) -> None:
        """A token looks like its provider's, and is long."""
        made = token("pat-eu1-", random.Random(1))
        assert made.startswith("pat-eu1-")
        assert len(made) == 32
