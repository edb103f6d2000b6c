"""Promises of markup: XML becomes a tree, a page its text; nothing is expanded or fetched."""

from __future__ import annotations

import pytest

from crmlogging.errors.answers.markup import page_text, xml_tree


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
