"""Kinds of parameters that click does not bring along."""

from __future__ import annotations

import os
from pathlib import Path

import click

__all__ = ["RegularFile"]


class RegularFile(click.Path):
    """A file, given as a path: no folder, and no pipe or device, of which nobody sees the end."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path, or end with what is wrong with it."""
        path = Path(value)
        if not path.is_file():
            reason = "is no regular file" if path.exists() else "does not exist"
            self.fail(f"{os.fspath(value)!r} {reason}", param, ctx)
        return path
