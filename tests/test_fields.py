"""Promises of the field table: every name has a shape, and a value that does not fit is none."""

from __future__ import annotations

import datetime
import enum
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging.fields import CRM_PRESET, FIELDS, MISFIT, SHAPES, conform, field_named
from crmlogging.fields.route_words import words
from crmlogging.fields.routes import template

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


PARTS = (
    st.text(max_size=12)
    | st.from_regex(r"[a-z_]{1,9}", fullmatch=True)
    | st.sampled_from(sorted(words()))
)


class TestRoutes:
    @pytest.mark.parametrize(
        "path",
        [
            # https://developers.hubspot.com/docs/api-reference
            "/crm/v3/objects/contacts/batch/read",
            "/crm/v4/associations/contacts/companies/batch/labels/create",
            "/crm/v3/objects/line_items/{id}",
            "/marketing/v3/transactional/single-email/send",
            "/oauth/v1/access-tokens/{id}",
            # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest
            "/services/data/v59.0/jobs/ingest/{id}/batches",
            "/services/data/v59.0/sobjects/OpportunityLineItem/describe",
            "/services/data/v59.0/sobjects/Product2/{id}",
            "/services/data/v59.0/composite/tree/Account",
            "/services/oauth2/token",
            # https://www.zoho.com/crm/developer/docs/api
            "/crm/v8/Leads/actions/mass_update",
            "/crm/v8/Leads/{id}/actions/convert",
            "/crm/bulk/v8/read/{id}/result",
            # https://learn.microsoft.com/en-us/power-apps/developer/data-platform/webapi
            "/api/data/v9.2/$batch",
            "/api/data/v9.2/accounts({id})/primarycontactid/$ref",
            "/api/data/v9.2/$metadata",
            # https://api.sap.com
            "/$batch",
            "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner({id})/to_BusinessPartnerAddress",
            "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder/$count",
            # Others, and services of one's own.
            "/rest/{id}/{id}/crm.lead.add.json",
            "/v1/people:batchGet",
            "/admin/api/{id}/graphql.json",
            "/webhooks/hubspot",
            "/.well-known/jwks.json",
            "/healthz",
            "/sync-contacts",
            "/contacts/{contact_id}/custom-fields",
            "/leads/{lead_uuid}",
        ],
    )
    def test_words_of_known_routes_stay(self, path: str) -> None:
        """What the providers' pages call a route is shown as there."""
        assert template(path) == path

    @pytest.mark.parametrize(
        ("path", "route"),
        [
            pytest.param("/contact/maria", "/contact/{id}", id="person"),
            pytest.param("/people/maria/notes", "/people/{id}/notes", id="person-in-the-middle"),
            pytest.param("/users/maria.lopez", "/users/{id}", id="name-with-a-dot"),
            pytest.param("/acme/contacts", "/{id}/contacts", id="tenant-first"),
            pytest.param("/api/acme/contacts", "/api/{id}/contacts", id="tenant-behind-api"),
            pytest.param("/lists/new-leads", "/lists/{id}", id="list-named-in-plain-words"),
            pytest.param("/lists//new-leads", "/lists//{id}", id="list-behind-nothing"),
            pytest.param("/lists($top)/new-leads", "/lists({id})/{id}", id="list-behind-a-key"),
            pytest.param("/tenant/new-wave", "/tenant/{id}", id="tenant-named-in-plain-words"),
            pytest.param("/Site/OpenStore", "/Site/{id}", id="site-named-in-plain-words"),
            pytest.param("/domain/health.info", "/domain/{id}", id="domain-of-plain-words"),
            pytest.param("/users/zia", "/users/{id}", id="person-of-a-product's-name"),
            pytest.param(
                "/hooks/catch/12/abcdef/", "/hooks/catch/{id}/{id}/", id="secret-of-a-hook"
            ),
            pytest.param(
                "/rest/1/abcdef/crm.lead.add", "/rest/{id}/{id}/crm.lead.add", id="bitrix"
            ),
            pytest.param("/crm/v3/objects/cars", "/crm/v3/objects/{id}", id="custom-object"),
            pytest.param("/sobjects/Wedding__c/a0", "/sobjects/{id}/{id}", id="custom-sobject"),
            pytest.param("/A_Product('x y')/to_Item", "/A_Product({id})/to_Item", id="key"),
            pytest.param("/A_Product(N='a/b')", "/{id}/{id}", id="key-with-a-slash"),
            pytest.param("/maria(1)", "/{id}", id="unknown-with-a-key"),
            pytest.param("/contacts/deadbeef", "/contacts/{id}", id="letters-only-id"),
            pytest.param("/$maria", "/{id}", id="dollar"),
            pytest.param("/contacts/{maria}", "/contacts/{id}", id="person-in-braces"),
            pytest.param("/contacts/{id_of_maria}", "/contacts/{id}", id="person-among-words"),
            pytest.param("/{}/{_}/{id", "/{id}/{id}/{id}", id="no-parameter"),
            pytest.param("/" + "-".join(["get"] * 30), "/{id}", id="long"),
            pytest.param("/deals?next=/contacts", "/deals", id="query"),
            pytest.param("/deals#/contacts", "/deals", id="fragment"),
            pytest.param("/v123/deals", "/{id}/deals", id="no-version"),
            pytest.param("/caf\u00e9", "/{id}", id="not-ascii"),
        ],
    )
    def test_everything_else_is_an_id(self, path: str, route: str) -> None:
        """A customer's word looks like a route's, so only known ones are shown."""
        assert [template(path), template(route)] == [route, route]

    @given(st.lists(PARTS | PARTS.map("{{{}}}".format), max_size=6))
    def test_shows_nothing_but_known_words(self, parts: list[str]) -> None:
        """Whatever stands in a path; and a template's template is itself."""
        shown = template("/" + "/".join(parts))
        assert template(shown) == shown
        known = {*words(), "", "v", "guid", "pk", "slug", "uuid"}
        pieces = {piece for word in known for piece in re.split("[-_.]", word)}
        for found in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", shown.replace("{id}", "")):
            assert found.lower() in pieces

    def test_no_word_is_a_name(self) -> None:
        """Usual first names stand in no table of words."""
        names = "anna bill carlos david emma frank grace jack john maria mark max rose will"
        assert words().isdisjoint(names.split())
