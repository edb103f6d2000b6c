"""Promises of the rooms: each imports only those before it, and says what is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from crmlogging import errors

HOME: Final = Path(errors.__file__).parent
# The order that the docstring of `crmlogging.errors` tells.
ROOMS: Final = (
    *("model", "text", "catalog", "answers", "raised", "findings", "sentences", "verdicts"),
    "memory",
)
MODULES: Final = sorted(HOME.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(HOME).parts[0].removesuffix(".py")


def imported_by(path: Path) -> Iterator[str]:
    """Yield the rooms of errors that a module imports when it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module.startswith("crmlogging.errors."):
            yield module.split(".")[2]


def told_of(room: Path) -> str:
    return ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""


class TestRooms:
    @pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HOME)))
    def test_imports_go_one_way(self, path: Path) -> None:
        """A room stands on those before it; what is in none stands on all."""
        room = room_of(path)
        below = ROOMS[: ROOMS.index(room) + 1] if room in ROOMS else (*ROOMS, "classify")
        assert sorted(set(imported_by(path)) - {*below}) == []

    @pytest.mark.parametrize("room", ROOMS[1:])
    def test_each_says_what_is_in_it(self, room: str) -> None:
        """The docstring of a room names every module there."""
        names = {path.stem for path in (HOME / room).glob("*.py")} - {"__init__"}
        assert sorted(names - {*told_of(HOME / room).split()}) == []

    def test_the_order_is_told(self) -> None:
        """Who opens the package reads which room stands on which."""
        assert ", ".join(ROOMS) in " ".join((errors.__doc__ or "").split())
