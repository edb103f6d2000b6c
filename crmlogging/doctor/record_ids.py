"""Which record ids were seen, as one bit each: a process counts its records from 1."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Gaps", "RecordIds"]

_FORM: Final = re.compile(r"([0-9a-f]{16})-([1-9][0-9]{0,8})", re.ASCII)
_BYTES: Final = 16_000_000


class Gaps(NamedTuple):
    """Numbers that were not seen, between the first and the last of their process.

    Attributes:
        missing: how many.
        processes: of how many processes.
        worst: beginning of the ids of the process with most of them.
        first, last: numbers of that process.
    """

    missing: int
    processes: int
    worst: str
    first: int
    last: int


class RecordIds:
    """The ids of one folder.

    Attributes:
        repeated: ids that came again.
        full: there was no memory for more.
    """

    def __init__(self, *, memory_bytes: int = _BYTES) -> None:
        self._seen: dict[str, bytearray] = {}
        self._left = memory_bytes
        self.repeated = 0
        self.full = False

    def add(self, identity: object) -> None:
        """Note an id; what has another form is none of ours."""
        match = _FORM.fullmatch(identity) if type(identity) is str else None
        if match is None:
            return
        number = int(match[2])
        bits = self._seen.get(match[1])
        needed = (number >> 3) + 1 - (0 if bits is None else len(bits))
        cost = max(0, needed) + (200 if bits is None else 0)
        if cost > self._left:
            self.full = True
            return
        self._left -= cost
        if bits is None:
            bits = self._seen[match[1]] = bytearray()
        if needed > 0:
            bits.extend(bytes(needed))
        mask = 1 << (number & 7)
        self.repeated += bool(bits[number >> 3] & mask)
        bits[number >> 3] |= mask

    def gaps(self) -> Gaps | None:
        """Return what is missing; None if nothing is."""
        rows = []
        for process, bits in self._seen.items():
            begin = next(index for index, byte in enumerate(bits) if byte)
            first = (begin << 3) + (bits[begin] & -bits[begin]).bit_length() - 1
            last = ((len(bits) - 1) << 3) + bits[-1].bit_length() - 1
            missing = last - first + 1 - int.from_bytes(bits, "little").bit_count()
            if missing:
                rows.append((missing, process, first, last))
        if not rows:
            return None
        _, worst, first, last = max(rows)
        return Gaps(sum(row[0] for row in rows), len(rows), worst, first, last)
