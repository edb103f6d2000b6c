"""The first moment of a segment, in which others may already take it for an abandoned one."""

from __future__ import annotations

import errno
import os
from typing import Final

from crmlogging.storage import locking
from crmlogging.storage.framing import MAGIC
from crmlogging.storage.locking import adopt, forget, try_lock
from crmlogging.storage.opening import make_directory, open_new
from crmlogging.storage.segments import SegmentName
from crmlogging.storage.tails import write_whole

__all__ = ["begin_segment"]

_ATTEMPTS: Final = 8


def begin_segment(directory: str, label: str, when: float) -> tuple[SegmentName, int]:
    """Create a segment and take its lock.

    Args:
        directory: created (0700) if missing.
        label: as in `SegmentName`.
        when: seconds since the epoch of its first record.

    Returns:
        Its name, and the descriptor, adopted. In a child that was born in here both are still
        its parent's.

    Raises:
        OSError: it cannot be created.
    """
    generation = locking.generation
    for _ in range(_ATTEMPTS):
        name = SegmentName.new(label, when)
        path = os.path.join(directory, str(name))
        try:
            fd = open_new(path, mode=0o600, flags=os.O_APPEND)
        except FileNotFoundError:  # The directory was removed.
            make_directory(directory)
            continue
        except FileExistsError:  # A child, forked in here, was faster.
            continue
        adopt(fd)
        try:
            # Locked, or even deleted by now: somebody collected it as abandoned.
            if not try_lock(fd) or not os.fstat(fd).st_nlink:
                raise BlockingIOError
            write_whole(fd, MAGIC, 0, generation)
        except BlockingIOError:
            forget(fd)
            continue
        except BaseException:
            if generation == locking.generation:
                os.unlink(path)
            forget(fd)
            raise
        return name, fd
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
