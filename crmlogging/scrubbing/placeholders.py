"""What stands for a value: the marks of this room, and the places of a template."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PLACEHOLDER", "WITHHELD"]

WITHHELD: Final = "[REDACTED]"

PLACEHOLDER: Final = re.compile(
    r"%(?:\(\w{1,64}\))?[-#0 +]?[0-9.*]{0,8}[a-zA-Z]|\$?\{|\[[A-Z]{3,9}\]|\*{3,}|<[a-z]"
)
"""What begins like this is a place in a template, or was withheld already."""
