"""The application that gunicorn serves: ``/SLOT/NUMBER`` logs that record, then answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.chaos.contenders import structured
from tests.chaos.service import configure

Application = Callable[
    [dict[str, Any], Callable[[str, list[tuple[str, str]]], object]], Iterable[bytes]
]


def application() -> Application:
    """Configure logging and return the application (PEP 3333)."""
    configure(Path(os.environ["CHAOS_PLACE"]))
    write = structured(logging.getLogger("chaos"))

    def answer(
        environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        _, slot, number = environ["PATH_INFO"].split("/")
        write(int(slot), int(number))
        start_response("200 OK", [("Content-Length", "2"), ("Connection", "close")])
        return [b"ok"]

    return answer
