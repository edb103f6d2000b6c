"""The rules of classification, as data: one TOML file a provider, and generic ones.

    reasons.toml   what an error can mean, who acts, what the operator reads
    generic.toml   what codes, headers, words and statuses mean with any provider
    network.toml   what exceptions of HTTP clients, TLS and sockets mean
    <provider>.toml
    tables.json    all of it as it is loaded, made by ``python docs/taxonomy_table.py``

A file of your own adds providers and rules, or overrides some: its rules are asked before ours.

    parsing    TOML -> rows, every bad one named
    tables     the rows of all files, as plain values
    rules      rows as objects: reasons, rules, providers
    patterns   what a condition looks for
    literals   which patterns can match a text at all
    lookups    how a catalog is asked
    listing    its rows as people read them
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from crmlogging.errors.catalog.lookups import Lookups
from crmlogging.errors.catalog.tables import FILE, joined, read
from crmlogging.exceptions import Problems

__all__ = ["Catalog", "builtin"]


class Catalog(Lookups):
    """All rules, as read from files."""

    def extended(self, *files: str | Path) -> Catalog:
        """Return a catalog with the rules of `files` before those of this one.

        Raises:
            ConfigurationError: a file cannot be read or has bad rows; all of them are named.
        """
        tables, problems = self.tables, Problems("catalog")
        for file in files:
            try:
                text = Path(file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                problems.add(str(file), f"cannot be read: {type(error).__name__}")
                continue
            tables = joined(read(Path(file).stem, text, tables["reasons"], problems), tables)
        problems.raise_if_any()
        return Catalog(tables)


@cache
def builtin() -> Catalog:
    """Return the catalog that comes with the package; read once a process."""
    # By the loader, which reads a package that is in a zip file as well.
    loader: Any = __spec__.loader
    return Catalog(orjson.loads(loader.get_data(str(FILE))))
