"""Lifecycle rules of a bucket: what makes it keep the retention promise by itself.

For each tier one rule, on ``PREFIX/tier=TIER/``: it deletes objects at their age, moves them to a
colder class on the way if so asked, removes parts of uploads that never ended, and, where the
bucket is versioned, the versions behind a delete. Rules of others are never touched, except that
they are read: one that deletes our objects earlier breaks the promise.

Source: S3 API reference, PutBucketLifecycleConfiguration. A delete marker that is left alone goes
by itself once it is as old as the rule's days, so no rule is needed for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from crmlogging.exceptions import Problems

__all__ = ["Lifecycle", "Retention", "Rule", "differences", "merged", "rules"]

Rule = dict[str, Any]

DEBUG_TIER: Final = "debug"
STANDARD_TIER: Final = "standard"
_ABORT_DAYS: Final = 2
_OLD_VERSIONS_DAYS: Final = 1
_LONGEST_ID: Final = 255
_MINIMUM_DAYS: Final = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
"""Age before which S3 moves nothing to these classes."""
COLD_CLASSES: Final = (
    *("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER"),
    "DEEP_ARCHIVE",
)


class Retention(NamedTuple):
    """How long objects are kept.

    Attributes:
        debug_days: of the debug tier.
        standard_days: of the standard tier.
        cold_after_days: age at which those of the standard tier move to `storage_class`, or None.
        storage_class: one of `COLD_CLASSES`.
    """

    debug_days: int = 7
    standard_days: int = 90
    cold_after_days: int | None = None
    storage_class: str = "GLACIER_IR"

    def check(self) -> None:
        """Raise ConfigurationError with all that cannot work."""
        problems = Problems("lifecycle")
        for option in ("debug_days", "standard_days"):
            if getattr(self, option) < 1:
                problems.add(option, "must be 1 or more")
        if self.cold_after_days is not None:
            least = _MINIMUM_DAYS.get(self.storage_class, 0)
            if not least <= self.cold_after_days < self.standard_days:
                problems.add(
                    "cold_after_days",
                    f"must be from {least} up ({self.storage_class}) and below standard_days",
                )
        problems.raise_if_any()


def rules(prefix: str, kept: Retention, *, versioned: bool) -> list[Rule]:
    """Return the rules for the objects below `prefix`, as S3 takes them.

    Example:
        >>> debug, standard = rules("crm", Retention(), versioned=False)
        >>> debug["Filter"], debug["Expiration"]
        ({'Prefix': 'crm/tier=debug/'}, {'Days': 7})
    """
    days = {DEBUG_TIER: kept.debug_days, STANDARD_TIER: kept.standard_days}
    made = [_rule(prefix, tier, number, versioned=versioned) for tier, number in days.items()]
    if kept.cold_after_days is not None:
        made[1]["Transitions"] = [
            {"Days": kept.cold_after_days, "StorageClass": kept.storage_class}
        ]
    return made


def _rule(prefix: str, tier: str, days: int, *, versioned: bool) -> Rule:
    below = f"{prefix}/" if prefix else ""
    rule: Rule = {
        "ID": _identity(prefix, tier),
        "Status": "Enabled",
        "Filter": {"Prefix": f"{below}tier={tier}/"},
        "Expiration": {"Days": days},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _ABORT_DAYS},
    }
    if versioned:
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": _OLD_VERSIONS_DAYS}
    return rule


def _identity(prefix: str, tier: str) -> str:
    identity = f"crmlogging {prefix or '-'} {tier}"
    if len(identity) > _LONGEST_ID:
        identity = f"crmlogging {hashlib.sha256(prefix.encode()).hexdigest()} {tier}"
    return identity


def merged(present: Sequence[Rule], wanted: Sequence[Rule]) -> list[Rule]:
    """Return `present` rules with ours replaced by those `wanted`; others stay as they are."""
    own = {rule["ID"] for rule in wanted}
    return [*(rule for rule in present if rule.get("ID") not in own), *wanted]


def differences(present: Sequence[Rule], wanted: Sequence[Rule]) -> list[str]:
    """Say what keeps `present` rules from the promise that is `wanted`, a sentence each."""
    by_identity = {rule.get("ID"): rule for rule in present}
    found = []
    for rule in wanted:
        there = by_identity.get(rule["ID"])
        if there is None:
            found.append(f"{rule['ID']!r} is missing")
        else:
            found += [f"{rule['ID']!r}: {what}" for what in _unlike(there, rule)]
    own = {rule["ID"] for rule in wanted}
    for other in present:
        if other.get("ID") not in own:
            found += _too_early(other, wanted)
    return found


def _unlike(there: Rule, wanted: Rule) -> Iterator[str]:
    for name in sorted({*there, *wanted} - {"ID"}):
        is_now, is_wanted = _plain(there.get(name)), _plain(wanted.get(name))
        if name == "Filter":
            is_now, is_wanted = {"Prefix": _prefix(there)}, {"Prefix": _prefix(wanted)}
        elif name == "Prefix":
            continue
        if is_now != is_wanted:
            yield f"{name} is {_shown(is_now)}, not {_shown(is_wanted)}"


def _plain(value: Any) -> Any:
    """Return `value` without what servers add to say that something is off."""
    if isinstance(value, Mapping):
        kept = {name: _plain(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, False)} or None
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_shown(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "absent" if value is None else str(value)


def _prefix(rule: Rule) -> str:
    """Return the prefix of a rule of any form: S3 has had three."""
    chosen = rule.get("Filter") or {}
    both = chosen.get("And") or {}
    found = chosen.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or ""
    return str(found)


def _too_early(other: Rule, wanted: Sequence[Rule]) -> Iterator[str]:
    """Say where a rule of others deletes what ours keep."""
    limit = (other.get("Expiration") or {}).get("Days")
    if other.get("Status") != "Enabled" or not limit:
        return
    for rule in wanted:
        mine, theirs = _prefix(rule), _prefix(other)
        kept = rule["Expiration"]["Days"]
        if limit < kept and (mine.startswith(theirs) or theirs.startswith(mine)):
            yield (
                f"the rule {other.get('ID', '(no ID)')!r} of others deletes after {limit} days "
                f"what {rule['ID']!r} keeps for {kept}"
            )


class Lifecycle:
    """The lifecycle configuration of one bucket.

    Args:
        client: a boto3 S3 client.
        name: of the bucket.

    All methods raise whatever boto3 raises.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def is_versioned(self) -> bool:
        """Whether it keeps versions, also those from before versioning was suspended."""
        return self._client.get_bucket_versioning(Bucket=self._name).get("Status") is not None

    def read(self) -> tuple[list[Rule], dict[str, Any]]:
        """Return its rules, and what else belongs to the configuration."""
        try:
            answer = self._client.get_bucket_lifecycle_configuration(Bucket=self._name)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
                raise
            return [], {}
        size = "TransitionDefaultMinimumObjectSize"
        return answer["Rules"], {size: answer[size]} if size in answer else {}

    def write(self, present: Sequence[Rule], rest: Mapping[str, Any]) -> None:
        """Replace its rules: S3 knows no other way."""
        self._client.put_bucket_lifecycle_configuration(
            Bucket=self._name, LifecycleConfiguration={"Rules": list(present)}, **rest
        )
