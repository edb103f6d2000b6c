"""Promises of `redaction.call_site`: the caller is found, and only its own constants count."""

from __future__ import annotations

import dis
import functools
import gc
import importlib.util
import logging
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType, ModuleType

import pytest

from crmlogging.redaction import call_site
from crmlogging.redaction.call_site import Span


def code_of(source: str) -> CodeType:
    return compile(source, "sync.py", "exec")


class TestCallingFrame:
    def test_no_logging_between_is_the_caller_itself(self) -> None:
        """Asked directly, the asking function is the caller."""
        assert call_site.calling_frame() is sys._getframe()

    def test_stacklevel_changes_nothing(self) -> None:
        """``stacklevel`` says which line to show, not who made the call."""
        seen: list[FrameType | None] = []

        class Seeing(logging.Filter):
            def filter(self, record: logging.LogRecord) -> bool:
                seen.append(call_site.calling_frame())
                return False

        logger = logging.getLogger("crm.levels")
        logger.addFilter(Seeing())
        logger.error("x", stacklevel=4)
        logging.LoggerAdapter(logger, {}).error("x")
        assert seen == [sys._getframe(), sys._getframe()]

    def test_the_dispatch_is_found_again_and_again(self) -> None:
        """Also after a look along the frames beyond it: who stands between is no caller."""
        seen: list[FrameType | None] = []

        class Asking(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                list(call_site.outer_frames(sys._getframe(), 9))
                seen.append(call_site.calling_frame())
                return True

        class Own(logging.Logger):
            def handle(self, record: logging.LogRecord) -> None:
                super().handle(record)

        logger = Own("crm.sync")
        logger.addHandler(Asking())
        for _ in range(3):
            logger.error("x")
        assert seen == [sys._getframe()] * 3

    def test_a_name_like_ours_is_a_caller(self, load: Callable[[str], ModuleType]) -> None:
        """``crmlogging_plugin`` and ``logging_setup`` of a user are code like any other."""
        module = load("__name__ = 'logging.custom'\ndef f(call): return call()")
        frame = module.f(call_site.calling_frame)
        assert frame.f_code is module.f.__code__


class TestFronts:
    @pytest.mark.parametrize(
        ("file", "is_caller"), [("__init__.py", False), ("structlog.py", True)]
    )
    def test_only_the_package_stands_before_logging(
        self, file: str, is_caller: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it calls is called by its caller; a program's own module of that name calls."""
        (tmp_path / file).write_text("def call(function):\n return function()\n")
        spec = importlib.util.spec_from_file_location("structlog", tmp_path / file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "structlog", module)
        spec.loader.exec_module(module)
        found: list[FrameType] = []

        class Handler(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                frame = call_site.calling_frame()
                assert frame is not None
                found.append(frame)
                return True

        logger = logging.Logger("crm.fronts")
        logger.addHandler(Handler())
        module.call(functools.partial(logger.error, "x"))
        assert (found[0].f_code is module.call.__code__) is is_caller
        assert call_site.is_front(module.call.__code__) is not is_caller
        assert is_caller or found == [sys._getframe()]


class TestOuterFrames:
    def test_as_many_as_asked_for(self) -> None:
        """A wrapper of a wrapper counts, the whole program does not."""

        def deep(levels: int) -> list[FrameType]:
            if levels:
                return deep(levels - 1)
            return list(call_site.outer_frames(sys._getframe(), 3))

        assert [frame.f_code.co_name for frame in deep(9)] == ["deep"] * 3


class TestConstants:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Callable[[str], CodeType]:
        """Compile a text as the file that it is in."""

        def compiled(source: str) -> CodeType:
            path = tmp_path / "sync.py"
            path.write_text(source)
            return compile(source, str(path), "exec")

        return compiled

    def test_keys_of_a_display_and_keywords_count(self, file: Callable[[str], CodeType]) -> None:
        """Both are spelled out in the code, wherever the compiler keeps them."""
        code = file("log('m', extra={'a': x, 'b': {'c': 1, 'd': y}})")
        assert {"m", "a", "b", "c", "d"} <= call_site.constants(code, {})

    def test_inner_functions_do_not_count(self, file: Callable[[str], CodeType]) -> None:
        """Their constants are those of another code object."""
        assert "inner" not in call_site.constants(file("def f(): return 'inner'"), {})

    def test_what_is_remembered_is_kept_alive(self) -> None:
        """The id of a code object that is gone may be another's the next moment."""
        code = code_of("log('m', extra={'a': x})")
        alive = weakref.ref(code)
        call_site.constants(code, {})
        call_site._is_passed(code)
        del code
        gc.collect()
        assert alive() is not None

    @pytest.mark.parametrize("name", ["<string>", "no_such_file.py"])
    def test_generated_code_has_none(self, name: str) -> None:
        """``exec`` of a text with data in it does not make the data a constant."""
        code = compile("log({'canary': 1})", name, "exec")
        assert call_site.constants(code, {"__name__": "sync"}) == frozenset()


class TestLiteralsInCall:
    def test_beyond_256_constants(self) -> None:
        """The argument of an instruction is a byte; larger ones are put together of several."""
        others = "\n".join(f"v = 'w{number}'" for number in range(400))
        code = code_of(f"{others}\nlog('w390', 'w3', 'last')")
        calls = [each.offset for each in dis.get_instructions(code) if each.opname == "CALL"]
        assert call_site.literals_in_call(code, calls[-1]) == ("w390", "w3", "last")

    def test_only_those_between_the_parentheses(self) -> None:
        """Constants of other calls on the same line stay out."""
        found: list[tuple[str, ...]] = []

        def call(*_: object) -> str:
            frame = sys._getframe(1)
            found.append(call_site.literals_in_call(frame.f_code, frame.f_lasti))
            return ""

        assert (call("a"), call("b", {"k": 1}), "c") == ("", "", "c")
        assert found == [("a",), ("b", "k")]

    def test_unknown_place_has_none(self) -> None:
        """An offset past the code is no call."""
        code = code_of("f('a')")
        assert call_site.literals_in_call(code, 10_000) == ()


class TestSpan:
    def test_holds(self) -> None:
        """A span holds itself and what lies within, over lines."""
        outer = Span(1, 4, 3, 2)
        assert outer.holds(outer)
        assert outer.holds(Span(2, 0, 2, 90))
        assert not outer.holds(Span(1, 3, 2, 0))
        assert not outer.holds(Span(2, 0, 3, 3))
