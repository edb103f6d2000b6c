"""A secret in any form in which it may come out: as it is, encoded, escaped, split, reversed.

The text is decoded (percent signs, backslashes, character references) and searched for the
secret; encodings that cannot be told from chance (base64, hexadecimal) are searched for as such.
"""

from __future__ import annotations

import base64
import html
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["SHORTEST_SECRET", "Search", "Trace"]

SHORTEST_SECRET: Final = 4
"""Characters below which a text is found by chance."""
_SHORTEST_ENCODED: Final = 8
_AROUND: Final = 40
_HEX: Final = "[0-9a-fA-F]"
_CODE: Final = rf"u({_HEX}{{4}})|U({_HEX}{{8}})|[xX]({_HEX}{{2}})|([0-7]{{3}})"
_ESCAPE: Final = re.compile(rf"\\+(?:{_CODE})")
_ONE_ESCAPE: Final = re.compile(rf"\\(?:{_CODE}|[\"'/\\])")
_SPACE: Final = re.compile(r"(?:[\s\0\u200b-\u200d\u2060\ufeff]|\\+(?:[nrt]|x00|u0000))+")
_NUMBER: Final = re.compile(r"\+?[\d\s()./-]*", re.ASCII)
_SEPARATORS: Final = re.compile(r"(?<=\d)[\s()./-]+(?=\d)", re.ASCII)
_FEWEST_DIGITS: Final = 7


class Trace(NamedTuple):
    """A secret that came out.

    Attributes:
        position: of the secret among those that were searched for.
        form: ``plain``, ``url-encoded``, ``escaped``, ``html-escaped``, ``split``, ``reversed``,
            ``base64``, ``hex``, ``bytes as numbers``, ``part before @``, and of a phone number
            ``digits``, with other separators.
        excerpt: the text around it, the secret itself replaced by its number.
    """

    position: int
    form: str
    excerpt: str


def _character(match: re.Match[str]) -> str:
    number, octal = match[1] or match[2] or match[3], match[4]
    if not number and not octal:
        return match[0][1:]
    code = int(number, 16) if number else int(octal, 8)
    return chr(code) if code < 0x110000 else match[0]


def _whole(text: str) -> str:
    """JSON writes characters beyond the BMP as two surrogates (RFC 8259 section 7)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(text: str) -> str:
    """Undo backslash escapes, of JSON, ``repr`` and shells, however often they were applied."""
    return re.sub(r"\\+(?=[\"'/\\])", "", _whole(_ESCAPE.sub(_character, text)))


def _unescaped_once(text: str) -> str:
    """Undo them as they were applied, so that a backslash of the text itself stays."""
    return _whole(_ONE_ESCAPE.sub(_character, text))


def _unescaped_twice(text: str) -> str:
    """JSON within JSON."""
    return _unescaped_once(_unescaped_once(text))


def _unescaped_bytes(text: str) -> str:
    return _unescaped(text).encode("latin-1", "replace").decode("utf-8", "replace")


def _unquoted(text: str) -> str:
    return urllib.parse.unquote_plus(text)


def _unquoted_twice(text: str) -> str:
    return urllib.parse.unquote(_unquoted(text))


def _joined(text: str) -> str:
    return _SPACE.sub("", text)


_DECODED: Final[tuple[tuple[str, Callable[[str], str], str], ...]] = (
    ("url-encoded", _unquoted, "%"),
    ("url-encoded", _unquoted_twice, "%"),
    ("escaped", _unescaped, "\\"),
    ("escaped", _unescaped_bytes, "\\"),
    ("escaped", _unescaped_once, "\\"),
    ("escaped", _unescaped_twice, "\\"),
    ("html-escaped", html.unescape, "&"),
)
"""Form, what undoes it, and a character without which there is nothing to undo."""


def _digits(secret: str) -> str:
    """Return the digits of a phone number; ``""`` for any other text."""
    digits = re.sub(r"\D", "", secret, flags=re.ASCII)
    is_number = len(digits) >= _FEWEST_DIGITS and _NUMBER.fullmatch(secret)
    return digits if is_number else ""


def _encoded(secret: str) -> Iterator[tuple[str, str]]:
    """Yield form and text of the encodings of `secret`, in lower case."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield "reversed", secret[::-1].lower()
    yield "part before @", secret.rpartition("@")[0].lower()
    for offset in range(3):
        # The characters at both ends depend on the neighbours: three alignments, ends cut off.
        whole = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        begin = (0, 2, 3)[offset]
        certain = whole[begin : len(whole) - (1 if (offset + len(raw)) % 3 else 0)].lower()
        yield "base64", certain
        yield "base64", certain.replace("+", "-").replace("/", "_")
    for separator in ("", " ", ":", "-"):
        yield "hex", raw.hex(separator) if separator else raw.hex()
    for separator in (", ", ","):
        yield "bytes as numbers", separator.join(map(str, raw))


