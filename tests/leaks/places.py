"""What a hiding place is, and the list of all of them.

A place logs at least one record that carries the secret outside what is allowed, and gives
``extra``, which holds allowed values only, to each. It may return further texts that must not
come out, such as an encoding of the secret. Literals of these functions may be shown: they are
source.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["FORMS", "PLACES", "Extra", "HidingPlace", "Place", "add", "place", "sharing_handlers"]

Extra = dict[str, Any]
Place = Callable[[logging.Logger, str, Extra], Sequence[str] | None]

FORMS: Final = ("address", "word", "phrase", "address")
"""Looks of a secret: an e-mail address, one word that could be an id, words with blanks.

Each place is asked with each of them in turn, the first again at the end: what is remembered of
a call must not let out what comes by the same call later.
"""


class HidingPlace(NamedTuple):
    """One place, and the forms in which a secret there is one.

    Attributes:
        hide: logs.
        forms: of `FORMS`; no ``word`` where an id is allowed.
    """

    hide: Place
    forms: tuple[str, ...] = FORMS


PLACES: Final[dict[str, HidingPlace]] = {}


def add(name: str, function: Place, without: Sequence[str] = ()) -> None:
    """List a hiding place; `without` names forms that its field may show."""
    assert name not in PLACES, name
    forms = tuple(form for form in FORMS if form not in without)
    PLACES[name] = HidingPlace(function, forms)


def place(function: Place) -> Place:
    """List a hiding place under its function's name."""
    add(function.__name__.strip("_").replace("_", "-"), function)
    return function


def shaped(function: Place) -> Place:
    """List one where the secret stands in an allowed field, whose shape a bare word fits."""
    add(function.__name__.strip("_").replace("_", "-"), function, without=("word",))
    return function


@contextlib.contextmanager
def sharing_handlers(name: str, log: logging.Logger) -> Iterator[logging.Logger]:
    """Lend the logger of a library, which writes where `log` does and nowhere else."""
    library = logging.getLogger(name)
    level, propagate = library.level, library.propagate
    for handler in log.handlers:
        library.addHandler(handler)
    library.propagate = False
    library.setLevel(logging.DEBUG)
    try:
        yield library
    finally:
        library.setLevel(level)
        library.propagate = propagate
        for handler in log.handlers:
            library.removeHandler(handler)
