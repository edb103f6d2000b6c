"""Promises of AsyncHandler before a stream without a buffer, as ``python -u`` makes them."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
from typing import Any

from crmlogging import AllowlistFilter, AsyncHandler, JsonFormatter

RECORDS = 1_000


class TestUnbufferedStream:
    def test_a_pipe_that_takes_only_a_part_gets_the_rest_later(self) -> None:
        """Somebody made stdout non-blocking (a shell, Node): a full pipe loses no line."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        raw: Any = io.FileIO(writing, "w", closefd=False)
        stream = io.TextIOWrapper(raw, write_through=True)
        target = logging.StreamHandler(stream)
        target.setFormatter(JsonFormatter(service="crm-sync"))
        handler = AsyncHandler(handlers=[target], levels=False)
        handler.addFilter(AllowlistFilter(["@crm"]))
        got: list[bytes] = []

        def read() -> None:
            with open(reading, "rb") as lines:
                got.extend(lines)

        reader = threading.Thread(target=read)
        try:
            logger = logging.Logger("crm.unbuffered")
            logger.addHandler(handler)
            for number in range(RECORDS):
                logger.info("Synced", extra={"request.attempt": number})
            assert not handler.drain(0.1)  # nobody reads yet
            reader.start()
            assert handler.drain(60)
            assert handler.stats()["delivered"] == RECORDS
        finally:
            handler.close()
            os.close(writing)
            if reader.ident is not None:
                reader.join()
        assert [json.loads(line)["request.attempt"] for line in got] == list(range(RECORDS))
