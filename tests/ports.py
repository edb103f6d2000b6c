"""Ports for servers that do not tell which one they got."""

from __future__ import annotations

import random
import socket
from typing import Final

__all__ = ["free_port"]

# Linux gives those from 32,768 up, macOS from 49,152 up, to every connection that asks for any: one
# of them may be taken before the server that it is meant for has begun to listen.
_LEAST: Final = 10_000
_MOST: Final = 32_000
_chance = random.SystemRandom()  # The other one gives every process of a run the same numbers.


def free_port() -> int:
    """Return a port of loopback that nobody has, and that nobody gets by chance."""
    while True:
        port = _chance.randrange(_LEAST, _MOST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
