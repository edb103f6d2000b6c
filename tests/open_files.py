"""Which files this process has open: only those of one test, since others may close theirs."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["open_below"]


def open_below(directory: Path) -> list[str]:
    """Return the paths in `directory` that descriptors lead to, one for each descriptor."""
    found = []
    for number in os.listdir("/dev/fd"):
        try:
            path = os.readlink(f"/dev/fd/{number}")
        except OSError:  # the listing's own, closed by now
            continue
        if path.startswith(f"{directory}/"):
            found.append(path)
    return sorted(found)
