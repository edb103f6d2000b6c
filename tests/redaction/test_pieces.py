"""Promises of pieces: what a file says of a call is read from the function around it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from crmlogging.redaction import sources

CALL = "see(f'Updated {what}')"
FUNCTIONS = {
    "function": f"def run(what):\n    {CALL}\n",
    "method": f"class Sync:\n    def run(self, what):\n        {CALL}\n\nrun = Sync().run\n",
    "coroutine": (
        f"import asyncio\nasync def go(what):\n    {CALL}\n\n"
        "def run(what):\n    asyncio.run(go(what))\n"
    ),
    "inner": f"def run(what):\n    def inner():\n        {CALL}\n    inner()\n",
    "decorated": (
        "import functools\n@functools.lru_cache(\n    maxsize=None,\n)\n@functools.cache\n"
        f"def run(what):\n    {CALL}\n"
    ),
    "signature": f"def run(\n    what,\n) -> None:\n    {CALL}\n",
    "long-text": f'def run(what):\n    """\nselect 1\nfrom x\n"""\n    {CALL}\n    """\na\n\n"""\n',
    "within-a-call": "def run(what):\n    see(\n        f'Updated {what}',\n    )\n",
    "twice": f"def run(what):\n    pass\n\ndef run(what):\n    {CALL}\n",
    "annotations": (
        "from __future__ import annotations\n"
        f"def run(what):\n    def inner(x: No.such = 1): {CALL}\n    inner()\n"
    ),
    "last-line": f"def run(what): {CALL}",
}
OTHERS = {
    "condition": f"if True:\n    def run(what):\n        {CALL}\n",
    "lambda": f"run = lambda what: {CALL}\n",
    "named-in-a-text": f"def run(what):\n    x = '''\ndef run(what): pass\n'''\n    {CALL}\n",
    "module": f"what = 7\n{CALL}\ndef run(what): pass\n",
    "many-texts": (
        "def run(what):\n    x = '''\n" + "a line\n" * 9 + f"'''\n    {CALL}\n    x = '''\n"
        "" + "a line\n" * 9 + "'''\n"
    ),
}


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[str], sources.Place | None]:
    """Run a program and return the place of its call to ``see``."""
    path = tmp_path / "sync.py"
    around = "def before(): pass\n\n# text\n{}\n\ndef after(): pass\n"

    def run(source: str, later: str | None = None) -> sources.Place | None:
        future, _, rest = source.rpartition("annotations\n")
        text = future + "annotations\n" * bool(future) + around.format(rest)
        frames: list[tuple[CodeType, int, FrameType]] = []

        def see(_: object) -> None:
            frame = sys._getframe(1)
            frames.append((frame.f_code, frame.f_lasti, frame))

        path.write_text(text)
        names: dict[str, Any] = {"see": see, "__name__": "sync"}
        exec(compile(text, str(path), "exec", dont_inherit=True), names)
        if not frames:
            names["run"](7)
        if later is not None:
            path.write_text(text.replace(source, later))
        code, offset, _ = frames[0]
        return sources.call_at(code, offset, names)

    return run


class TestPieces:
    @pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS)
    def test_a_function_is_enough(
        self,
        source: str,
        seen: Callable[[str], sources.Place | None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The file around it, which may be long, is not parsed."""
        monkeypatch.setattr(sources, "_file", lambda *_: None)
        place = seen(source)
        assert place is not None
        assert ast.unparse(place.node) == CALL
        assert not isinstance(place.scope, ast.Module)

    @pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
    def test_else_the_file_is_read(
        self, source: str, seen: Callable[[str], sources.Place | None]
    ) -> None:
        """What stands in no function of its own is found all the same."""
        place = seen(source)
        assert place is not None
        assert ast.unparse(place.node) == CALL
        assert place.parsed.whole

    @pytest.mark.parametrize("later", [FUNCTIONS["function"].replace("what", "that"), ""])
    def test_another_version_is_not_believed(
        self, later: str, seen: Callable[[str, str], sources.Place | None]
    ) -> None:
        """A deploy that swaps the file under the process, for a shorter one too."""
        assert seen("\n" * 9 + FUNCTIONS["function"], later) is None
