"""Promises of `read_body`: any body becomes a tree or a text; nothing is expanded or fetched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmlogging.errors.answers.bodies import MAX_BODY_BYTES, embedded_tree, read_body


class TestReadBody:
    @pytest.mark.parametrize(
        ("body", "kind", "tree"),
        [
            pytest.param(None, "empty", None, id="none"),
            pytest.param("", "empty", None, id="empty"),
            pytest.param(" \r\n\ufeff", "empty", None, id="blank"),
            pytest.param('{"a":1}', "json", {"a": 1}, id="object"),
            pytest.param(b'{"a":1}', "json", {"a": 1}, id="bytes"),
            pytest.param(bytearray(b"[1]"), "json", [1], id="bytearray"),
            pytest.param({"a": 1}, "json", {"a": 1}, id="mapping"),
            pytest.param([1], "json", [1], id="list"),
            pytest.param('\ufeff{"a":1}', "json", {"a": 1}, id="byte-order-mark"),
            pytest.param('{"a":1}'.encode("utf-16"), "json", {"a": 1}, id="utf-16"),
            pytest.param('{"a":1}\n{"a":2}\n', "json", [{"a": 1}, {"a": 2}], id="lines"),
            pytest.param("{'a': None, 'b': True}", "json", {"a": None, "b": True}, id="repr"),
            pytest.param('{"a":', "broken", None, id="cut-off"),
            pytest.param("<e><c>1</c></e>", "xml", {"e": {"c": "1"}}, id="xml"),
            pytest.param('<?xml version="1.0"?><e><c>', "broken", None, id="broken-xml"),
            pytest.param("<html><b>No</b></html>", "html", None, id="html"),
            pytest.param("plain words", "text", None, id="text"),
            pytest.param('"a string"', "text", None, id="json-string"),
            pytest.param("42", "text", None, id="json-number"),
            pytest.param(b"\x1f\x8b\x08\x00", "binary", None, id="gzip"),
            pytest.param(b"\x00\x01\x02\x03", "binary", None, id="binary"),
            pytest.param(object(), "empty", None, id="anything-else"),
        ],
    )
    def test_kind_and_tree(self, body: Any, kind: str, tree: Any) -> None:
        """Each form of body is known for what it is, whatever its content type says."""
        document = read_body(body)
        assert (document.kind, document.tree) == (kind, tree)

    def test_batch_is_taken_apart(self) -> None:
        """A multipart answer gives one entry a part, of nested change sets as well."""
        body = (
            "--b\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n"
            "--C\r\nContent-Type: application/http\r\n\r\n"
            "HTTP/1.1 204 No Content\r\n\r\n\r\n--C--\r\n"
            "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\n"
            'Content-Type: application/json\r\n\r\n{"code":"X"}\r\n--b--'
        )
        for content_type in ('multipart/mixed; boundary="b"', ""):
            document = read_body(body, content_type)
            assert document.kind == "multipart"
            assert [part["status"] for part in document.tree] == [204, 400]
            assert document.tree[1]["body"] == {"code": "X"}

    def test_table_of_results_gives_its_errors_only(self) -> None:
        """Of a table with a column of errors, only that and success are looked at."""
        document = read_body('"Id","Success","Error","Email"\n"1","true","","a@b.example"\n')
        assert document.kind == "csv"
        assert "a@b.example" not in repr(document)
        assert read_body("name,email\nAda,a@b.example\n").kind == "text"

    def test_columns_of_a_record_are_not_the_outcome(self) -> None:
        """Columns called code, field or status count only in a table that has codes of errors."""
        rows = read_body("sf__Error,Code,Field,Status\nBAD,SPRING26,ada,failed\n").tree
        assert rows == [{"success": False, "error": "BAD"}]
        rows = read_body("row,status,error_code,error,field\n1,ok,,,\n2,error,DUP,x,email\n").tree
        assert rows[0]["success"]
        assert rows[1] == {"success": False, "error": "x", "errorCode": "DUP", "field": "email"}

    def test_form_is_a_tree(self) -> None:
        """Pairs of a form are read, numbered ones once; a sentence with a sign is none."""
        document = read_body("ACK=Failure&L_ERRORCODE0=10002&L_ERRORCODE1=10003")
        assert document.kind == "form"
        assert document.tree == {"ACK": "Failure", "ERRORCODE": "10002"}
        assert read_body("name=ada is wrong").kind == "text"

    def test_only_a_megabyte_is_read(self) -> None:
        """What exceeds the limit is as if it had been cut off."""
        assert read_body(json.dumps({"a": "x" * MAX_BODY_BYTES})).kind == "broken"


class TestEmbeddedTree:
    @pytest.mark.parametrize(
        ("text", "tree"),
        [
            ('said: {"a": 1} end', {"a": 1}),
            ("said: [{'a': None}]", [{"a": None}]),
            ('body: "{\\"a\\": 1}"', {"a": 1}),
            ("no {json} here", None),
            ("}{", None),
        ],
    )
    def test_json_within_text_is_found(self, text: str, tree: Any) -> None:
        """SDKs quote bodies in their messages, as JSON or as Python prints it."""
        assert embedded_tree(text) == tree
