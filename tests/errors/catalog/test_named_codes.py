"""Promises for the codes that the vendors' own lists name: each is known and says what to do.

Zoho: https://www.zoho.com/crm/developer/docs/api/v7/status-codes.html
Engagifii: the error guide of its API.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from crmlogging.errors.catalog import builtin
from crmlogging.errors.catalog.rules import normal_code
from crmlogging.errors.classify import classify
from crmlogging.errors.model import CrmError

# code: status, category, reason, whether it hits every record
ZOHO: Final[dict[str, tuple[int, str, str, bool]]] = {
    "INVALID_MODULE": (400, "validation", "WRONG_OBJECT", True),
    "INVALID_DATA": (400, "validation", "INVALID", False),
    "UNABLE_TO_PARSE_DATA_TYPE": (400, "validation", "INVALID_TYPE", False),
    "UNABLE_TO_PARSE_DATATYPE": (400, "validation", "INVALID_TYPE", False),
    "DUPLICATE_DATA": (400, "validation", "DUPLICATE", False),
    "MANDATORY_NOT_FOUND": (400, "validation", "REQUIRED", False),
    "PATTERN_NOT_MATCHED": (400, "validation", "INVALID_FORMAT", False),
    "PATTERN_NO_MATCHED": (400, "validation", "INVALID_FORMAT", False),
    "INVALID_REQUEST_METHOD": (400, "validation", "WRONG_METHOD", True),
    "REQUIRED_PARAM_MISSING": (400, "validation", "REQUIRED", False),
    "LICENSE_LIMIT_EXCEEDED": (400, "plan", "LICENSE_LIMIT", False),
    "AUTHENTICATION_FAILURE": (401, "auth", "WRONG_DATA_CENTRE", True),
    "AUTHENTICATION_FAILED": (401, "auth", "WRONG_DATA_CENTRE", True),
    "OAUTH_SCOPE_MISMATCH": (401, "permissions", "SCOPE_MISSING", False),
    "INVALID_TOKEN": (401, "auth", "TOKEN_INVALID", True),
    "NO_PERMISSION": (403, "permissions", "ACCESS_DENIED", False),
    "FEATURE_NOT_SUPPORTED": (403, "plan", "FEATURE_NOT_IN_PLAN", False),
    "INVALID_URL_PATTERN": (404, "validation", "WRONG_URL", True),
}
ENGAGIFII: Final[dict[str, tuple[int, str, str, bool]]] = {
    "MISSING_TOKEN": (401, "auth", "CREDENTIALS_MISSING", True),
    "INVALID_TOKEN": (401, "auth", "TOKEN_INVALID", True),
    "EXPIRED_TOKEN": (401, "auth", "TOKEN_EXPIRED", True),
    "INSUFFICIENT_SCOPE": (401, "permissions", "SCOPE_MISSING", False),
    "MISSING_TENANT_CODE": (403, "permissions", "TENANT_INVALID", True),
    "INVALID_TENANT": (403, "permissions", "TENANT_INVALID", True),
    "ACCESS_DENIED": (403, "permissions", "ACCESS_DENIED", False),
    "TENANT_SUSPENDED": (403, "plan", "ACCOUNT_SUSPENDED", True),
    "VALIDATION_ERROR": (400, "validation", "INVALID", False),
    "REQUIRED_FIELD": (400, "validation", "REQUIRED", False),
    "INVALID_FORMAT": (400, "validation", "INVALID_FORMAT", False),
    "INVALID_LENGTH": (400, "validation", "TOO_LONG", False),
    "INVALID_VALUE": (400, "validation", "INVALID", False),
    "DUPLICATE_VALUE": (400, "validation", "DUPLICATE", False),
    "INVALID_RELATIONSHIP": (400, "validation", "INVALID_RELATIONSHIP", False),
    "BUSINESS_RULE_VIOLATION": (409, "validation", "BUSINESS_RULE", False),
    "CIRCULAR_RELATIONSHIP": (409, "validation", "BUSINESS_RULE", False),
    "HAS_ACTIVE_MEMBERS": (409, "validation", "BUSINESS_RULE", False),
    "INVALID_DATE_RANGE": (422, "validation", "BUSINESS_RULE", False),
    "DUPLICATE_MEMBERSHIP": (409, "validation", "BUSINESS_RULE", False),
    "CAPACITY_EXCEEDED": (422, "validation", "BUSINESS_RULE", False),
    "RESOURCE_NOT_FOUND": (404, "validation", "NOT_FOUND", False),
    "RESOURCE_DELETED": (404, "validation", "DELETED", False),
    "RESOURCE_INACTIVE": (404, "validation", "DELETED", False),
    "INVALID_ID": (404, "validation", "NOT_FOUND", False),
    "RATE_LIMIT_EXCEEDED": (429, "transient", "RATE_LIMITED", False),
    "REQUESTS_PER_MINUTE_EXCEEDED": (429, "transient", "RATE_LIMITED", False),
}


def told(**answer: Any) -> CrmError:
    """Classify what must be an error."""
    error = classify(**answer)
    assert error is not None
    return error


def verdict(error: CrmError) -> tuple[str, str, bool]:
    """Return what the tables above list."""
    return error.category.value, error.reason, error.abort_run


class TestZoho:
    @pytest.mark.parametrize("code", ZOHO)
    def test_code_of_a_request(self, code: str) -> None:
        """A code at the top of the body decides."""
        status, *due = ZOHO[code]
        body = {"code": code, "details": {}, "message": "no", "status": "error"}
        error = told(status=status, provider="zoho", body=body)
        assert verdict(error) == tuple(due)
        assert error.provider_code == code

    @pytest.mark.parametrize("code", ZOHO)
    @pytest.mark.parametrize("key", ["data", "users"])
    def test_code_of_a_record(self, code: str, key: str) -> None:
        """A record's code decides beneath a status that says success, and names its field."""
        _, *due = ZOHO[code]
        failed = {
            "code": code,
            "details": {"api_name": "Phone"},
            "message": "no",
            "status": "error",
        }
        good = {"code": "SUCCESS", "details": {"id": "1"}, "message": "added", "status": "success"}
        error = told(status=207, provider="zoho", body={key: [good, failed]})
        assert verdict(error) == tuple(due)
        assert [item.index for item in error.items] == [1]
        assert [field.field for field in error.fields] == ["Phone"]


