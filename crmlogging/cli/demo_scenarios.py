"""What happens in the demo: which call meets which answer, decided before it starts.

`plan` deals the scenarios of ``demo_bodies.toml`` out over the contacts, equal for equal seeds.
The server answers by the plan and counts; the sync knows nothing of it.
"""

from __future__ import annotations

import itertools
import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from string import Template
from typing import Any, Final

from crmlogging.cli.demo_contacts import Contact

__all__ = [
    "MAXIMUM_CONTACTS",
    "MINIMUM_CONTACTS",
    "Call",
    "Provider",
    "Scenario",
    "plan",
    "providers",
]

MAXIMUM_CONTACTS: Final = 80_000
"""Most contacts that have telephone numbers of their own."""
MINIMUM_CONTACTS: Final = 40
"""Fewest contacts with which every scenario occurs beside some calls that succeed."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An answer that a provider gives; the columns are explained in ``demo_bodies.toml``."""

    name: str
    status: int = 0
    body: str = ""
    category: str = ""
    provider_code: str = ""
    share: int = 0
    burst: bool = False
    failures: int = 0
    batch: int = 1
    refused: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self, values: Mapping[str, str]) -> bytes:
        """Return the body with `values` put in."""
        # safe: "$.data[0]" is a JSON path of Zoho's, not a placeholder.
        return Template(self.body).safe_substitute(values).encode()


@dataclass(frozen=True, slots=True)
class Provider:
    """One CRM of the demo.

    Attributes:
        slug: provider as in the field ``crm``.
        path: route of the call that creates contacts.
        tenant: our account there.
        token: prefix of its access tokens.
        created: the answer of a call that succeeds.
        scenarios: the failures.
    """

    slug: str
    path: str
    tenant: str
    token: str
    created: Scenario
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Contacts sent to a provider in one request, and what it meets.

    Attributes:
        key: idempotency key, by which the server knows the call.
        scenario: the failure, or None.
    """

    key: str
    provider: Provider
    contacts: tuple[Contact, ...]
    scenario: Scenario | None


def providers() -> tuple[Provider, ...]:
    """Return the CRMs of the package's data file."""
    text = resources.files("crmlogging.cli").joinpath("demo_bodies.toml").read_text("utf-8")
    return tuple(_provider(slug, table) for slug, table in tomllib.loads(text).items())


def _provider(slug: str, table: Mapping[str, Any]) -> Provider:
    return Provider(
        slug=slug,
        path=table["path"],
        tenant=table["tenant"],
        token=table["token"],
        created=Scenario("created", **table["created"]),
        scenarios=tuple(Scenario(**row) for row in table["scenarios"]),
    )


def plan(crms: Sequence[Provider], contacts: Sequence[Contact], seed: int) -> list[Call]:
    """Return the calls, in the order in which each provider gets its own.

    Bursts stay together; everything else is mixed.
    """
    rng = random.Random(seed)
    return [
        call
        for index, provider in enumerate(crms)
        for call in _calls(provider, contacts[index :: len(crms)], rng)
    ]


def _calls(provider: Provider, contacts: Sequence[Contact], rng: random.Random) -> Iterable[Call]:
    runs: list[list[Scenario | None]] = []
    succeeding = len(contacts)
    for scenario in provider.scenarios:
        number = max(1, round(len(contacts) * scenario.share / 1_000 / scenario.batch))
        runs += [[scenario] * number] if scenario.burst else [[scenario]] * number
        succeeding -= number * scenario.batch
    runs += [[None]] * succeeding
    rng.shuffle(runs)
    waiting = iter(contacts)
    for number, given in enumerate(itertools.chain.from_iterable(runs)):
        size = 1 if given is None else given.batch
        key = f"{provider.slug}-{number:06d}"
        yield Call(key, provider, tuple(itertools.islice(waiting, size)), given)
