"""Looking at folders, each with all that lies in it."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Final

from crmlogging.doctor.files import check_folder
from crmlogging.doctor.findings import Report
from crmlogging.doctor.logs import LogFolder
from crmlogging.doctor.waiting import WaitingFolder

__all__ = ["DAYS", "examine"]

DAYS: Final[Mapping[str, int | None]] = {"debug": 7, "standard": 90}
"""Days that a tier's files are kept where nobody said otherwise."""


def examine(
    folders: Iterable[str],
    *,
    days: Mapping[str, int | None] = DAYS,
    today: datetime.date | None = None,
) -> Report:
    """Look at `folders` and those below them.

    Args:
        days: tier to the days that its files are kept; None for ever.
        today: UTC day, for tests.

    Raises:
        OSError: one of `folders` cannot be read.
    """
    report = Report()
    day = today or datetime.datetime.now(datetime.UTC).date()
    for folder in folders:
        os.listdir(folder)
        for place, below, names in os.walk(folder):
            below.sort()
            # A link to a folder is no folder of ours, and nothing in it is either.
            below[:] = [name for name in below if not os.path.islink(os.path.join(place, name))]
            try:
                check_folder(place, report)
                report.counts["folders"] += 1
                known = WaitingFolder(place, names, report).examine()
                left = [name for name in names if name not in known]
                LogFolder(place, left, report, days=days, today=day).examine()
            except FileNotFoundError:
                continue  # Moved away while this went on.
    return report
