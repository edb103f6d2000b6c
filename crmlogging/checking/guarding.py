"""Secrets that must not come out of this process for a while, and values that must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from crmlogging.checking.recording import Recording, Written
from crmlogging.checking.traces import Search

__all__ = ["Guard"]

_COMPLAINTS_SHOWN: Final = 20


class Guard:
    """Records all that comes out, from construction to `finish`.

    Args:
        secrets: what must not come out, in no form.
        must_show: what has to.

    Raises:
        ValueError: there is no secret, or one is too short.
    """

    def __init__(self, secrets: Iterable[object], must_show: Iterable[object] = ()) -> None:
        self._search = Search(secrets)
        self._must_show = [str(each) for each in must_show]
        self._recording = Recording()
        self._recording.start()

    def finish(self) -> list[str]:
        """End the recording; return one sentence for each thing that is wrong."""
        written = self._recording.stop()
        leaks = list(self._leaks(written))
        complaints = leaks[:_COMPLAINTS_SHOWN]
        if len(leaks) > len(complaints):
            complaints.append(f"and {len(leaks) - len(complaints)} more like these")
        return [*complaints, *self._missing(written)]

    def _leaks(self, written: Iterable[Written]) -> Iterator[str]:
        for each in written:
            for trace in self._search.traces(each.text):
                source = f", logged by {each.source}" if each.source else ""
                yield (
                    f"{self._search.named(trace.position)} came out, {trace.form}, "
                    f"by {each.where}{source}:\n    {trace.excerpt}"
                )

    def _missing(self, written: list[Written]) -> Iterator[str]:
        for value in self._must_show:
            if not any(value in each.text for each in written):
                yield f"{value!r} must show, and is in none of {len(written)} texts that came out"
