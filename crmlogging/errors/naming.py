"""Stable names: what was done to what, out of method and URL; never a part of the URL itself.

``PATCH /crm/v3/objects/contacts/501`` is ``CONTACT_UPDATE``. Words come from a fixed list, so that
neither ids nor names of people get into a code, and codes stay few.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["field_label", "operation", "split_url"]

_MAX_URL: Final = 2_048
_WORD: Final = re.compile(r"[A-Za-z]+")
_SPLIT: Final = re.compile(r"[/()?=&.,:]+")

_RESOURCES: Final = {
    word: name
    for name, words in {
        "CONTACT": "contact contacts", "LEAD": "lead leads", "PERSON": "person persons people",
        "COMPANY": "company companies", "ACCOUNT": "account accounts", "DEAL": "deal deals",
        "OPPORTUNITY": "opportunity opportunities", "TICKET": "ticket tickets", "CASE": "case cases",
        "ORGANIZATION": "organization organizations organisation organisations", "TASK": "task tasks",
        "CUSTOMER": "customer customers", "NOTE": "note notes annotations", "CAMPAIGN": "campaign campaigns",
        "MEMBER": "member members", "LIST": "list lists audience audiences", "PRODUCT": "product products",
        "ORDER": "order orders", "INVOICE": "invoice invoices", "QUOTE": "quote quotes",
        "SUBSCRIPTION": "subscription subscriptions", "PAYMENT": "payment payments payment_intents charges",
        "USER": "user users", "OWNER": "owner owners", "PIPELINE": "pipeline pipelines",
        "PROPERTY": "property properties fields attributes data_attributes", "SCHEMA": "schema schemas",
        "EVENT": "event events", "ACTIVITY": "activity activities", "CALL": "call calls",
        "EMAIL": "email emails messages message", "MEETING": "meeting meetings", "FORM": "form forms",
        "COMMITTEE": "committee committees", "TAG": "tag tags", "FILE": "file files attachment attachments",
        "WEBHOOK": "webhook webhooks", "JOB": "job jobs", "BUSINESS_PARTNER": "a_businesspartner businesspartner",
    }.items()
    for word in words.split()
}  # fmt: skip
_TOKEN_WORDS: Final = frozenset(("token", "tokens", "oauth", "oauth2", "authorize", "login"))
_ACTIONS: Final = {
    "search": "SEARCH", "query": "SEARCH", "queryall": "SEARCH", "upsert": "UPSERT", "merge": "MERGE",
    "convert": "CONVERT", "import": "IMPORT", "export": "EXPORT", "graphql": "QUERY", "soap": "CALL",
    "delete": "DELETE", "archive": "DELETE", "create": "CREATE", "update": "UPDATE", "read": "READ",
    "sync": "UPSERT", "mass_update": "UPDATE",
}  # fmt: skip
_METHODS: Final = {
    "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "GET": "READ", "HEAD": "READ",
    "DELETE": "DELETE", "OPTIONS": "READ", "QUERY": "SEARCH",
}  # fmt: skip
_FIELD_LABELS: Final = {
    word: label
    for label, words in {
        "EMAIL": "email emails emailaddress emailaddress1 email_address email_addresses mail e_mail useremail",
        "PHONE": "phone phones phonenumber phone_number mobile mobilephone mobile_phone telephone1 telephone "
        "phone_numbers homephone mobilephone1 fax",
        "NAME": "name fullname full_name displayname", "FIRST_NAME": "firstname first_name fname givenname",
        "LAST_NAME": "lastname last_name lname surname familyname", "COMPANY": "company company_name companyname",
        "DOMAIN": "domain domains website url", "OWNER": "owner ownerid owner_id hubspot_owner_id",
        "STATUS": "status stage dealstage stagename stage_id lead_status leadstatus", "ID": "id",
        "DATE": "date closedate close_date birthdate birthday expected_close_date", "AMOUNT": "amount price value",
        "COUNTRY": "country countrycode country_code", "ADDRESS": "address street city zip postalcode postal_code",
        "TITLE": "title subject", "CURRENCY": "currency currencyisocode currency_code",
    }.items()
    for word in words.split()
}  # fmt: skip


def split_url(url: object) -> tuple[str, str]:
    """Return host (lower case) and path of `url`, without user, port and query; "" where absent."""
    if isinstance(url, bytes):
        text = url[:_MAX_URL].decode("latin-1")
    else:
        text = "" if url is None else str(url)[:_MAX_URL]
    _, mark, rest = text.partition("://")
    if not mark:
        if not text.startswith("/"):
            return "", ""
        rest = text
    path_at = len(rest)
    for mark in "/?#":
        found = rest.find(mark)
        if 0 <= found < path_at:
            path_at = found
    host = rest[:path_at].rpartition("@")[2].lower()
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return host, rest[path_at:].partition("?")[0].partition("#")[0]


_MAX_REMEMBERED: Final = 2_048
_operations: dict[tuple[str, str], tuple[str, str]] = {}


def operation(method: str, path: str) -> tuple[str, str]:
    """Return domain and action, e.g. ``("CONTACT", "UPDATE")``; ``("API", "CALL")`` if unknown.

    Args:
        method: HTTP method in upper case, or "".
        path: as from `split_url`.
    """
    key = (method, path)
    known = _operations.get(key)
    if known is None:
        known = _operation(method, path.lower())
        if len(_operations) >= _MAX_REMEMBERED:
            _operations.clear()
        _operations[key] = known
    return known


def _operation(method: str, path: str) -> tuple[str, str]:
    domain, action = "", ""
    for word in _SPLIT.split(path)[:40]:
        word = word.removesuffix("__c")
        if word in _RESOURCES:
            domain = _RESOURCES[word]
        elif word in _TOKEN_WORDS:
            return "TOKEN", "REQUEST"
        action = _ACTIONS.get(word, action)
    if not action:
        action = _METHODS.get(method, "CALL")
    if not domain:
        domain = "RECORD" if path.strip("/") else "API"
    return domain, action


def field_label(name: str) -> str:
    """Return the common label of a field (``EMAIL`` for ``emailaddress1``), or "".

    Example:
        >>> field_label("emailaddress1"), field_label("profile.email"), field_label("shoe_size__c")
        ('EMAIL', 'EMAIL', '')
    """
    last = name.rpartition(".")[2].lower()
    label = _FIELD_LABELS.get(last)
    if label is None and "." in name:
        label = _FIELD_LABELS.get(name.partition(".")[0].lower())
    return label or ""