class TestEngagifii:
    @pytest.mark.parametrize("code", ENGAGIFII)
    def test_code_of_an_error(self, code: str) -> None:
        """The error's own code decides, and the request can be found again."""
        status, *due = ENGAGIFII[code]
        body = {"error": {"code": code, "message": "no", "requestId": "req-0001-a"}}
        error = told(status=status, provider="engagifii", body=body)
        assert verdict(error) == tuple(due)
        assert (error.provider_code, error.request_id) == (code, "req-0001-a")

    @pytest.mark.parametrize("code", [c for c, row in ENGAGIFII.items() if row[1] == "validation"])
    def test_code_of_a_detail(self, code: str) -> None:
        """Below the code of a group each field has its own."""
        detail = {"field": "memberId", "message": "no", "code": code}
        error = told(
            status=422,
            provider="engagifii",
            body={"error": {"code": "VALIDATION_ERROR", "message": "no", "details": [detail]}},
        )
        assert error.category == "validation"
        assert [field.field for field in error.fields] == ["memberId"]

    @pytest.mark.parametrize(
        "code", [c for c, row in ENGAGIFII.items() if row[2] == "BUSINESS_RULE"]
    )
    def test_a_business_rule_is_for_sales_operations(self, code: str) -> None:
        """Tier 3: no engineer can solve it."""
        error = told(status=409, provider="engagifii", body={"error": {"code": code}})
        assert (error.tier, error.owner) == (3, "sales_ops")

    def test_headers_of_a_limit(self) -> None:
        """The limit's own headers tell how long to wait."""
        error = told(
            status=429,
            provider="engagifii",
            headers={
                "X-RateLimit-Limit": "60",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "42",
            },
            body={"error": {"code": "REQUESTS_PER_MINUTE_EXCEEDED"}},
        )
        assert error.retry_after_seconds == 42


class TestRows:
    @pytest.mark.parametrize(("name", "codes"), [("zoho", ZOHO), ("engagifii", ENGAGIFII)])
    def test_each_has_a_row_of_its_own(self, name: str, codes: dict[str, object]) -> None:
        """The vendor's file names each code: none is left to the words it is made of."""
        known = builtin().providers[name].by_code
        assert [code for code in codes if normal_code(code) not in known] == []
