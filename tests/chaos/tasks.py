"""The application that celery runs: a task logs one record, and notes that it was accepted."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from celery import Celery  # type: ignore[import-untyped]  # it has no types
from celery.signals import setup_logging  # type: ignore[import-untyped]  # it has no types

from tests.chaos.contenders import structured
from tests.chaos.service import configure

PLACE = Path(os.environ.get("CHAOS_PLACE", os.curdir))
application = Celery("chaos", broker="filesystem://")
application.conf.update(
    broker_transport_options={
        "data_folder_in": str(PLACE / "broker"),
        "data_folder_out": str(PLACE / "broker"),
        "control_folder": str(PLACE / "control"),
    },
    task_ignore_result=True,
    worker_send_task_events=False,
)


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery has no types
def _configure(**_: Any) -> None:
    configure(PLACE)


@application.task  # type: ignore[untyped-decorator]  # celery has no types
def log(slot: int, number: int) -> None:
    """Log a record."""
    structured(logging.getLogger("chaos"))(slot, number)
    (PLACE / "done" / f"{slot}-{number}").touch()
