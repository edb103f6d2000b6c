"""Promises of sentences: the fields they name are found, a value never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.errors.sentences.named import guarded_in, named_in
from crmlogging.errors.text.field_names import FIELD_NAME, PLACEHOLDER


class TestNamedIn:
    @pytest.mark.parametrize(
        ("message", "names"),
        [
            ("Required fields are missing: [LastName, Plan__c]", ["LastName", "Plan__c"]),
            ("No such column 'Plan_Tier__c' on sobject of type Contact", ["Plan_Tier__c"]),
            ("duplicate value found: Erp__c duplicates value on record with id: 003", ["Erp__c"]),
            ("The length of the 'emailaddress1' attribute is too large", ["emailaddress1"]),
            ('column "plan_tier" of relation "contacts" does not exist', ["plan_tier"]),
            ("invalid value for field phone", ["phone"]),
            ("Missing required param: email.", ["email"]),
            ("propertyName=email, value=z@x.example", ["email"]),
            ("last_name can't be blank", ["last_name"]),
            ("The type for sales_accounts is invalid.", ["sales_accounts"]),
            ("Email: invalid email address: nobody@", ["Email"]),
            ("emails.0.email: invalid email 'x@@y.example'", ["emails.email"]),
            ('Unknown field name: "Plan Tier"', [PLACEHOLDER]),
            ("'a_key' or 'b_key' is required", ["a_key", "b_key"]),
            ("person_id or org_id must be set", ["person_id", "org_id"]),
            ("src parameter is not present", ["src"]),
            ("Enter valid code [OCRD.GroupCode]", ["OCRD.GroupCode"]),
            ("The 'To' number +49 is not a valid phone number", ["To"]),
            ("Le champ « courriel » n'est pas valide", ["courriel"]),
            ("Required fields were not provided: a_b, c_d", ["a_b", "c_d"]),
            ("The following fields are required: title, a_b or c_d", ["title", "a_b", "c_d"]),
            ("email or external_id is required", ["email", "external_id"]),
            ("Missing required parameters: `a_b`, `c_d`", ["a_b", "c_d"]),
            ("Missing keys: ['lead_id']", ["lead_id"]),
            ("each value in tags must be a string", ["tags"]),
            ("must be a string [json-pointer:/blocks/0/text]", ["blocks.text"]),
            ("1 validation error\nowner.zip\n  Input should be 5 [type=x]", ["owner.zip"]),
            ("required key not provided @ data['contact']['zip']", ["contact.zip"]),
            ("body -> contact -> zip: no such zip", ["contact.zip"]),
            ("One of '{TaxNumber}' is expected.", ["TaxNumber"]),
            ("Key (tenant_id, lower(email::text))=(7, x) exists", ["tenant_id", "email"]),
            ("due_on: Not a recognized date", ["due_on"]),
            ("Email has already been taken, Phone is too short", ["Phone", "Email"]),
            ("Either 'domain' or 'a_b' must be specified", ["domain", "a_b"]),
            ("You must provide either email or user_id.", ["email", "user_id"]),
            ("body/phones/0 must have required property 'zip'", ["phones.zip"]),
            ("Required property 'zip' not found in JSON. Path 'a', line 1", ["a.zip"]),
            ("cvc-x: 'y' is not a valid value for 'date'. of element 'Born'", ["Born"]),
            ("The fields owner, slug must make a unique set.", ["owner", "slug"]),
            ("Validation failed: Slug can't be blank, Iban is too long", ["Slug", "Iban"]),
            ('Validation error: Required at "nick"; Required at "a.b"', ["nick", "a.b"]),
            ("Additional properties are not allowed ('a_b' was unexpected)", ["a_b"]),
            ("Slug can't be blank", ["Slug"]),
            ("seat_count is out of range", ["seat_count"]),
            ("'betrag' ist ein Pflichtfeld", ["betrag"]),
            ("Le paramètre 'date_debut' est invalide", ["date_debut"]),
            ("フィールド「last_name」は必須です。", ["last_name"]),
            ("no zip in contact: contact.zip is required, contact is required", ["contact.zip"]),
        ],
    )
    def test_field_is_found(self, message: str, names: list[str]) -> None:
        """A sentence that names a field as one gives its name."""
        assert named_in(message) == names

    @pytest.mark.parametrize(
        "message",
        [
            "anna_smith is already taken",
            "'h.nowak' is not a valid email",
            "h.nowak is invalid",
            "Ada is invalid",
            "Status: bad value for restricted picklist field: hot_lead",
            "The provided key 'sk_live_abc' does not have permission",
            "User 'anna' was not found",
            "Value 'field_marshal' is not allowed",
            "gold_tier is not valid",
            "anna_smith: user not found",
            "missing anna_smith",
            "El anna_smith ya existe",
            "type mismatch for anna_smith",
            'Unknown name "Anna"',
            "The 'Anna' address is invalid",
            "anna_smith or ben_ng must be removed",
            "anna or ben is required",
            "anna_smith: not a member of the team",
            "No results for 'anna'",
            "The contact 'Anna' is not valid",
            "anna.smith must be a member",
            "Value 'gold' must be one of the options",
            "Sales rep 'anna' should be active",
            "Last name is required",
            "anna_b cannot be assigned",
            "anna_b must be a member of the team",
            "Validation failed: Anna is invalid",
            "Could not parse hot_lead",
            "Invalid phone number for anna_smith",
            "Benutzer 'anna' fehlt",
            "Invalid owner field: anna_smith",
            "Company already exists.",
            "IDs must be positive",
            "",
        ],
    )
    def test_value_is_none(self, message: str) -> None:
        """A value in a sentence is never taken for the name of a field."""
        found = named_in(message)
        assert not set(found) - {"Status"}

    @pytest.mark.parametrize(
        ("message", "names"),
        [
            ("User has no access to the field salary", ["salary"]),
            ("Permission to access '.tax1.' attribute denied.", ["tax1"]),
            ("You may not edit column 'rate' of this table", ["rate"]),
            ("The user anna_smith has no access to salary", []),
            ("The field level security denies it", []),
        ],
    )
    def test_refusal(self, message: str, names: list[str]) -> None:
        """A refusal names a field only where it says that it is one."""
        assert guarded_in(message) == names

    @given(st.text(alphabet="ab_.:'\" field isnvalidrequ[],=/", max_size=200))
    def test_any_text(self, message: str) -> None:
        """Any text gives names in their shape, or none."""
        for name in named_in(message):
            assert name == PLACEHOLDER or FIELD_NAME.fullmatch(name)
