"""The normalised error: what every provider's failure is turned into.

Nothing here is a value of a payload. What comes from a body is bounded by shape: `FieldError.field`
to schema-like names, `CrmError.provider_code` and `CrmError.request_id` to identifiers; texts are
our own templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Category", "CrmError", "FieldError", "Owner", "Recoverability", "Scope"]


class Category(StrEnum):
    """What kind of failure it is; decides retry, surfacing and whether a run goes on."""

    AUTH = "auth"
    PERMISSIONS = "permissions"
    PLAN = "plan"
    VALIDATION = "validation"
    TRANSIENT = "transient"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Whether the failure would hit every record of a run, or only this one."""

    RUN = "run"
    RECORD = "record"


class Owner(StrEnum):
    """Who acts."""

    OPERATOR = "operator"
    ADMIN = "admin"
    BILLING_OWNER = "billing_owner"
    DEVELOPER = "developer"
    SALES_OPS = "sales_ops"
    NONE = "none"


class Recoverability(StrEnum):
    """What it takes to get over the failure."""

    USER_ACTIONABLE = "user_actionable"
    SYSTEM_RECOVERABLE = "system_recoverable"
    SYSTEM_FATAL = "system_fatal"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of the payload that the provider objects to.

    Attributes:
        field: name as the provider spells it, list indexes dropped, or ``[FIELD]`` where it does
            not look like a name.
        code: what is wrong with it, e.g. ``REQUIRED``, ``TOO_LONG``, ``INVALID``.
        expected: what would be right, in our own words (``email``, ``integer``,
            ``max_length=20``), or "".
    """

    field: str
    code: str
    expected: str = ""


@dataclass(frozen=True, kw_only=True)
class CrmError:
    """A failure in the same terms for every provider.

    Attributes:
        category: kind of failure.
        code: stable, ``DOMAIN_ACTION_REASON``, e.g. ``CONTACT_UPDATE_DUPLICATE_EMAIL``.
        reason: the last part of it without the field, e.g. ``DUPLICATE``.
        provider: vendor slug, or None.
        provider_code: the most specific stable code of the answer as spelled there, or None.
        status: HTTP status, or None.
        summary: what happened and what to do, in our words.
        retryable: the same request may succeed later.
        actionable: somebody has to act.
        recoverability: what it takes.
        tier: 1 transient, 2 technical, 3 business process.
        owner: who acts.
        fix_url: page where it is fixed (https, a host the catalog lists), or None.
        status_page_url: page where the provider tells about outages, or None.
        retry_after_seconds: delay that the answer tells, or None.
        request_id: the provider's id of the request, or None.
        fields: the fields at fault.
        items: errors of the single records of a bulk answer, in its order.
        abort_run: it would hit every record of a run.
        fingerprint: ``v1:`` and 16 hex digits; equal for errors that differ only in ids, times
            and values.
        index: position of the record within a bulk answer, or None.
        rule: the catalog's rule that decided, e.g. ``hubspot:EXPIRED_AUTHENTICATION``.
        evidence: what that rule looked at: ``code``, ``header``, ``wording``, ``status``,
            ``exception``, ``body`` or ``none``.
    """

    category: Category
    code: str
    reason: str
    provider: str | None
    provider_code: str | None
    status: int | None
    summary: str
    retryable: bool
    actionable: bool
    recoverability: Recoverability
    tier: int
    owner: Owner
    fix_url: str | None
    status_page_url: str | None
    retry_after_seconds: float | None
    request_id: str | None
    fields: tuple[FieldError, ...]
    items: tuple[CrmError, ...]
    abort_run: bool
    fingerprint: str
    index: int | None
    rule: str
    evidence: str

    @property
    def scope(self) -> Scope:
        """``run`` when it would hit every record, else ``record``."""
        return Scope.RUN if self.abort_run else Scope.RECORD

    @classmethod
    def made(cls, attributes: dict[str, Any]) -> CrmError:
        """Return an error that takes over `attributes`; a frozen class would set them singly."""
        error = object.__new__(cls)
        object.__setattr__(error, "__dict__", attributes)
        return error

    def with_request_id(self, request_id: str | None) -> CrmError:
        """Return the same error of another request."""
        attributes = self.__dict__.copy()
        attributes["request_id"] = request_id
        return CrmError.made(attributes)

    def to_problem(self) -> dict[str, Any]:
        """Return it as a problem document (RFC 9457), ready for ``application/problem+json``."""
        from crmlogging.errors.problem import to_problem

        return to_problem(self)
