"""Stable names: what was done to what, out of method and URL; never a part of the URL itself.

``PATCH /crm/v3/objects/contacts/501`` is ``CONTACT_UPDATE``. Words come from a fixed list, so that
neither ids nor names of people get into a code, and codes stay few.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["action_of", "field_label", "operation", "split_url", "without_numbers"]

_MAX_URL: Final = 2_048
_MAX_REMEMBERED: Final = 2_048
# Host and path; user, port, query and fragment are left out.
_URL: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://(?:[^/?#]*@)?"
    r"(\[[^\]/?#]*\]|[^/?#:]*)(?::\d*)?|(?=/))([^?#]*)"
)
_NUMBERED: Final = re.compile(r"/[0-9]{1,32}(?![^/?#])")
_SPLIT: Final = re.compile(r"[/()?=&.,:]+")

_RESOURCE_WORDS: Final = {
    "ACCOUNT": "account accounts",
    "ACTIVITY": "activity activities",
    "BUSINESS_PARTNER": "a_businesspartner businesspartner businesspartners",
    "CALL": "call calls",
    "CAMPAIGN": "campaign campaigns",
    "CASE": "case cases",
    "COMMITTEE": "committee committees",
    "COMPANY": "company companies",
    "CONTACT": "contact contacts",
    "CUSTOMER": "customer customers",
    "DEAL": "deal deals",
    "EMAIL": "email emails message messages",
    "EVENT": "event events",
    "FILE": "file files attachment attachments",
    "FORM": "form forms",
    "INVOICE": "invoice invoices",
    "JOB": "job jobs",
    "LEAD": "lead leads",
    "LIST": "list lists audience audiences",
    "MEETING": "meeting meetings",
    "MEMBER": "member members",
    "NOTE": "note notes annotations",
    "OPPORTUNITY": "opportunity opportunities",
    "ORDER": "order orders",
    "ORGANIZATION": "organization organizations organisation organisations",
    "OWNER": "owner owners",
    "PAYMENT": "payment payments payment_intents charges",
    "PERSON": "person persons people",
    "PIPELINE": "pipeline pipelines",
    "PRODUCT": "product products",
    "PROPERTY": "property properties fields attributes data_attributes",
    "QUOTE": "quote quotes",
    "SCHEMA": "schema schemas",
    "SUBSCRIPTION": "subscription subscriptions",
    "TAG": "tag tags",
    "TASK": "task tasks",
    "TICKET": "ticket tickets",
    "USER": "user users",
    "WEBHOOK": "webhook webhooks",
}
_RESOURCES: Final = {w: name for name, words in _RESOURCE_WORDS.items() for w in words.split()}
_TOKEN_WORDS: Final = frozenset(("token", "tokens", "oauth", "oauth2", "authorize", "login"))
_ACTIONS: Final = {
    "search": "SEARCH", "query": "SEARCH", "queryall": "SEARCH", "upsert": "UPSERT",
    "merge": "MERGE", "convert": "CONVERT", "import": "IMPORT", "export": "EXPORT",
    "graphql": "QUERY", "soap": "CALL", "delete": "DELETE", "archive": "DELETE",
    "create": "CREATE", "update": "UPDATE", "read": "READ", "sync": "UPSERT",
    "mass_update": "UPDATE",
}  # fmt: skip
_METHODS: Final = {
    "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "GET": "READ", "HEAD": "READ",
    "DELETE": "DELETE", "OPTIONS": "READ", "QUERY": "SEARCH",
}  # fmt: skip
_ACTION_WORDS: Final = frozenset((*_ACTIONS.values(), *_METHODS.values(), "CALL", "REQUEST"))
_LABEL_WORDS: Final = {
    "ADDRESS": "address street city zip postalcode postal_code",
    "AMOUNT": "amount price",
    "COMPANY": "company company_name companyname",
    "COUNTRY": "country countrycode country_code",
    "CURRENCY": "currency currencyisocode currency_code",
    "DATE": "date closedate close_date birthdate birthday expected_close_date",
    "DOMAIN": "domain domains website url",
    "EMAIL": "email emails emailaddress emailaddress1 email_address email_addresses mail",
    "FIRST_NAME": "firstname first_name fname givenname",
    "ID": "id",
    "LAST_NAME": "lastname last_name lname surname familyname",
    "NAME": "name fullname full_name displayname",
    "OWNER": "owner ownerid owner_id hubspot_owner_id",
    "PHONE": "phone phones phonenumber phone_number phone_numbers mobile mobilephone mobile_phone"
    " telephone telephone1 fax",
    "STATUS": "status stage dealstage stagename stage_id lead_status leadstatus",
    "TITLE": "title subject",
}
_FIELD_LABELS: Final = {w: label for label, words in _LABEL_WORDS.items() for w in words.split()}

_operations: dict[tuple[str, str], tuple[str, str]] = {}


def split_url(url: object) -> tuple[str, str]:
    """Return host (lower case) and path of `url`, without user, port and query; "" where absent."""
    if isinstance(url, bytes):
        text = url[:_MAX_URL].decode("latin-1")
    else:
        text = "" if url is None else str(url)[:_MAX_URL]
    match = _URL.match(text)
    return ((match[1] or "").lower(), match[2]) if match is not None else ("", "")


def without_numbers(url: str) -> str:
    """Return `url` with 0 for each segment of its path that is a number: equal for all records.

    Example:
        >>> without_numbers("https://api.example.com/v3/contacts/471?a=17")
        'https://api.example.com/v3/contacts/0?a=17'
    """
    return _NUMBERED.sub("/0", url) if len(url) < _MAX_URL else url


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


def action_of(code: str) -> str:
    """Return the action of a stable code ``DOMAIN_ACTION_REASON``; ``CALL`` if it is unknown.

    Example:
        >>> action_of("BUSINESS_PARTNER_UPDATE_LOCKED"), action_of("API_CALL_TOKEN_EXPIRED")
        ('UPDATE', 'CALL')
    """
    return next((word for word in code.split("_")[1:] if word in _ACTION_WORDS), "CALL")


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
