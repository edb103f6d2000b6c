"""Words that a message may start with: what somebody does, did or fails to do (CL302)."""

from __future__ import annotations

from typing import Final

__all__ = ["is_verb"]

# Without words that in this field are nouns first: contact, record, request, page, order, ...
_BASE: Final = frozenset(
    (
        "abort accept acknowledge acquire activate add adjust adopt aggregate allocate allow "
        "append apply archive ask assign associate attach attempt authenticate authorize await "
        "back backfill begin bind boot bootstrap break build bulk calculate "
        "call cancel capture catch change check choose claim clean clear clone close collect "
        "combine commit compare compile complete compress compute configure confirm connect "
        "consume continue convert copy correct count create cut deactivate decode "
        "decrease decrypt deduplicate defer delay delete deliver deny dequeue derive deregister "
        "describe deserialize destroy detach detect determine disable discard disconnect discover "
        "dispatch do download drain drop dump duplicate emit enable encode encounter encrypt end "
        "enforce enqueue enrich ensure enter erase establish estimate evaluate evict exceed "
        "exclude execute exhaust exit expand expect expire export extend extract fail fall fetch "
        "fill filter find finish fix flag flush follow force format forward free freeze generate "
        "get give go grant guess halt handle hit hold ignore import include increase "
        "increment infer inform ingest inherit init initialise initialize insert inspect "
        "install instantiate interrupt introspect invalidate invoke issue join keep kill lack "
        "launch leave listen load lock log login logout look lose lower make map "
        "mark mask match merge migrate miss modify monitor mount move need normalise normalize "
        "notify obtain offer omit open overwrite pack park parse pass patch pause "
        "perform persist pick ping place poll pop populate post prefer prepare preserve prevent "
        "probe process produce promote prune publish pull purge push put quit raise "
        "reach read rebuild recalculate receive reconcile reconnect recover recreate "
        "redact redeliver redirect reduce refresh refuse register reject release reload remove "
        "rename render renew reopen repair replace replay reply require requeue "
        "reschedule reserve reset resolve respond restart restore resume retain retrieve retry "
        "return reuse revert revoke rewrite roll rotate route run save scan schedule seal search "
        "see seed select send serialize serve set setup share ship shut shutdown sign "
        "simulate skip sleep sort spawn split start stop store strip submit subscribe "
        "succeed suppress suspend swap switch sync synchronise synchronize take terminate test "
        "throttle touch track transfer transform translate trigger trim truncate try turn "
        "unbind unlink unlock unmount unpack unregister unsubscribe update upgrade upload upsert "
        "use validate verify visit wait wake walk warm warn watch withhold wrap write yield zip"
    ).split()
)
_OTHER_FORMS: Final = frozenset(
    (
        "am are is was were be been became becomes begun began bound broke broken brought built "
        "caught chose chosen could couldn't cannot can can't did didn't does doesn't don't done "
        "fell fallen found froze gave given gone got gotten had has have held hid kept knew known "
        "left lost made may met might must never not overwrote paid ran read rebuilt rewrote rose "
        "said sat saw seen sent should shouldn't shown shut slept split spent stood swept taken "
        "thought threw thrown told took tried unable underwent understood went will won't "
        "withheld woke would written wrote"
    ).split()
)
_ENDINGS: Final = ("ed", "ing")
_SHORTEST: Final = 4
# Nouns and adjectives that only look like forms of a verb.
_NO_FORMS: Final = (
    frozenset(
        (
            "during feed speed seed need king ring string thing nothing something everything "
            "anything morning evening spring wing red bed hundred embed ping building meeting "
            "setting warning existing"
        ).split()
    )
    - _BASE
)


def is_verb(word: str) -> bool:
    """Tell whether a lower-case word is a form of a verb.

    Example:
        >>> [is_verb(word) for word in ("created", "failed", "retries", "cannot", "contact_id")]
        [True, True, True, True, False]
    """
    word = word.replace("-", "")
    if word in _BASE or word in _OTHER_FORMS:
        return True
    if len(word) > _SHORTEST and word.isalpha() and word.endswith(_ENDINGS):
        return word not in _NO_FORMS
    stems = {word.removesuffix("s"), word.removesuffix("es")}
    if word.endswith("ies"):
        stems.add(f"{word.removesuffix('ies')}y")
    return word.endswith("s") and not stems.isdisjoint(_BASE)
