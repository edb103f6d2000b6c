"""The leak battery: a secret in every hiding place, and none of it in the line.

``python -m tests.leaks`` prints how other libraries do on the same places.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.leaks.battery import ALLOWED, SINKS, fragments, run
from tests.leaks.hiding_places import PLACES
from tests.leaks.hiding_values import TOUCHED


class TestLeaks:
    def test_the_battery_is_large(self) -> None:
        """More than a hundred kinds of places."""
        assert len(PLACES) > 400
        assert len({name.partition(":")[0] for name in PLACES}) > 60

    @pytest.mark.parametrize("name", PLACES)
    def test_nothing_comes_out(
        self, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither the secret nor an encoding of it; what is allowed is all there."""
        TOUCHED.clear()
        path = tmp_path / "crm.jsonl"
        forbidden = run(PLACES[name], path, SINKS["crmlogging"])
        written = path.read_bytes() + "".join(capfd.readouterr()).encode()
        assert [text for text in fragments(forbidden) if text in written.lower()] == []
        assert TOUCHED == []
        lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
        assert lines
        kept = [line for line in lines if line["logger"] != "py.warnings"]
        for line in kept:
            assert {key: line.get(key) for key in ALLOWED} == ALLOWED

    def test_a_plain_formatter_leaks(self, tmp_path: Path) -> None:
        """The battery can see a leak: without the allowlist, most places give one."""
        path = tmp_path / "plain.log"
        forbidden = run(PLACES["in-extra: dict-value"], path, SINKS["python-json-logger"])
        assert any(text in path.read_bytes().lower() for text in fragments(forbidden))
