"""Promises for codes that are nothing but digits."""

from __future__ import annotations

import pytest

from crmlogging.errors.classify import classify


def code_of(value: object, key: str = "code") -> str | None:
    """Return the code told for a body that holds `value` under `key`."""
    error = classify(status=400, body={key: value, "message": "Request failed"})
    assert error is not None
    return error.provider_code


class TestNumerals:
    @pytest.mark.parametrize("value", [53100020, 99991663, 200100061])
    def test_a_number_of_eight_or_nine_digits_is_a_code(self, value: int) -> None:
        """Zuora and others number their errors so; the body spells no phone number as a number."""
        assert code_of(value) == str(value)
        assert type(code_of(value)) is str

    @pytest.mark.parametrize("value", ["53100020", "015123456789", 4915123456789])
    def test_a_text_of_that_length_is_none(self, value: object) -> None:
        """It could be a phone number, as could a longer number."""
        assert code_of(value) is None

    def test_a_weaker_key_holds_no_such_code(self) -> None:
        """What stands under ``key`` or ``reason`` may be anything."""
        assert code_of(53100020, "reason") is None
