"""Promises of the walk over a body: it finds causes in any vendor's shape, and stays bounded."""

from __future__ import annotations

from typing import Any

import pytest

from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.findings.reading import Reading


def read(tree: Any, *, good: bool = False) -> Reading:
    """Read a tree as of an unknown provider."""
    reading = Reading(ranks={}, headers={}, good=good, status=200 if good else 400)
    reading.read(tree)
    return reading


def only(tree: Any) -> Finding:
    """Return the single cause of a tree."""
    (finding,) = read(tree).findings
    return finding


class TestCauses:
    @pytest.mark.parametrize(
        ("tree", "codes"),
        [
            ({"error": {"code": "A_B"}}, ["A_B"]),
            ({"errorCode": "A_B", "category": "C_D"}, ["A_B", "C_D"]),
            ({"error": "a_b"}, ["a_b"]),
            ({"error": "Some words"}, []),
            ({"type": "https://x.example/probs/out-of-credit"}, ["out-of-credit"]),
            ({"type": "about:blank", "status": 400}, []),
            ({"__type": "com.amazonaws#SomeException"}, ["SomeException"]),
            ({"code": 400, "status": "FAILED_PRECONDITION"}, ["FAILED_PRECONDITION", "400"]),
            ({"Fault": {"Code": {"Value": "s:Sender", "Subcode": {"Value": "a:Bad"}}}}, ["a:Bad"]),
            ({"message": "BAD_THING: did not work"}, []),
        ],
    )
    def test_codes_most_specific_first(self, tree: Any, codes: list[str]) -> None:
        """Codes are found under the keys vendors use, and ordered."""
        assert only(tree).ordered_codes() == codes

    @pytest.mark.parametrize(
        "tree",
        [
            pytest.param({"errors": {"email": ["is bad"], "phone": "is bad"}}, id="rails"),
            pytest.param({"email": ["is bad"], "phone": ["is bad"]}, id="django"),
            pytest.param({"errors": [{"field": "email"}, {"field": "phone"}]}, id="list"),
            pytest.param(
                {"code": "X_Y", "details": [{"path": ["email"]}, {"param": "phone"}]}, id="details"
            ),
            pytest.param(
                {"errors": [{"source": {"pointer": "/data/attributes/email"}}, {"field": "phone"}]},
                id="json-api",
            ),
            pytest.param(
                {"field-errors": {"email": "bad value", "phone": "bad value"}}, id="close"
            ),
        ],
    )
    def test_fields_in_all_shapes(self, tree: Any) -> None:
        """Fields are found as names, lists, pointers and keys of maps."""
        names = [f.name.rpartition("/")[2] for c in read(tree).findings for f in c.fields]
        assert names == ["email", "phone"]

    @pytest.mark.parametrize(
        ("tree", "names"),
        [
            ({"message": "x", "errors": [{"message": "bad", "in": "fieldType"}]}, ["fieldType"]),
            ({"errors": [{"message": "bad", "in": "body", "field": "a"}]}, ["a"]),
            ({"contacts": [{}, {"email": ["is bad"]}]}, ["contacts.email"]),
            ({"errors": {"detail": "Bad", "last_name": ["is bad"]}}, ["last_name"]),
            ({"error_fields": ["vat", "iban"]}, ["vat", "iban"]),
            ({"validationErrors": [{"message": "x y", "members": ["login"]}]}, ["login"]),
            ({"errors": [{"message": "bad", "location": "body.tags[0]"}]}, ["body.tags[0]"]),
            ({"errors": [{"field": {"name": "zip"}, "message": "is bad"}]}, ["zip"]),
            ({"errors": [["zip", "is bad"]]}, ["zip"]),
            ({"errors": [{"zip": "is bad"}, {"vat": "is bad"}]}, ["zip", "vat"]),
            ({"errors": {"fieldErrors": [{"name": "zip", "status": "LONG"}]}}, ["zip"]),
            ({"errors": {"zip": {"_errors": ["Required"]}, "_errors": []}}, ["zip"]),
            ({"fieldLabel": "Zip Code", "field": "zip", "message": "is bad"}, ["zip"]),
            (
                {"message": [{"property": "a", "children": [{"property": "b", "children": []}]}]},
                ["a.b"],
            ),
        ],
    )
    def test_fields_below_other_things(self, tree: Any, names: list[str]) -> None:
        """Fields are found in lists of records, among other keys, and below one another."""
        found = [field.name for finding in read(tree).findings for field in finding.fields]
        assert found == names

    @pytest.mark.parametrize(
        "tree",
        [
            {"meta": {"code": 403, "errors": [{"type": "quota_exceeded"}]}, "response": {}},
            {"job": {"status": "completed", "results": [{"success": False, "error": "x"}]}},
            {"replyCode": 2005, "replyText": "Key field is missing"},
            {"status": {"code": "error", "message": "no"}, "data": []},
        ],
    )
    def test_failure_within_a_success(self, tree: Any) -> None:
        """A good status does not hide what says that it failed."""
        assert any(finding.failed for finding in read(tree, good=True).findings)

    def test_records_are_not_entered(self) -> None:
        """What a good answer lists is no cause, whatever its fields are called."""
        tree = {"results": [{"id": 1, "properties": {"error": "x", "status": "failed"}}]}
        assert not [f for f in read(tree, good=True).findings if f.failed]

    def test_causes_are_bounded(self) -> None:
        """Ten thousand failing records give two thousand causes at most."""
        tree = [{"success": False, "errors": [{"code": f"E_{n}"}]} for n in range(10_000)]
        assert len(read(tree, good=True).findings) <= 2_000

    @pytest.mark.parametrize(
        ("tree", "request_id"),
        [
            ({"requestId": "req-1", "correlationId": "cor-1"}, "cor-1"),
            ({"error": {"request_id": "req-1"}}, "req-1"),
            ({"code": "CB_VA01", "id": "kt7Q2mZp", "message": "x"}, "kt7Q2mZp"),
            ({"id": "kt7Q2mZp", "name": "x"}, None),
            ({"errors": [{"id": "a1b2c3", "status": 400, "title": "x", "detail": "y"}]}, "a1b2c3"),
            ({"errors": [{"id": "a1b2c3", "title": "x"}]}, None),
            ({"acme_request_id": "req-1"}, "req-1"),
            ({"trace_id": "t-1", "errors": [{"logref": "ref-1"}]}, "ref-1"),
            ({"instance": "/people/ada"}, None),
            ({"requestId": "Bearer abc"}, None),
            ({"requestId": "491715550199"}, None),
            ({"requestId": "a@b.example"}, None),
        ],
    )
    def test_request_id(self, tree: Any, request_id: str | None) -> None:
        """The id a provider's support asks for; never a phone number, address or token."""
        assert read(tree).request_id == request_id
