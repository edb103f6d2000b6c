"""Promises of the house: imports only go down, modules stay a page, nothing optional is loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import crmlogging

PACKAGE = Path(crmlogging.__file__).parent
FLOORS = {
    "exceptions": 0,
    "version": 0,
    **dict.fromkeys(("fields", "records", "diagnostics", "scrubbing", "ticking", "crypto"), 1),
    **dict.fromkeys(("context", "levels", "formatters", "redaction", "errors", "storage"), 2),
    "straight_calls": 2,
    **dict.fromkeys(
        ("filters", "handlers", "integrations", "logger", "runs", "report", "uncaught"), 3
    ),
    **dict.fromkeys(("linting", "doctor"), 3),
    **dict.fromkeys(("config", "checking"), 4),
    **dict.fromkeys(("cli", "pytest_plugin"), 5),
}
# The front door names everything, lazily, and is imported by nobody.
DOORS = {"__init__", "__main__"}
OPTIONAL = (
    *("boto3", "botocore", "cryptography", "requests", "httpx", "rich", "click", "tenacity"),
    *("moto", "ibis", "duckdb", "prometheus_client", "isal", "pydantic", "numpy"),
)


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.stem != "__main__")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the rooms that a module imports, anywhere in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            names = [f"{base}.{a.name}" for a in node.names] if base == "crmlogging" else [base]
        else:
            continue
        for name in names:
            if name.startswith("crmlogging."):
                yield name.split(".")[1], node.lineno


class TestFloors:
    @pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
    def test_imports_only_go_down(self, path: Path) -> None:
        """A room imports lower floors and itself, nothing beside or above it."""
        room = room_of(path)
        if room in DOORS:
            return
        wrong = [
            f"line {line}: {room} (floor {FLOORS[room]}) imports {other}"
            for other, line in imports_of(path)
            if other != room and not FLOORS[other] < FLOORS[room]
        ]
        assert wrong == []

    def test_a_sideways_import_is_seen(self, tmp_path: Path) -> None:
        """The rule bites: an import in a function's body counts as well."""
        module = tmp_path / "module.py"
        module.write_text("def f():\n    from crmlogging.handlers.s3 import S3Handler\n")
        assert list(imports_of(module)) == [("handlers", 2)]

    def test_handlers_and_filters_do_not_know_each_other(self) -> None:
        """What they share is SafeRecord."""
        for path in modules():
            rooms = {name for name, _ in imports_of(path)}
            if room_of(path) == "handlers":
                assert "filters" not in rooms
            if room_of(path) == "filters":
                assert "handlers" not in rooms

    def test_modules_stay_a_page(self) -> None:
        """No module grows over 300 lines."""
        lengths = {
            str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in modules()
        }
        assert {name: length for name, length in lengths.items() if length > 300} == {}


class TestFrontDoor:
    def test_every_public_name_resolves(self) -> None:
        """`__all__` is sorted, complete, and each name is really there."""
        assert list(crmlogging.__all__) == sorted(crmlogging.__all__)
        assert set(crmlogging.__all__) == {*crmlogging._ROOMS, "__version__"}
        assert all(getattr(crmlogging, name) is not None for name in crmlogging.__all__)

    def test_an_unknown_name_is_an_attribute_error(self) -> None:
        """A typo reads as Python's own error."""
        with pytest.raises(AttributeError, match="no attribute 'AlowlistFilter'"):
            getattr(crmlogging, "AlowlistFilter")  # noqa: B009  # unknown to the type checker

    def test_import_loads_nothing_optional(self) -> None:
        """`import crmlogging`, its filters and formatter load no optional package."""
        program = (
            "import sys, crmlogging\n"
            "crmlogging.AllowlistFilter, crmlogging.CorrelationFilter, crmlogging.ErrorFilter\n"
            "crmlogging.GroupingFilter, crmlogging.JsonFormatter, crmlogging.AsyncHandler\n"
            "crmlogging.RetentionFileHandler, crmlogging.S3Handler, crmlogging.configure\n"
            f"print([name for name in {OPTIONAL!r} if name in sys.modules])"
        )
        assert run_python(program) == "[]"

    def test_import_loads_little(self) -> None:
        """Next to nothing of the standard library, and no ciphers, digests or queues of ours."""
        program = (
            "import sys, logging, pythonjsonlogger, orjson\n"
            "before = set(sys.modules)\n"
            "from crmlogging import AllowlistFilter, CorrelationFilter, ErrorFilter\n"
            "from crmlogging import GroupingFilter, JsonFormatter, RetentionFileHandler\n"
            "late = 'crypto errors storage.compression storage.journal redaction.sealing'.split()\n"
            "late = tuple(f'crmlogging.{each}' for each in late)\n"
            "new = {each for each in set(sys.modules) - before"
            " if each.startswith(late) or not each.startswith('crmlogging')}\n"
            "print(sorted(new - {'_contextvars', 'contextvars', 'errno', 'fcntl', 'math'}))"
        )
        assert run_python(program) == "[]"

    def test_import_has_no_side_effect(self) -> None:
        """No thread, no handler, no level, no file comes from importing."""
        program = (
            "import logging, threading, crmlogging\n"
            "print(threading.active_count(), logging.root.handlers, logging.root.level,"
            " logging.getLoggerClass().__name__)"
        )
        assert run_python(program) == "1 [] 30 Logger"


def run_python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
