"""The peers; importing this registers them. None of their packages is imported here."""

from benchmarks.peers import behind_logging, floors, ours, packages

__all__ = ["behind_logging", "floors", "ours", "packages"]
