"""Promises of `redaction.places`: what no file vouches for has neither a place nor a name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from crmlogging.redaction.places import (
    DYNAMIC_FILE,
    NAME,
    function_name,
    is_loaded,
    place_of,
    safe_path,
    source_file,
)

UNSPELLED = "_".join(reversed(["job", "made"]))


def code_of(filename: str, name: str = "canary") -> CodeType:
    """Return the code of a function made from a text."""
    namespace: dict[str, Callable[[], None]] = {}
    exec(compile(f"def {name}(): pass", filename, "exec"), namespace)
    return namespace[name].__code__


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Lend a module loaded from ``job.pyc``, whose source is not there."""
    module = ModuleType("shipped_job")
    module.__file__ = str(tmp_path / "job.pyc")
    monkeypatch.setitem(sys.modules, "shipped_job", module)
    return module


class TestSafePath:
    def test_outlives_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever removes it, while ``sys.path`` names it, costs no record its place."""
        path, gone = tmp_path / "job.py", tmp_path / "gone"
        path.touch()
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        monkeypatch.setattr(sys, "path", ["", str(tmp_path)])
        assert safe_path(str(path)) == "job.py"


class TestSourceFile:
    def test_code_of_a_file_that_is_there(self) -> None:
        """A file vouches for the code that names it."""
        assert source_file(code_of(__file__), {}) == __file__

    def test_bytecode_of_its_own_module(self, shipped: ModuleType) -> None:
        """Without source the module that runs the code has to be that file's."""
        assert source_file(code_of("/build/job.py"), shipped.__dict__) == shipped.__file__

    def test_bytecode_of_another_file(self, shipped: ModuleType) -> None:
        """A text compiled inside a module, under any name, is not that module's file."""
        assert source_file(code_of("/build/canary.py"), shipped.__dict__) is None

    def test_bytecode_outside_its_module(self, shipped: ModuleType) -> None:
        """Bearing the module's name is not being that module."""
        assert source_file(code_of("/build/job.py"), {"__name__": "shipped_job"}) is None
        assert source_file(code_of("/build/job.py"), {}) is None
        assert source_file(code_of("/build/job.py"), {"__name__": 4}) is None

    @pytest.mark.parametrize("filename", ["<canary>", "<string>", "a\0b.py"])
    def test_no_name_in_brackets_is_a_file(
        self, filename: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even where a module says that it was loaded from there."""
        module = ModuleType("claiming")
        module.__file__ = filename
        monkeypatch.setitem(sys.modules, "claiming", module)
        assert (
            source_file(code_of(filename.replace("\0", "0")).replace(co_filename=filename), {})
            is None
        )

    def test_a_module_that_lies_vouches_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that equals everything is no file: only a text is."""

        class Anything(str):
            def __eq__(self, other: object) -> bool:
                return True

            def __hash__(self) -> int:
                return hash("/nowhere/canary.py")

        module = ModuleType("lying")
        module.__file__ = Anything("x")
        monkeypatch.setitem(sys.modules, "lying", module)
        assert not is_loaded("/nowhere/canary.py")


class TestNames:
    def test_a_name_of_the_file(self) -> None:
        """A function of a source file has the name that is spelled there."""
        code = TestNames.test_a_name_of_the_file.__code__
        assert function_name(code, globals()) == "test_a_name_of_the_file"
        assert place_of(code, globals())[1] == "test_a_name_of_the_file"

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param(
                code_of(__file__).replace(co_name=UNSPELLED, co_qualname=UNSPELLED),
                id="spelled nowhere in the file",
            ),
            pytest.param(code_of("<canary>"), id="made from a text"),
            pytest.param(code_of("<string>"), id="typed in"),
            pytest.param(
                code_of("/nowhere/job.py").replace(co_qualname="job"), id="put in place of another"
            ),
            pytest.param(
                code_of("/nowhere/job.py").replace(
                    co_name="ada@example.com", co_qualname="ada@example.com"
                ),
                id="no identifier",
            ),
        ],
    )
    def test_any_other_is_withheld(self, code: CodeType) -> None:
        """Code made from a text may have any name, and name any file as its own."""
        assert function_name(code, globals()) == NAME

    def test_without_a_file_only_what_python_calls_it(self) -> None:
        """``<module>`` and ``<lambda>`` tell nothing; a name might."""
        assert place_of(code_of("<canary>"), {}) == (DYNAMIC_FILE, NAME)
        assert place_of(compile("1", "<canary>", "exec"), {}) == (DYNAMIC_FILE, "<module>")
