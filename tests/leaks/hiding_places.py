"""All hiding places: the modules that list them, imported in order."""

from __future__ import annotations

from tests.leaks import (  # noqa: F401  # each lists its places as it is imported
    hiding_arguments,
    hiding_elsewhere,
    hiding_exceptions,
    hiding_facts,
    hiding_messages,
    hiding_responses,
)
from tests.leaks.places import PLACES, HidingPlace

__all__ = ["PLACES", "HidingPlace"]
