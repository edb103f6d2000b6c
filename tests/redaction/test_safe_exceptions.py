"""Promises of `redaction.safe_exceptions`: what went wrong and where, and no value of it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crmlogging.redaction.class_names import class_name
from crmlogging.redaction.safe_exceptions import DYNAMIC_MESSAGE, exception_fields

CANARY = "canary@example.com"


class SyncError(Exception):
    """An error whose text its own class spells out."""

    def __init__(self, contact: str) -> None:
        super().__init__("Contact cannot be synced", contact)


def fields_of(action: Callable[[], object], **options: Any) -> dict[str, Any]:
    try:
        action()
    except BaseException:
        return exception_fields(sys.exc_info(), **options)
    raise AssertionError("nothing was raised")


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


class TestMessages:
    def test_a_template_is_read_from_the_raising_line(self) -> None:
        """The values that were put in stay out."""

        def action() -> None:
            email = CANARY
            raise ValueError(f"bad address {email} given")

        fields = fields_of(action)
        assert fields["error.message"] == "bad address {email} given"
        assert fields["error.type"] == "ValueError"

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            pytest.param('raise ValueError("empty")', "empty", id="word"),
            pytest.param('raise ValueError("no %s" % x)', "no {x}", id="percent"),
            pytest.param('raise ValueError("no {}".format(x))', "no {x}", id="format"),
            pytest.param('raise ValueError(404, f"no {x}")', "no {x}", id="second-argument"),
            pytest.param('e = ValueError(f"no {x}")\n  raise e', "no {x}", id="variable"),
            pytest.param('raise ValueError(f"no {x}") from None', "no {x}", id="from"),
            pytest.param('def g(m): raise ValueError(m)\n  g("no luck")', "no luck", id="helper"),
            pytest.param(
                'def g(m): raise ValueError(m)\n  g("hunter")', DYNAMIC_MESSAGE, id="passed-word"
            ),
            pytest.param("getattr(None, 'canary' + 'word')", DYNAMIC_MESSAGE, id="made-attribute"),
            pytest.param(
                "n = {'Exception': Exception}; exec(f'class E(Exception):\\n"
                "    def __init__(self): super().__init__(\"no {x}\")', n)\n  raise n['E']()",
                DYNAMIC_MESSAGE,
                id="generated-class",
            ),
            pytest.param("raise ValueError(x)", DYNAMIC_MESSAGE, id="value"),
            pytest.param("raise ValueError(str(x) + x)", DYNAMIC_MESSAGE, id="built-of-values"),
            pytest.param("int(x)", DYNAMIC_MESSAGE, id="interpreter"),
            pytest.param("{}[x]", DYNAMIC_MESSAGE, id="key"),
            pytest.param('{}["email"]', "email", id="literal-key"),
            pytest.param("1 / 0", "division by zero", id="known-by-heart"),
            pytest.param("None.json", "'NoneType' object has no attribute 'json'", id="attribute"),
            pytest.param("getattr(None, x)", DYNAMIC_MESSAGE, id="attribute-by-value"),
            pytest.param("nothing", "name 'nothing' is not defined", id="name"),
            pytest.param("open(x)", "[Errno 2] No such file or directory", id="file"),
            pytest.param('assert not x, "no luck"', "no luck", id="assert"),
            pytest.param("raise ValueError", None, id="none"),
            pytest.param("exec(f'raise ValueError(\"no {x}\")')", DYNAMIC_MESSAGE, id="exec"),
            pytest.param("import json; json.loads(x)", DYNAMIC_MESSAGE, id="library"),
        ],
    )
    def test_what_is_said_of_each(
        self, load: Callable[[str], ModuleType], action: str, message: str | None
    ) -> None:
        """Each way to raise gives its template, or says that it was dynamic."""
        module = load(f"def f(x):\n  {action}\n")
        fields = fields_of(lambda: module.f(CANARY))
        assert CANARY not in json.dumps(fields)
        if message == DYNAMIC_MESSAGE and action.startswith("import json"):
            assert "{" not in fields["error.message"] or "doc" not in fields["error.message"]
        else:
            assert fields.get("error.message") == message

    def test_a_class_may_spell_out_its_text(self) -> None:
        """``super().__init__("...")`` is source as well."""
        fields = fields_of(raising(SyncError(CANARY)))
        assert fields["error.message"] == "Contact cannot be synced"

    def test_a_trusted_class_keeps_its_text_scrubbed(self) -> None:
        """The option names the class; the scrubber is still asked."""
        fields = fields_of(raising(ValueError(f"no {CANARY} x")), trusted=("builtins.ValueError",))
        assert fields["error.message"] == "no [EMAIL] x"

    def test_only_that_class_is_trusted(self) -> None:
        """A subclass may carry other texts."""
        fields = fields_of(raising(UnicodeError("x y" + CANARY)), trusted=("ValueError",))
        assert fields["error.message"] == DYNAMIC_MESSAGE

    def test_a_local_subclass_is_not_trusted(self) -> None:
        """It shows its base's name, and is another class all the same."""

        class LocalError(ValueError):
            pass

        fields = fields_of(raising(LocalError("x y" + CANARY)), trusted=("ValueError",))
        assert fields["error.type"] == "ValueError"
        assert fields["error.message"] == DYNAMIC_MESSAGE

    def test_hostile_exceptions_run_no_code(self) -> None:
        """Text, properties and metaclass of an exception are not asked."""

        class Meta(type):
            def __getattribute__(cls, name: str) -> object:
                raise AssertionError(name)

            def __eq__(cls, other: object) -> bool:
                raise AssertionError

            def __hash__(cls) -> int:
                raise AssertionError

        hostile: Any = Meta("Canary", (Exception,), {"__str__": None, "args": None})
        made = BaseException.__new__(hostile, CANARY)
        fields = exception_fields((hostile, made, None))
        assert fields == {
            "error.type": "Exception",
            "error.message": DYNAMIC_MESSAGE,
            "error.stack": [],
        }

    @pytest.mark.parametrize("exc_info", [None, True, (None, None, None), 1, "x", (1, 2, 3)])
    def test_no_exception_gives_no_fields(self, exc_info: object) -> None:
        """``exc_info`` of a forged record may be anything."""
        assert exception_fields(exc_info) == {}


