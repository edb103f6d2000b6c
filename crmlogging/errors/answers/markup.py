"""XML as a tree, pages as text: without entities, without the network, in linear time."""

from __future__ import annotations

from typing import Any, Final

from crmlogging.errors.text.late import late

__all__ = ["page_text", "xml_tree"]

_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 64
_PAGE_CHARACTERS: Final = 65_536
_TEXT_CHARACTERS: Final = 4_096
_TAG: Final = late(r"<[^<>]{0,2000}>")
_SPACE: Final = late(r"\s+")
_ENTITIES: Final = {
    "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'",
    "&nbsp;": " ", "&rsquo;": "'", "&#x27;": "'",
}  # fmt: skip
# Attributes that tell what elements tell elsewhere: <error code="E205" field="birthDate"/>.
_TOLD: Final = frozenset(
    (
        "code errorcode error_code field fieldname property propertypath parameter param attribute"
        " element path target message description reason requestid correlationid issuccess success"
    ).split()
)
_OUTCOMES: Final = frozenset(("ok", "fail", "success", "error", "failed", "failure"))
_ENTITY: Final = late("|".join(_ENTITIES))


def page_text(page: str) -> str:
    """Return the visible text of an HTML page, spaces folded, at most 4,096 characters.

    A password field leaves the mark ``[PASSWORD FIELD]``: that is how login pages are known.
    """
    page = page[:_PAGE_CHARACTERS]
    visible = _TAG.sub(" ", _without(_without(page, "script"), "style"))
    visible = _ENTITY.sub(lambda match: _ENTITIES[match[0]], visible)
    text = _SPACE.sub(" ", visible).strip()[:_TEXT_CHARACTERS]
    lower = page.lower()
    if 'type="password"' in lower or "type='password'" in lower or "type=password" in lower:
        text += " [PASSWORD FIELD]"
    return text


def _without(page: str, element: str) -> str:
    """Return `page` without `element` and what is in it, by plain search: linear."""
    lower, kept, position = page.lower(), [], 0
    while (start := lower.find(f"<{element}", position)) >= 0:
        kept.append(page[position:start])
        end = lower.find(f"</{element}", start)
        position = len(page) if end < 0 else end
    kept.append(page[position:])
    return "".join(kept)


class _RefusedError(Exception):
    """The document is too large, too deep, or brings a document type."""


class _Builder:
    """Collects expat's events into ``{"name": text | tree | [several]}``."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.stack: list[tuple[dict[str, Any], list[str]]] = [(self.root, [])]
        self.nodes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.nodes += 1
        if self.nodes > _MAX_NODES or len(self.stack) > _MAX_DEPTH:
            raise _RefusedError
        node: dict[str, Any] = {}
        for spelled, value in attributes.items():
            if value and spelled.lower() in _TOLD:
                node["code" if spelled.lower() == "code" else spelled] = value
        for spelled in ("stat", "status"):  # <rsp stat="fail">: Flickr, Pardot
            if attributes.get(spelled) in _OUTCOMES:
                node[spelled] = attributes[spelled]
        self.stack.append((node, []))

    def data(self, text: str) -> None:
        self.stack[-1][1].append(text)

    def end(self, name: str) -> None:
        node, pieces = self.stack.pop()
        text = "".join(pieces).strip()
        if node and text:
            node.setdefault("message", text)
        value: Any = node or text
        local = name.rpartition(":")[2]
        parent = self.stack[-1][0]
        if local not in parent:
            parent[local] = value
        elif isinstance(parent[local], list):
            parent[local].append(value)
        else:
            parent[local] = [parent[local], value]

    @staticmethod
    def refuse(*_: object) -> int:
        raise _RefusedError


def xml_tree(text: str) -> dict[str, Any] | None:
    """Return `text` as nested mappings by local name, or None if it is no well-formed XML.

    A document type is refused, so entities can neither grow (billion laughs) nor reach out.
    """
    from xml.parsers import expat  # Here: most processes never meet XML.

    builder = _Builder()
    # The text is decoded already: what its declaration says of an encoding no longer holds.
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except (expat.ExpatError, _RefusedError, LookupError):
        return None
    fault = builder.root.get("methodResponse")
    return builder.root if fault is None else _of_xml_rpc(fault)


def _of_xml_rpc(answer: Any) -> dict[str, Any]:
    """Return an XML-RPC answer with its fault as ``{"faultCode": ..., "faultString": ...}``."""
    node = answer
    for step in ("fault", "value", "struct"):
        node = node.get(step) if type(node) is dict else None
    members = node.get("member") if type(node) is dict else None
    if type(members) is not list:
        return {"methodResponse": answer}
    told: dict[str, Any] = {}
    for member in members[:8]:
        if type(member) is not dict:
            continue
        name, value = member.get("name"), member.get("value")
        if type(value) is dict and len(value) == 1:  # of its type: <int>3</int>
            value = next(iter(value.values()))
        if name in ("faultCode", "faultString") and type(value) is str:
            told[name] = value
    return {"fault": told}
