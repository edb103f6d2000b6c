"""The texts the scrubber is judged by: secrets it must find, ordinary texts it must leave.

Both were written before the scrubber was tuned to them. ``{class:n}`` in a line stands for n
characters out of a regular expression's class: no file holds anything like a real credential,
and each seed tries other ones.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["KNOWN_MISSES", "Secret", "benign_texts", "secret_texts", "token_texts"]

_HERE: Final = Path(__file__).parent
_DRAWN: Final = re.compile(r"\{([^{}:\s]{1,40}):(\d{1,3})\}")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|n|t|\\)")
_DRAWS: Final = 4
_AROUND: Final = ("%s", "before, %s", "%s after", 'x ("%s") y', "{'v': '%s'}")
_AROUND_TOKEN: Final = (*_AROUND, "key %s was rejected", "a,%s,b", "/p/%s/x", "v=%s.")

KNOWN_MISSES: Final = frozenset({"hunter22 -h db"})
"""Secrets of the corpus that the scrubber does not find; docs/security.md says why."""


class Secret(NamedTuple):
    """A text, the placeholder it has to show, and what must not be left of it."""

    placeholder: str
    text: str
    hidden: tuple[str, ...]


def secret_texts() -> Iterator[Secret]:
    """Yield each line of ``secret_texts.txt``, alone and with other text around it."""
    for line in _lines("secret_texts.txt"):
        placeholder, marked = line.split("\t", 1)
        marked = _unescaped(marked)
        hidden = tuple(re.findall(r"«(.*?)»", marked, re.DOTALL))
        text = marked.replace("«", "").replace("»", "")
        # A quote around would end a value that has quotes itself.
        for around in _AROUND if not {'"', "'"} & set(text) else _AROUND[:3]:
            yield Secret(placeholder, around.replace("%s", text), hidden)


def token_texts(seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield vendor, text and token for each line of ``token_forms.txt``."""
    chance = random.Random(seed)
    for line in _lines("token_forms.txt"):
        name, form = line.split("\t")
        for around in _AROUND_TOKEN:
            token = _drawn(form, chance)
            yield name, around.replace("%s", token), token


def benign_texts(seed: int) -> Iterator[str]:
    """Yield each line of ``benign_texts.txt``, alone and with other text around it."""
    chance = random.Random(seed)
    for line in _lines("benign_texts.txt"):
        for _ in range(_DRAWS if _DRAWN.search(line) else 1):
            text = _drawn(_unescaped(line), chance)
            yield from (text, f"before, {text}", f"{text} after")


def _lines(name: str) -> list[str]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


@functools.cache
def _alphabet(spec: str) -> list[str]:
    return [letter for letter in map(chr, range(33, 127)) if re.fullmatch(f"[{spec}]", letter)]


def _drawn(form: str, chance: random.Random) -> str:
    return _DRAWN.sub(lambda m: "".join(chance.choices(_alphabet(m[1]), k=int(m[2]))), form)


def _unescaped(text: str) -> str:
    def letter(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "u" else {"n": "\n", "t": "\t"}.get(code, code)

    return _ESCAPE.sub(letter, text)
