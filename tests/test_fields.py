"""Promises of the field table: every name has a shape, and a value that does not fit is none."""

from __future__ import annotations

import datetime
import enum

import pytest

from crmlogging.fields import CRM_PRESET, FIELDS, MISFIT, SHAPES, conform, field_named

UTC = datetime.UTC


class Text(str):
    """A subclass of str: foreign code may hide in it."""

    __slots__ = ()


class Level(enum.IntEnum):
    LOW = 1


class TestTable:
    def test_every_row_is_whole(self) -> None:
        """Names are unique, shapes exist, an enum lists its choices, numbers say their unit."""
        assert len({field.name for field in FIELDS}) == len(FIELDS)
        for field in FIELDS:
            assert field.shape in SHAPES, field
            assert (field.shape == "enum") == bool(field.choices), field
            assert field.meaning, field
            assert not field.name.endswith("_ms") or field.unit == "ms", field

    def test_preset_derives_from_the_table(self) -> None:
        """``@crm`` is what is safe and not the formatter's own."""
        assert CRM_PRESET["request.method"] == "enum"
        assert not {"client.ip", "message", "level", "resource.shape"} & CRM_PRESET.keys()

    def test_unknown_names_have_no_row(self) -> None:
        """Look-alikes are other names."""
        assert field_named("request.method") is not None
        assert field_named("Request.method") is field_named("request.method ") is None


class TestConform:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("response.status", 429, 429),
            ("request.duration_ms", 1.5, 1.5),
            ("request.duration_ms", 2, 2),
            ("error.retryable", False, False),
            ("request.method", "PATCH", "PATCH"),
            ("error.category", "auth", "auth"),
            ("crm", "hubspot", "hubspot"),
            ("user.id", "0035g00000abc-1:x", "0035g00000abc-1:x"),
            ("user.id", 4711, 4711),
            ("error.code", "CONTACT_UPDATE_DUPLICATE_EMAIL", "CONTACT_UPDATE_DUPLICATE_EMAIL"),
            ("sync.last_success", "2026-11-22T03:00:00Z", "2026-11-22T03:00:00Z"),
            (
                "sync.last_success",
                datetime.datetime(2026, 11, 22, 3, tzinfo=UTC),
                "2026-11-22T03:00:00.000Z",
            ),
            ("request.path", "/crm/v3/objects/contacts", "/crm/v3/objects/contacts"),
            ("request.path", "/contacts/4711?email=a@b.example#x", "/contacts/{id}"),
            ("request.path", "/contacts/{id}", "/contacts/{id}"),
            ("request.path", "/contacts/maria", "/contacts/{id}"),
            ("request.path", "/contacts/ada@example.com/notes", "/contacts/{id}/notes"),
            (
                "request.path",
                "/services/data/v59.0/sobjects/Account/0015g",
                "/services/data/v59.0/sobjects/Account/{id}",
            ),
            ("request.path", "/a%40b", "/{id}"),
        ],
    )
    def test_what_fits_passes(self, name: str, value: object, expected: object) -> None:
        """Each shape lets its values through, paths as route templates."""
        field = field_named(name)
        assert field is not None
        assert conform(field, value) == expected

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param("response.status", "429", id="number-as-text"),
            pytest.param("response.status", True, id="bool-as-int"),
            pytest.param("response.status", 2**64, id="too-big"),
            pytest.param("response.status", Level.LOW, id="int-enum"),
            pytest.param("request.duration_ms", float("nan"), id="nan"),
            pytest.param("request.duration_ms", float("inf"), id="infinity"),
            pytest.param("error.retryable", 1, id="int-as-bool"),
            pytest.param("request.method", "post", id="lower-case-enum"),
            pytest.param("request.method", "BREW", id="unknown-choice"),
            pytest.param("crm", "HubSpot", id="slug-upper"),
            pytest.param("crm", "x" * 33, id="slug-long"),
            pytest.param("crm", "<Client token=x>", id="repr-as-slug"),
            pytest.param("user.id", "ada@example.com", id="e-mail-as-id"),
            pytest.param("user.id", "a b", id="space-in-id"),
            pytest.param("user.id", "x" * 129, id="long-id"),
            pytest.param("user.id", "", id="empty-id"),
            pytest.param("user.id", "a\n", id="newline"),
            pytest.param("user.id", "١٢", id="foreign-digits"),
            pytest.param("user.id", Text("abc"), id="str-subclass"),
            pytest.param("user.id", b"abc", id="bytes"),
            pytest.param("user.id", ["abc"], id="list"),
            pytest.param("error.code", "lower", id="code-lower"),
            pytest.param("sync.last_success", datetime.datetime(2026, 1, 1), id="naive"),  # noqa: DTZ001
            pytest.param("sync.last_success", "yesterday", id="no-time"),
            pytest.param("request.path", "contacts", id="relative-path"),
            pytest.param("request.path", "https://x.example/contacts", id="url"),
            pytest.param("request.path", "/" + "a" * 600, id="long-path"),
        ],
    )
    def test_what_does_not_fit_is_a_misfit(self, name: str, value: object) -> None:
        """A value of another shape never passes, however harmless it looks."""
        field = field_named(name)
        assert field is not None
        assert conform(field, value) is MISFIT
