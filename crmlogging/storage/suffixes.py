"""What the names of archives end in, for who knows files by name without reading them."""

from __future__ import annotations

from typing import Final

__all__ = ["ARCHIVE", "ENCRYPTED", "PARTIAL"]

ARCHIVE: Final = ".gz"
ENCRYPTED: Final = ".gz.enc"
PARTIAL: Final = ".gz.tmp"
"""Of an archive that is being written; one that is found was left by a crash."""
