"""An end for calls that never come to one: a peer that sends a byte now and then.

The timeouts of HTTP clients hold for one read, and each byte that arrives begins a new one.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Deadline"]


class Deadline:
    """The time at which whatever a boto3 client does on the network has to be over.

    It is looked at before each read and write, in the thread that makes the call. So the
    connection ends as after any other error: closed by its owner, and never used again. Measured
    from outside, a call ends one read timeout after the deadline at the latest.

    Args:
        monotonic: clock, in seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = math.inf

    def begin(self, seconds: float) -> None:
        """Set the deadline to `seconds` from now."""
        self._end = self._monotonic() + seconds

    def check(self) -> None:
        """Raise TimeoutError if it is over."""
        if self._monotonic() >= self._end:
            raise TimeoutError("the whole took too long")

    def hold_for(self, client: Any) -> None:
        """Apply to all connections that `client` will make.

        The classes of a pool's connections are urllib3's own place for this; botocore gives no
        public way there. A botocore that keeps them elsewhere leaves the timeouts of each read.
        """
        session = getattr(getattr(client, "_endpoint", None), "http_session", None)
        pools = getattr(session, "_pool_classes_by_scheme", {})
        for scheme, pool in pools.items():
            connection = _bounded(pool.ConnectionCls, self)
            pools[scheme] = type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _bounded(kind: Any, deadline: Deadline) -> Any:
    """Return the same kind of connection, whose sockets know `deadline`."""

    class Connection(kind):  # type: ignore[misc]  # known at run time only: urllib3 is optional
        sock: Any

        def connect(self) -> None:
            deadline.check()
            super().connect()
            self.sock = _Socket(self.sock, deadline)

        def _tunnel(self) -> None:  # through a proxy, on the way to TLS, which wants a real socket
            real = self.sock
            self.sock = _Socket(real, deadline)
            super()._tunnel()
            self.sock = real

    return Connection


class _Socket:
    """A socket, plain or TLS, that looks at a deadline before it reads or writes."""

    def __init__(self, real: Any, deadline: Deadline) -> None:
        self._real = real
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sendall(self, data: Any, *flags: int) -> None:
        self._deadline.check()
        self._real.sendall(data, *flags)

    def makefile(self, mode: str = "r", buffering: int | None = None) -> io.IOBase:
        """Return a file to read from; http.client and botocore read through nothing else."""
        raw = _Reader(self._real.makefile(mode, 0), self._deadline)
        return raw if buffering == 0 else io.BufferedReader(raw)


class _Reader(io.RawIOBase):
    """The reading side of a socket."""

    def __init__(self, real: io.RawIOBase, deadline: Deadline) -> None:
        super().__init__()
        self._real = real
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        self._deadline.check()
        return self._real.readinto(buffer)

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()
        super().close()
