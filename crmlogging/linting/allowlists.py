"""What a configuration allows, read from its file; nothing of it is imported or run.

Read are ``logging.config.dictConfig`` documents as TOML and JSON, and Python files that hold
such a document or a call of `AllowlistFilter` or `configure`, as literals.
"""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from crmlogging.exceptions import ConfigurationError, Problems
from crmlogging.fields import FIELDS, MISFIT, conform
from crmlogging.redaction.allowlist import Allowlist, Place
from crmlogging.redaction.patterns import RESERVED, compile_patterns
from crmlogging.storage.given import read_given

__all__ = ["Allowed", "read_allowed"]

_LARGEST_BYTES: Final = 32_000_000

_FILTER: Final = "AllowlistFilter"
_PRESET: Final = ("@crm",)
_NEAR: Final = 0.8
_NEAR_CHARACTERS: Final = 4
_CALLERS: Final = frozenset(field.name for field in FIELDS) - RESERVED


class Allowed:
    """The allowlists of one configuration; a field counts as masked if each of them masks it.

    Args:
        documents: for each `AllowlistFilter` its ``fields``, and perhaps ``mask`` and
            ``messages``.

    Raises:
        ConfigurationError: they could not be used either.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]] = ({},)) -> None:
        problems = Problems(_FILTER)
        given = list(documents)
        self._lists = [_compiled(document, problems) for document in given]
        problems.raise_if_any()
        self._names = _CALLERS.union(*(each.names for each in self._lists))
        self.built = any(each.get("messages", "template") != "literal" for each in given)
        """Whether messages built at run time are shown as templates."""

    def shows(self, name: str) -> bool:
        """Tell whether a scalar of the dotted `name` can be seen in a line."""
        nodes = (place.node for place in self._places(name))
        return any(node.field is not None or node.mask is not None for node in nodes)

    def shows_below(self, name: str) -> bool:
        """Tell whether the dotted `name`, or something below it, can be seen in a line."""
        return any(place.node.live for place in self._places(name))

    def fits(self, name: str, value: object) -> bool:
        """Tell whether a literal of this value can be seen under the dotted `name`."""
        nodes = [place.node for place in self._places(name)]
        fields = [node.field for node in nodes if node.field is not None]
        if any(node.mask is not None for node in nodes):
            return True
        return any(conform(field, value) is not MISFIT for field in fields)

    def shape_of(self, name: str) -> str:
        """Return the shape that the field declares, or ""."""
        shapes = (place.node.field for place in self._places(name))
        return next((" | ".join(f.choices) or f.shape for f in shapes if f is not None), "")

    def nearest(self, name: str) -> str | None:
        """Return the field that a misspelt `name` must have meant, if one is near enough."""
        if len(name) < _NEAR_CHARACTERS or name in self._names:
            return None
        close = difflib.get_close_matches(name, sorted(self._names), n=1, cutoff=_NEAR)
        return close[0] if close else None

    def _places(self, name: str) -> Iterator[Place]:
        for each in self._lists:
            place = each.at(name)
            if place is not None:
                yield place


def _compiled(document: Mapping[str, Any], problems: Problems) -> Allowlist:
    """Compile one allowlist; which mask it is plays no part here, and needs a key elsewhere."""
    mask = document.get("mask")
    if isinstance(mask, Mapping):
        mask = dict.fromkeys(mask, "last4")
    fields = document.get("fields", _PRESET)
    before = len(problems.found)
    root = compile_patterns(fields, mask, None, problems)
    if len(problems.found) > before:
        problems.raise_if_any()
    return Allowlist(root, drop=False, hmac_key=None)


def read_allowed(path: Path) -> Allowed:
    """Return what the configuration in a file allows.

    Raises:
        ConfigurationError: the file cannot be read, or holds no allowlist that stands there in
            literals.
    """
    problems = Problems(str(path))
    documents: list[Mapping[str, Any]] = []
    try:
        content = read_given(path, _LARGEST_BYTES)
        if path.suffix == ".py":
            documents = list(_in_python(ast.parse(content), problems))
        else:
            documents = list(_in_document(_parsed(path, content.decode("utf-8-sig"))))
    except (OSError, ValueError, SyntaxError, RecursionError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"{path}: cannot be read ({what or 'unknown reason'})") from error
    problems.raise_if_any()
    if not documents:
        raise ConfigurationError(f"{path}: holds no {_FILTER} and no call of configure()")
    try:
        return Allowed(documents)
    except ConfigurationError as error:
        problems.include(error)
        problems.raise_if_any()
        raise


def _parsed(path: Path, text: str) -> object:
    if path.suffix == ".json":
        return json.loads(text)
    import tomllib

    return tomllib.loads(text)


def _in_document(document: object) -> Iterator[Mapping[str, Any]]:
    """Yield the options of each `AllowlistFilter`, wherever the document stands in the file."""
    if isinstance(document, dict):
        kind = document.get("()", document.get("class"))
        if isinstance(kind, str) and kind.rpartition(".")[2] == _FILTER:
            yield document
        else:
            for value in document.values():
                yield from _in_document(value)
    elif isinstance(document, list):
        for value in document:
            yield from _in_document(value)


def _in_python(tree: ast.Module, problems: Problems) -> Iterator[Mapping[str, Any]]:
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        options = _options(node)
        if options is None:
            continue
        document = {}
        for name, value in options.items():
            if isinstance(value, ast.Name):
                value = constants.get(value.id, value)
            try:
                document[name] = ast.literal_eval(value)
            except (ValueError, TypeError, RecursionError):
                problems.add(f"line {value.lineno}", f"{name} is no literal, and nothing is run")
        yield document


def _options(node: ast.AST) -> dict[str, ast.expr] | None:
    """Return what an expression says about fields, if it stands for an allowlist."""
    options: dict[str, ast.expr] = {}
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    options[key.value] = value
            if _kind(options.get("()", options.get("class"))) != _FILTER:
                return None
        case ast.Call(func=func, args=args, keywords=keywords):
            kind = _kind(func)
            if kind not in (_FILTER, "configure"):
                return None
            options = {each.arg: each.value for each in keywords if each.arg is not None}
            if kind == _FILTER and args:
                options.setdefault("fields", args[0])
        case _:
            return None
    return {name: options[name] for name in ("fields", "mask", "messages") if name in options}


def _kind(node: ast.expr | None) -> str:
    match node:
        case ast.Constant(value=str() as name):
            return name.rpartition(".")[2]
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
