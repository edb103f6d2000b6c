"""The scenarios; importing this registers them, and the peers that only one of them has."""

from benchmarks.scenarios import (
    asynchronous,
    classifying,
    disabled,
    document,
    growing,
    importing,
    lines,
    redacting,
    sharing,
    stages,
    storm,
    uploading,
)

__all__ = [
    "asynchronous",
    "classifying",
    "disabled",
    "document",
    "growing",
    "importing",
    "lines",
    "redacting",
    "sharing",
    "stages",
    "storm",
    "uploading",
]
