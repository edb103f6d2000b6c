"""What was accepted, in memory that several processes share and that no death can take along.

A slot belongs to one thread of one process. The thread counts its records 1, 2, 3, ... and, each
time a logging call has returned, writes the number into its slot: a store into a mapped file,
which is there whatever happens to the process a moment later.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final

__all__ = ["Ledger"]

_SLOT: Final = struct.Struct("<QQ")  # accepted, hung
_NUMBER: Final = struct.Struct("<Q")
_SLOTS: Final = 16_384


class Ledger:
    """The slots in the file `path`, which is created if it is not there.

    Slot 0 is not for records: it holds a word that all processes can read and one may write, and
    whether their work is over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(fd, _SLOTS * _SLOT.size)
        self._memory = mmap.mmap(fd, _SLOTS * _SLOT.size)
        os.close(fd)

    def accept(self, slot: int, number: int) -> None:
        """The logging call of record `number` has returned."""
        _NUMBER.pack_into(self._memory, slot * _SLOT.size, number)

    def hung(self, slot: int) -> None:
        """The process of this slot did not come to its end in time."""
        _NUMBER.pack_into(self._memory, slot * _SLOT.size + _NUMBER.size, 1)

    @property
    def word(self) -> int:
        """A number that all processes see, e.g. the time."""
        number: int = _NUMBER.unpack_from(self._memory, 0)[0]
        return number

    @word.setter
    def word(self, number: int) -> None:
        _NUMBER.pack_into(self._memory, 0, number)

    @property
    def over(self) -> bool:
        """Whether somebody has called `end`."""
        number: int = _NUMBER.unpack_from(self._memory, _NUMBER.size)[0]
        return number != 0

    def end(self) -> None:
        """Tell all processes that their work is over."""
        _NUMBER.pack_into(self._memory, _NUMBER.size, 1)

    def number(self) -> int:
        """Return how many records were accepted."""
        return sum(highest for highest, _ in _SLOT.iter_unpack(self._memory[_SLOT.size :]))

    def accepted(self) -> set[tuple[int, int]]:
        """Return slot and number of every accepted record."""
        rows = enumerate(_SLOT.iter_unpack(self._memory[:]))
        return {
            (slot, number)
            for slot, (highest, _) in rows
            if slot
            for number in range(1, highest + 1)
        }

    def hangs(self) -> int:
        """Return how many processes hung."""
        return sum(hung for _, hung in _SLOT.iter_unpack(self._memory[_SLOT.size :]))
