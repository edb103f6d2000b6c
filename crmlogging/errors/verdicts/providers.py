"""Which vendor answered: by what the caller says, the host, headers, or the shape of the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider
from crmlogging.errors.text.shapes import is_slug

__all__ = ["detect", "slug_of"]


def slug_of(provider: object) -> str | None:
    """Return a caller's name for a provider as a slug, or None if it is none."""
    if not isinstance(provider, str):
        return None
    slug = "_".join(provider.lower().split())
    return slug if is_slug(slug) else None


def detect(
    catalog: Catalog, named: object, host: str, headers: Mapping[str, str], tree: Any
) -> Provider | None:
    """Return the provider of an answer, or None for one that the catalog does not know."""
    if isinstance(named, str) and named:
        found = catalog.provider(named)
        if found is not None:
            return found
        if slug_of(named) is not None:
            return None  # The caller knows better than any guess.
    if host:
        found = catalog.provider_of_host(host)
        if found is not None:
            return found
    return _by_mark(catalog, headers) or _by_shape(catalog, tree)


def _by_mark(catalog: Catalog, headers: Mapping[str, str]) -> Provider | None:
    marks, prefixes = catalog.marks
    if not marks.keys().isdisjoint(headers):
        return next(marks[name] for name in headers if name in marks)
    for name in headers:
        if name.startswith(prefixes):
            return next(marks[p] for p in prefixes if name.startswith(p))
    return None


def _by_shape(catalog: Catalog, tree: Any) -> Provider | None:
    if isinstance(tree, list) and tree and isinstance(tree[0], dict):
        keys = {"[]", *tree[0].keys()}
    elif isinstance(tree, dict):
        keys = set(tree)
    else:
        return None
    for shape, provider in catalog.shapes:
        if shape <= keys:
            return provider
    return None
