"""Promises of field names: names get out, values never do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.errors.text.field_names import FIELD_NAME, PLACEHOLDER, clean_name


class TestCleanName:
    @pytest.mark.parametrize(
        ("raw", "name"),
        [
            ("email", "email"),
            ("Plan_Tier__c", "Plan_Tier__c"),
            ("/data/attributes/email", "email"),
            ("#/profile/email", "profile.email"),
            ("$.data[0].Last_Name", "Last_Name"),
            ("data.values.domains", "domains"),
            ("emails.0.email", "emails.email"),
            ("custom_fields_values.0.field_id", "custom_fields_values.field_id"),
            ("/data/relationships/account/data", "account"),
            (
                "dcf558aac1ae4e8c4f849ba5e668430d8df9be12",
                "dcf558aac1ae4e8c4f849ba5e668430d8df9be12",
            ),
            ("customfield_10010", "customfield_10010"),
            ("Plan Tier", PLACEHOLDER),
            ("größe", PLACEHOLDER),
            ("x" * 65, PLACEHOLDER),
            ("ada@example.com", None),
            ("bob%40example.com", None),
            ("+49 171 5550199", None),
            ("00491715550199", None),
            ("user_491715550199", None),
            ("sk_live_51Habc", None),
            ("non_field_errors", None),
            ("0", None),
            ("", None),
            ("x" * 300, None),
        ],
    )
    def test_name(self, raw: str, name: str | None) -> None:
        """Paths lose wrapper and indexes; personal keys are no fields; misfits a placeholder."""
        assert clean_name(raw) == name

    @given(st.text(max_size=80))
    def test_only_the_shape_gets_out(self, raw: str) -> None:
        """Whatever stands for a field, only a schema name or the placeholder comes out."""
        name = clean_name(raw)
        assert name is None or name == PLACEHOLDER or FIELD_NAME.fullmatch(name)
        assert name is None or not re.search(r"@|\d{7}(?![0-9a-f])", name) or len(name) == 40
