"""Promises of `crmlogging.checking.traces`: a secret is found in any form, and only a secret."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlogging.checking.traces import Search

SECRET = "ada.lovelace@example.com"
RAW = SECRET.encode()
NAME = "Zoë Łukasz 🦊"


def form_in(text: str, secret: str = SECRET) -> str:
    """Return the form in which `secret` is found, ``""`` if it is not."""
    traces = Search([secret]).traces(text)
    return traces[0].form if traces else ""


class TestForms:
    @pytest.mark.parametrize(
        ("text", "form"),
        [
            pytest.param(f"to {SECRET}.", "plain", id="plain"),
            pytest.param(SECRET.upper(), "plain", id="upper-case"),
            pytest.param(urllib.parse.quote(SECRET), "url-encoded", id="url"),
            pytest.param(urllib.parse.quote(urllib.parse.quote(SECRET)), "url-encoded", id="twice"),
            pytest.param("ada%2Elovelace%40example.com", "url-encoded", id="url-dot-too"),
            pytest.param(SECRET.replace("@", "\\u0040"), "escaped", id="json-escape"),
            pytest.param(SECRET.replace("@", "\\x40"), "escaped", id="hex-escape"),
            pytest.param(SECRET.replace("@", "\\100"), "escaped", id="octal-escape"),
            pytest.param(SECRET.replace("@", "\\\\u0040"), "escaped", id="escaped-twice"),
            pytest.param(SECRET.replace("@", "&#64;"), "html-escaped", id="html-number"),
            pytest.param(SECRET.replace("@", "&commat;"), "html-escaped", id="html-name"),
            pytest.param("ada.love\n  lace@example.com", "split", id="wrapped"),
            pytest.param("ada.love\\nlace@example.com", "split", id="wrapped-escaped"),
            pytest.param("ada.love\u200blace@example.com", "split", id="zero-width"),
            pytest.param(repr(SECRET.encode("utf-16-le")), "split", id="utf-16"),
            pytest.param(SECRET[::-1], "reversed", id="reversed"),
            pytest.param(RAW.hex(), "hex", id="hex"),
            pytest.param(RAW.hex(":").upper(), "hex", id="hex-colons"),
            pytest.param(str(list(RAW)), "bytes as numbers", id="list-of-bytes"),
            pytest.param(
                json.dumps(list(RAW), separators=(",", ":")), "bytes as numbers", id="json"
            ),
            pytest.param("user ada.lovelace failed", "part before @", id="local-part"),
        ],
    )
    def test_is_found(self, text: str, form: str) -> None:
        """Each disguise is seen through, and named."""
        assert form_in(text) == form

    @pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
    @pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
    def test_base64_at_any_offset(self, before: str, encode: type[bytes]) -> None:
        """Base64 of a larger text shows the secret in one of three alignments."""
        encoded = bytes(encode(before.encode() + RAW + b"~~?")).decode()
        assert form_in(f"token={encoded}") == "base64"

    @pytest.mark.parametrize("write", [json.dumps, ascii, lambda text: repr(text.encode())])
    def test_characters_beyond_ascii(self, write: type[str]) -> None:
        """Letters and an emoji, as JSON, `ascii` and `repr` of bytes write them."""
        assert form_in(write(NAME), NAME) == "escaped"

    @pytest.mark.parametrize("text", ["15550100", "1-555-0100", "+1 (555) 0100", "1.555.0100"])
    def test_phone_numbers_with_other_separators(self, text: str) -> None:
        """A number is its digits."""
        assert form_in(f"call {text} now", "+1 555 0100") in ("digits", "split")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "nothing",
            "ada@example.org",
            "lovelace@example.com",
            "[EMAIL]",
            "\\",
            "%",
            "&",
            "\\ud83d",
        ],
    )
    def test_nothing_else_is_found(self, text: str) -> None:
        """Neither a similar address nor a broken escape is a leak."""
        assert form_in(text) == ""

    def test_several_secrets_are_told_apart(self) -> None:
        """Each is found once, by its position; the excerpt shows none of them."""
        first, second = Search([SECRET, NAME, 4711_0815]).traces(f"{SECRET} 47110815 {SECRET}")
        assert (first.position, second.position) == (1, 3)
        assert first.excerpt.startswith("[secret 1] 47110815")
        assert second.excerpt.count("[secret 3]") == 1

    def test_the_excerpt_is_harmless(self) -> None:
        """It is short, one line, and cannot steer a terminal."""
        (trace,) = Search([SECRET]).traces("\x1b[31m" + "x" * 500 + f"\n{SECRET}\n" + "y" * 500)
        assert len(trace.excerpt) < 120
        assert trace.excerpt.isprintable()
        assert SECRET not in trace.excerpt

    @settings(max_examples=50)
    @given(st.text(), st.text())
    def test_any_text_around_it(self, before: str, after: str) -> None:
        """The secret is found whatever stands around it, and no text makes the search fail."""
        assert form_in(f"{before}{SECRET}{after}") == "plain"
        Search([SECRET]).traces(before)

    @settings(max_examples=50)
    @given(st.text(min_size=9, max_size=40))
    @example("0000000\\¡")
    @example("100%25 of 41")
    @example("C:\\users\\ada\\x41")
    def test_escapes_of_any_text(self, secret: str) -> None:
        """JSON, percent and character references of any text lead back to it."""
        if len("".join(secret.split())) < 9 or not secret.isprintable():
            return
        as_json = json.dumps(secret)
        quoted = urllib.parse.quote(secret), html.escape(secret)
        for text in (as_json, json.dumps(as_json), ascii(secret), *quoted):
            assert form_in(text, secret)


class TestSecrets:
    @pytest.mark.parametrize(
        "secrets",
        [[], [""], ["abc"], [None], ["    a"], [b"x"], [12], [SECRET, "a"]],
        ids=repr,
    )
    def test_what_would_be_found_by_chance_is_refused(self, secrets: list[object]) -> None:
        """No secret, or one of few characters, says so."""
        with pytest.raises(ValueError, match="secret"):
            Search(secrets)

    def test_a_message_names_a_secret_without_showing_it(self) -> None:
        """Three characters and the length tell which one is meant."""
        assert Search([SECRET]).named(1) == "secret 1 ('ada'..., 24 characters)"
