"""Promises of operations: what was done to what, never a part of the URL."""

from __future__ import annotations

import pytest

from crmlogging.errors.verdicts.operations import field_label, operation, split_url


class TestNaming:
    @pytest.mark.parametrize(
        ("url", "parts"),
        [
            ("https://u:p@H.Example:8443/a/B?q=1#f", ("h.example", "/a/B")),
            ("https://[::1]:80/x", ("[::1]", "/x")),
            ("/relative/path?x", ("", "/relative/path")),
            ("no url", ("", "")),
            (b"http://h/x", ("h", "/x")),
            (None, ("", "")),
            (7, ("", "")),
        ],
    )
    def test_split_url(self, url: object, parts: tuple[str, str]) -> None:
        """Host and path, never the user, port, query or fragment."""
        assert split_url(url) == parts

    @pytest.mark.parametrize(
        ("method", "path", "name"),
        [
            ("POST", "/crm/v3/objects/contacts", ("CONTACT", "CREATE")),
            ("PATCH", "/crm/v3/objects/contacts/7", ("CONTACT", "UPDATE")),
            ("POST", "/crm/v3/objects/deals/search", ("DEAL", "SEARCH")),
            ("GET", "/services/data/v62.0/sobjects/Account/001", ("ACCOUNT", "READ")),
            ("PUT", "/sap/A_BusinessPartner('1')", ("BUSINESS_PARTNER", "UPDATE")),
            ("POST", "/oauth/v1/token", ("TOKEN", "REQUEST")),
            ("POST", "/x/anna-smith", ("RECORD", "CREATE")),
            ("BREW", "", ("API", "CALL")),
        ],
    )
    def test_operation(self, method: str, path: str, name: tuple[str, str]) -> None:
        """What was done to what, out of a fixed list of words."""
        assert operation(method, path) == name

    def test_label_of_a_field(self) -> None:
        """Vendors' spellings of common fields have one label; all others none."""
        assert {field_label(n) for n in ("Email", "emailaddress1", "emails.value")} == {"EMAIL"}
        assert field_label("shoe_size__c") == ""