class Search:
    """Searches texts for secrets.

    Args:
        secrets: what must not come out; numbers count as their decimal text.

    Raises:
        ValueError: there is none, or one is too short to be told from chance.

    Example:
        >>> Search(["ada@example.com"]).traces("GET /?q=ada%40example.com HTTP/1.1")
        [Trace(position=1, form='url-encoded', excerpt='GET /?q=[secret 1] HTTP/1.1')]
    """

    def __init__(self, secrets: Iterable[object]) -> None:
        self.secrets = [_text(each, number) for number, each in enumerate(secrets, 1)]
        if not self.secrets:
            raise ValueError("name at least one secret that must not come out")
        self._needles = [
            (number, form, needle)
            for number, secret in enumerate(self.secrets, 1)
            for form, needle in dict.fromkeys(_encoded(secret))
            if len(needle) >= _SHORTEST_ENCODED
        ]

    def traces(self, text: str) -> list[Trace]:
        """Return each secret that is in `text`, once, in the first form found."""
        found: dict[int, Trace] = {}
        self._plain(text, "plain", found)
        for form, decode, sign in _DECODED:
            if sign in text:
                self._plain(decode(text), form, found)
        lowered = text.lower()
        for number, form, needle in self._needles:
            at = lowered.find(needle)
            if at >= 0 and number not in found:
                found[number] = Trace(number, form, _excerpt(text, at, len(needle), number))
        self._plain(_joined(text), "split", found, _joined)
        self._plain(_SEPARATORS.sub("", text), "digits", found, _digits)
        return [found[number] for number in sorted(found)]

    def _plain(
        self,
        text: str,
        form: str,
        found: dict[int, Trace],
        change: Callable[[str], str] = str,
    ) -> None:
        lowered = text.lower()
        for number, secret in enumerate(self.secrets, 1):
            sought = change(secret).lower()
            at = lowered.find(sought) if number not in found and sought else -1
            if at >= 0:
                found[number] = Trace(number, form, _excerpt(text, at, len(sought), number))

    def named(self, number: int) -> str:
        """Return how a message calls a secret: enough to know which one, not all of it."""
        secret = self.secrets[number - 1]
        return f"secret {number} ({secret[:3]!r}..., {len(secret)} characters)"


def _text(secret: object, number: int) -> str:
    if isinstance(secret, bytes):
        secret = secret.decode("utf-8", "replace")
    text = secret if isinstance(secret, str) else str(secret)
    if secret is None or len(_joined(text)) < SHORTEST_SECRET:
        raise ValueError(
            f"secret {number} has fewer than {SHORTEST_SECRET} characters: "
            "it would be found by chance"
        )
    return text


def _excerpt(text: str, at: int, length: int, number: int) -> str:
    begin, end = max(0, at - _AROUND), at + length + _AROUND
    before = ("..." if begin else "") + text[begin:at]
    after = text[at + length : end] + ("..." if end < len(text) else "")
    shown = f"{before}[secret {number}]{after}"
    return "".join(each if each.isprintable() else "�" for each in shown.replace("\n", " "))