class TestStack:
    def test_frames_name_place_and_function(self) -> None:
        """From the outermost frame to the one that raised; no source, no variables."""

        def inner(secret: str) -> None:
            raise ValueError(secret)

        stack = fields_of(lambda: inner(CANARY))["error.stack"]
        assert [entry.rpartition(" in ")[2] for entry in stack] == [
            "fields_of",
            "<lambda>",
            "inner",
        ]
        assert Path(__file__).name + ":" in stack[0]
        assert str(Path(__file__).parents[3]) not in stack[0]

    def test_the_chain_is_told(self) -> None:
        """Causes and contexts follow with their templates."""

        def action() -> None:
            email = CANARY
            try:
                raise KeyError(email)
            except KeyError:
                try:
                    raise OSError(f"lost {email}") from None
                except OSError as error:
                    raise ValueError("bad") from error

        stack = fields_of(action)["error.stack"]
        assert "caused by OSError: lost {email}" in stack
        assert "KeyError" not in " ".join(stack)

    def test_a_context_is_told_unless_suppressed(self) -> None:
        """What was being handled belongs to the story."""

        def action() -> None:
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ValueError("bad")  # noqa: B904

        assert f"while handling KeyError: {DYNAMIC_MESSAGE}" in fields_of(action)["error.stack"]

    def test_groups_tell_their_members(self) -> None:
        """A task group's failures each have a heading."""

        async def fail(email: str) -> None:
            raise ValueError(f"bad {email}")

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(fail(CANARY))

        fields = fields_of(lambda: asyncio.run(main()))
        assert fields["error.type"] == "ExceptionGroup"
        assert fields["error.message"] == "unhandled errors in a TaskGroup"
        assert fields["error.stack"].count("in group ValueError: bad {email}") == 3
        assert CANARY not in json.dumps(fields)

    def test_notes_stay_out(self) -> None:
        """A note is a rendered text."""
        error = ValueError("bad")
        error.add_note(CANARY)
        assert CANARY not in json.dumps(fields_of(raising(error)))

    def test_a_long_chain_is_bounded(self) -> None:
        """Ten thousand causes cost what sixteen do."""
        error: BaseException = ValueError("first")
        for _ in range(10_000):
            following = ValueError("next one")
            following.__cause__ = error
            error = following
        start = time.perf_counter()
        stack = exception_fields(error)["error.stack"]
        assert time.perf_counter() - start < 20
        assert len(stack) < 40
        assert stack[-1] == "... more exceptions"
        while error.__cause__ is not None:  # freeing such a chain at once would recurse
            error = error.__cause__

    def test_a_cycle_ends(self) -> None:
        """An exception that causes itself is told once."""
        first, second = ValueError("a"), KeyError("b")
        first.__cause__, second.__cause__ = second, first
        assert len(exception_fields(first)["error.stack"]) == 1
        second.__cause__ = None

    def test_a_deep_stack_is_bounded(self) -> None:
        """The first and the last frames of a recursion are shown, the rest counted."""

        def recurse(depth: int) -> None:
            if depth:
                recurse(depth - 1)
            raise ValueError("deep")

        stack = fields_of(lambda: recurse(300))["error.stack"]
        assert len(stack) == 33
        assert stack[8] == f"... {303 - 32} frames"

    def test_a_wide_group_is_bounded(self) -> None:
        """Nested groups of a thousand members keep to a few hundred entries."""
        members = [ValueError(str(number)) for number in range(1_000)]
        group = ExceptionGroup("outer", [ExceptionGroup("inner", members) for _ in range(1_000)])
        assert len(exception_fields(group)["error.stack"]) < 100

    def test_members_of_a_group_are_bounded(self) -> None:
        """Of a wide group the first few stand for all."""
        group = ExceptionGroup("outer", [ValueError(number) for number in range(20)])
        stack = exception_fields(group)["error.stack"]
        assert len([entry for entry in stack if entry.startswith("in group")]) == 8

    def test_only_a_traceback_is_walked(self) -> None:
        """``exc_info`` of a forged record may hold anything in its place."""

        class Hostile:
            def __getattribute__(self, name: str) -> object:
                raise AssertionError(name)

        fields = exception_fields((ValueError, ValueError(), Hostile()))
        assert fields == {"error.type": "ValueError", "error.stack": []}


