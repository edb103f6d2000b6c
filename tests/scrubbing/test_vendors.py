"""Promises of the vendors' tables: each row is found, and what only looks like one is not."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from crmlogging.scrubbing.tokens import _INNER_MARK, has_token
from crmlogging.scrubbing.vendors import LETTERED, SIGNED, lettered_pattern, signed_pattern

FORMS = (Path(__file__).parent / "token_forms.txt").read_text(encoding="utf-8")
# Prefixes of a family of which the corpus shows another member.
RELATED = """
    sk_prod_ rk_test_ rk_prod_ pk_live_ pk_test_ glrtr- glffct- xoxe- xoxo- xoxs- shptka_ sq0idp-
    dp.ct. dp.sa. dp.scim. dp.audit. sk-admin- lsv2_ sk-or- dckr_oat_ slk_ sqp_ sqa_ NRJS- NRRA-
    FLWSECK- hvr. sntrya_ tfe_ vercel_ pscale_oauth_ duffel_test_ shippo_test_ rzp_test_ fm1_ fm2_
    fm1r_ fm2r_ access_token$ hooks.slack.com/workflows/ access-sandbox- access-development-
    mob- api- AIDA AGPA EZTK
""".split()


class TestTables:
    @pytest.mark.parametrize("prefix", [each.removeprefix("|") for each in (*SIGNED, *LETTERED)])
    def test_every_row_is_in_the_corpus(self, prefix: str) -> None:
        """A row that no text tries is a row that may be wrong."""
        assert prefix in FORMS or prefix in RELATED

    @pytest.mark.parametrize("prefix", RELATED)
    def test_relatives_are_found_too(self, prefix: str) -> None:
        """So is each prefix that the corpus does not show."""
        tail = {
            **dict.fromkeys(("mob-", "api-"), "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"),
            **dict.fromkeys(
                ("access-sandbox-", "access-development-"), "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
            ),
        }.get(prefix, "A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4")
        assert has_token(f"{prefix}{tail}")
        assert not has_token(prefix)
        assert not has_token(f"{prefix} {tail}")


class TestSignedPattern:
    TABLE: ClassVar = {"ab_": "[0-9]{3}", "yz_": "[0-9]{3}", "|c-d_": "[0-9]{2}", "e-": "[0-9]"}

    @pytest.mark.parametrize(
        ("text", "prefix", "found"),
        [
            ("x ab_123 y", "ab_", "_123"),
            ("xab_123", "ab_", "_123"),
            ("yz_123", "yz_", "_123"),
            ("c-d_45", "c-d_", "_45"),
            (".c-d_45", "c-d_", "_45"),
            ("e-6", "e-", "-6"),
            ("e-e-6", "e-", "-6"),
            ("\nab_123", "ab_", "_123"),
        ],
    )
    def test_finds_by_the_last_sign(self, text: str, prefix: str, found: str) -> None:
        """The match begins at the sign, its group holds the prefix."""
        match = signed_pattern(self.TABLE).search(text)
        assert match is not None
        assert (match[match.lastindex or 0], match[0]) == (prefix, found)

    @pytest.mark.parametrize(
        "text", ["ab-123", "ab_12", "b_123", "xc-d_45", "1c-d_45", "c_d_45", "_45", "-6", "f-6", ""]
    )
    def test_leaves_the_rest(self, text: str) -> None:
        """Another sign, a shorter tail, or a letter before what must stand alone."""
        assert signed_pattern(self.TABLE).search(text) is None


class TestLetteredPattern:
    TABLE: ClassVar = {"AB": "[0-9]{3}", "A/": "[0-9]", "C": "[0-9]{2}"}

    @pytest.mark.parametrize("text", ["AB123", "x AB123", "_AB123", "A/1", "C12", "é.C12"])
    def test_finds_a_word(self, text: str) -> None:
        """At the start of a word."""
        assert lettered_pattern(self.TABLE).search(text)

    @pytest.mark.parametrize("text", ["xAB123", "1AB123", "AB12", "ABC12", "A1", "AXB123", "B123"])
    def test_leaves_the_rest(self, text: str) -> None:
        """Inside a word, with a shorter tail, or without the prefix."""
        assert lettered_pattern(self.TABLE).search(text) is None


class TestHexadecimal:
    def test_no_credential_is_known_by_hexadecimal_digits_and_hyphens_alone(self) -> None:
        """Ids of requests are made of those; `has_token` looks no further."""
        plain = set("0123456789abcdef-")
        for prefix in (*SIGNED, *LETTERED):
            assert set(prefix.removeprefix("|")) - plain, prefix
        for mark in (":AA", "-us1", "Q~", ".atlasv1", "AZDO", "AgE", "_eyJ", "KEY-1"):
            assert _INNER_MARK.search(mark)
            assert set(mark) - plain, mark
        assert len(_INNER_MARK.pattern.split("|")) == 8
