"""Promises of `read_body`: any body becomes a tree or a text; nothing is expanded or fetched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmlogging.errors.bodies import MAX_BODY_BYTES, embedded_tree, read_body
from crmlogging.errors.markup import page_text, xml_tree


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


class TestXml:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param('<!DOCTYPE a [<!ENTITY e "boom">]><a>&e;</a>', id="entity"),
            pytest.param(
                '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', id="external"
            ),
            pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', id="external-dtd"),
            pytest.param(
                '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>', id="laughs"
            ),
            pytest.param("<a>" * 100 + "</a>" * 100, id="too-deep"),
            pytest.param("<a>" + "<b/>" * 30_000 + "</a>", id="too-many"),
            pytest.param("<a><b></a>", id="not-well-formed"),
        ],
    )
    def test_dangerous_document_is_refused(self, text: str) -> None:
        """Document types, depth and size are refused; nothing is expanded or fetched."""
        assert xml_tree(text) is None

    def test_names_are_local_and_repeated_ones_a_list(self) -> None:
        """Prefixes do not matter; elements of one name are a list."""
        assert xml_tree('<s:a xmlns:s="u"><s:b>1</s:b><b>2</b></s:a>') == {"a": {"b": ["1", "2"]}}

    def test_attributes_that_tell_are_read(self) -> None:
        """Code, field and outcome may be attributes; others are not looked at."""
        tree = xml_tree('<r status="error" owner="ada"><e code="E1" field="city" v="x"/></r>')
        assert tree == {"r": {"status": "error", "e": {"code": "E1", "field": "city"}}}

    def test_fault_of_xml_rpc_is_a_mapping(self) -> None:
        """The members of an XML-RPC fault are keys, whatever their type."""
        member = "<member><name>{}</name><value><{}>{}</{}></value></member>"
        members = member.format("faultCode", "int", 3, "int")
        members += member.format("faultString", "string", "Access Denied", "string")
        fault = f"<fault><value><struct>{members}</struct></value></fault>"
        tree = xml_tree(f"<methodResponse>{fault}</methodResponse>")
        assert tree == {"fault": {"faultCode": "3", "faultString": "Access Denied"}}
        assert xml_tree("<methodResponse><params/></methodResponse>") == {
            "methodResponse": {"params": ""}
        }

    def test_declared_encoding_does_not_matter(self) -> None:
        """The text is decoded already, whatever its declaration says."""
        assert xml_tree('<?xml version="1.0" encoding="utf-16"?><a>ü</a>') == {"a": "ü"}


class TestPageText:
    def test_only_visible_text_stays(self) -> None:
        """Scripts, styles and tags go, unclosed ones too; common entities are read."""
        page = "<html><STYLE>x{}</style><h1>Bad&nbsp;Gateway</h1><script>var secret = 1;"
        assert page_text(page) == "Bad Gateway"

    def test_login_form_leaves_a_mark(self) -> None:
        """A page that asks for a password is a login page."""
        assert "[PASSWORD FIELD]" in page_text('<html><input TYPE="password"></html>')


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