class TestClassNames:
    def test_a_made_up_class_shows_its_base(self) -> None:
        """A name that no module holds may be any text."""
        made = type(CANARY, (KeyError,), {"__module__": CANARY})
        assert class_name(made) == "KeyError"
        assert class_name(type("Canary", (SyncError,), {})) == f"{__name__}.SyncError"

    def test_a_borrowed_name_shows_its_base(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A class that claims another's name is not that one; a name must be one."""
        borrowed = type("x", (KeyError,), {"__module__": "json", "__qualname__": "JSONDecodeError"})
        assert class_name(borrowed) == "KeyError"
        held = type("canary word", (KeyError,), {"__module__": __name__})
        monkeypatch.setitem(globals(), "canary word", held)
        assert class_name(held) == "KeyError"

    def test_a_class_in_another_keeps_its_full_name(
        self, load: Callable[[str], ModuleType]
    ) -> None:
        """Nested classes are held by their class."""
        module = load("class Client:\n  class Error(Exception): pass\n")
        assert class_name(module.Client.Error) == f"{module.__name__}.Client.Error"

    def test_a_local_class_shows_its_base(self) -> None:
        """``f.<locals>.Error`` cannot be looked up."""

        class LocalError(TimeoutError):
            pass

        assert class_name(LocalError) == "TimeoutError"
