"""From a body, as it came, to a tree of plain JSON values or to text.

Bounded: at most `MAX_BODY_BYTES` are looked at, 64 levels, 20,000 nodes of XML. XML is read by
expat with every document type refused, so no entity is ever expanded or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.errors.answers.broken_json import completed, python_literal
from crmlogging.errors.answers.markup import page_text, xml_tree
from crmlogging.errors.text.late import late

__all__ = ["MAX_BODY_BYTES", "Document", "embedded_tree", "read_body"]

MAX_BODY_BYTES: Final = 1 << 20
"""Bytes of a body that are looked at; what follows is as if it had been cut off."""

_TEXT_CHARACTERS: Final = 8_192
_MAX_PARTS: Final = 1_000
_BOUNDARY: Final = late(r'boundary="?([^";,\s]{1,70})', re.IGNORECASE)
_FIRST_BOUNDARY: Final = late(r"\s{0,8}--([A-Za-z0-9'()+_,./:=?-]{1,70})[ \t]*\r?\n")
_STATUS_LINE: Final = late(r"HTTP/\d(?:\.\d)? (\d{3})\b")
_CSV_ERRORS: Final = frozenset(
    "sferror error errors errormessage errordescription failurereason errorreason".split()
)
_CSV_FIELDS: Final = frozenset(("field", "fieldname", "errorfield"))
_CSV_BAD: Final = frozenset(("error", "failed", "failure", "rejected", "invalid"))
_CSV_OUTCOMES: Final = frozenset(("status", "result", "outcome"))
# application/x-www-form-urlencoded; PayPal numbers its keys: L_ERRORCODE0.
_FORM: Final = late(
    r"[A-Za-z_][\w.\[\]%-]{0,60}=[^\s&=]{0,2000}(?:&[\w.\[\]%-]{1,60}=[^\s&=]{0,2000}){1,100}"
)
_NUMBERED_KEY: Final = late(r"L_([A-Z]+)\d+")


class Document(NamedTuple):
    """A body, read.

    Attributes:
        kind: ``json``, ``xml``, ``html``, ``text``, ``csv``, ``multipart``, ``empty``, ``binary``,
            or ``broken`` for JSON or XML that ends early or is none.
        tree: JSON-like values, or None.
        text: readable text where there is no tree (of a page: without tags), else "".
    """

    kind: str
    tree: Any = None
    text: str = ""


_EMPTY: Final = Document("empty")


def read_body(body: object, content_type: str = "") -> Document:
    """Return `body` (str, bytes, mapping, list or None) as a document; never raises."""
    if body is None:
        return _EMPTY
    if isinstance(body, (str, bytes)):
        return _read_text(body, content_type)
    if isinstance(body, Mapping):
        return Document("json", dict(body))
    if isinstance(body, (list, tuple)):
        return Document("json", list(body))
    if isinstance(body, (bytearray, memoryview)):
        return _read_text(bytes(body[:MAX_BODY_BYTES]), content_type)
    return _EMPTY


def _read_text(body: str | bytes, content_type: str) -> Document:
    cut = len(body) > MAX_BODY_BYTES
    if not cut:
        try:
            tree = orjson.loads(body)
        except ValueError:
            pass
        else:
            if isinstance(tree, (dict, list)):
                return Document("json", tree)
    else:
        body = body[:MAX_BODY_BYTES]
    if isinstance(body, bytes):
        if _is_binary(body):
            return Document("binary")
        body = _decoded(body, content_type)
    text = body.strip("\ufeff \t\r\n\0")
    if not text:
        return _EMPTY
    return _read_string(text, content_type)


def _read_string(text: str, content_type: str) -> Document:
    first = text[0]
    if first in '{["':
        return _read_json_like(text)
    if first == "<":
        return _read_markup(text)
    if "multipart/" in content_type.lower() or first == "-":
        tree = _multipart_tree(text, content_type)
        if tree is not None:
            return Document("multipart", tree)
    tree = _csv_tree(text)
    if tree is not None:
        return Document("csv", tree)
    if "=" in text and _FORM.fullmatch(text) is not None:
        return Document("form", _form_tree(text))
    inner = embedded_tree(text)
    if inner is not None:
        return Document("text", inner, text[:_TEXT_CHARACTERS])
    return Document("text", None, text[:_TEXT_CHARACTERS])


def _is_binary(body: bytes) -> bool:
    head = body[:512]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    if head[:2] == b"\x1f\x8b" or head[:4] == b"%PDF":
        return True
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return controls * 10 > len(head)


def _decoded(body: bytes, content_type: str) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        latin = "8859" in content_type or "1252" in content_type
        return body.decode("latin-1" if latin else "utf-8", "replace")


def _read_markup(text: str) -> Document:
    head = text[:256].lower()
    page = "<head" in head or ("<body" in head and "envelope" not in head)
    if page or "<!doctype html" in head or "<html" in head:
        return Document("html", None, page_text(text))
    tree = xml_tree(text)
    if tree is not None:
        return Document("xml", tree)
    if text[:5] == "<?xml":
        return Document("broken", None, page_text(text))
    return Document("html", None, page_text(text))


def _read_json_like(text: str) -> Document:
    """JSON after a byte order mark, lines of it, a string, a Python repr, or a piece of one."""
    whole = _json(text)
    if whole is not None:
        return Document("json", whole)
    if text[0] == '"':
        return _read_json_string(text)
    lines = text.splitlines()
    if len(lines) > 1 and lines[0][-1:] in "}]":
        parts = [_json(line) for line in lines[:_MAX_PARTS] if line.strip()]
        if all(part is not None for part in parts):
            return Document("json", parts)
    tree = python_literal(text)
    if tree is not None:
        return Document("json", tree)
    return Document("broken", completed(text), text[:_TEXT_CHARACTERS])


def _read_json_string(text: str) -> Document:
    tree = _csv_tree(text)
    if tree is not None:
        return Document("csv", tree)
    try:
        inner = orjson.loads(text)
    except ValueError:
        inner = text
    inner = inner if isinstance(inner, str) else text
    return Document("text", embedded_tree(inner), inner[:_TEXT_CHARACTERS])


def _json(text: str) -> Any:
    try:
        tree = orjson.loads(text)
    except ValueError:
        return None
    return tree if isinstance(tree, (dict, list)) else None


def embedded_tree(text: str) -> Any:
    """Return the first JSON object or list (or Python repr of one) inside `text`, or None."""
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            before = text.find("[", 0, start)
            if opening == "{" and before >= 0 and not text[before + 1 : start].strip():
                start, end = before, text.rfind("]")
            inner = text[start : end + 1]
            tree = _json(inner)
            if tree is None and len(inner) < 65_536:
                tree = _json(inner.replace('\\"', '"')) or python_literal(inner)
                tree = tree or _json(inner.replace("\\'", "'"))  # repr of bytes
            if tree:
                return tree
    return None


def _multipart_tree(text: str, content_type: str, depth: int = 0) -> list[Any] | None:
    """Return the parts of a batch answer as ``{"status": int, "body": tree}``."""
    match = _BOUNDARY.search(content_type) or _FIRST_BOUNDARY.match(text)
    if match is None or depth > 2:
        return None
    parts: list[Any] = []
    for part in text.split("--" + match[1])[1 : _MAX_PARTS + 1]:
        if part.startswith("--"):
            break
        headers, _, rest = part.lstrip().replace("\r\n", "\n").partition("\n\n")
        if "boundary=" in headers.lower():
            parts.extend(_multipart_tree(rest, headers, depth + 1) or ())
        else:
            parts.append(_part_tree(headers, rest))
    return parts


def _part_tree(headers: str, rest: str) -> dict[str, Any]:
    """Read one part: its own headers, then a status line, headers and body."""
    if headers.startswith("HTTP/"):
        head = headers
    else:
        head, _, rest = rest.partition("\n\n")
    status = _STATUS_LINE.match(head.lstrip())
    document = read_body(rest if status else f"{head}\n\n{rest}")
    body = document.text if document.tree is None else document.tree
    return {"status": int(status[1]), "body": body} if status else {"body": body}


def _form_tree(text: str) -> dict[str, Any]:
    """Return the pairs of a form, the first where a key stands there several times."""
    from urllib.parse import parse_qsl  # Here: few answers are forms.

    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text):
        numbered = _NUMBERED_KEY.fullmatch(name)
        tree.setdefault(name if numbered is None else numbered[1], value)
    return tree


def _csv_tree(text: str) -> list[Any] | None:
    """Return the rows of a result table that has a column of errors."""
    head = text[:2_048].partition("\n")[0].lower()
    mark = max(",;\t", key=head.count)
    if mark not in head or "error" not in head:
        return None
    import csv  # Here: only bulk results are tables.

    names = next(csv.reader([head], delimiter=mark), [])
    columns = ["".join(filter(str.isalnum, name)) for name in names]
    if _CSV_ERRORS.isdisjoint(columns):
        return None
    rows: list[Any] = []
    try:
        table = csv.reader(text.splitlines()[1 : 1 + _MAX_PARTS * 10], delimiter=mark)
        rows.extend(_csv_row(dict(zip(columns, cells, strict=False))) for cells in table)
    except csv.Error:
        pass
    return rows


def _csv_row(row: dict[str, str]) -> dict[str, Any]:
    """Take what a row says of its outcome; other columns are the record's."""

    def said(columns: frozenset[str]) -> str:
        return next((row[name] for name in row if name in columns and row[name]), "")

    error = said(_CSV_ERRORS)
    bad = row.get("success", "").lower() == "false"
    if "errorcode" not in row:  # what else is called like that may be a column of the record
        field = said(_CSV_FIELDS) if error and "sferror" not in row else ""
        told = {"success": not (error or bad), "error": error}
        return {**told, "field": field} if field else told
    code = row["errorcode"]
    if not (error or code or bad or said(_CSV_OUTCOMES).lower() in _CSV_BAD):
        return {"success": True, "error": ""}
    told = {"error": error, "errorCode": code, "field": said(_CSV_FIELDS)}
    return {"success": False, **{name: value for name, value in told.items() if value}}
