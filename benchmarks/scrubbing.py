"""``python -m benchmarks.scrubbing``: what scrubbing costs, and how often it is right.

Times are CPU seconds of one thread. A clock is asserted nowhere in the tests: that each
expression takes linear time is shown there on its form (`tests/scrubbing/test_linear_time.py`).
"""

from __future__ import annotations

import sys
import time
import timeit
from collections.abc import Callable, Iterable
from typing import Final

from crmlogging import scrubbing
from crmlogging.scrubbing import is_secret, scrub
from tests.scrubbing.corpus import benign_texts, secret_texts, token_texts

LIMIT_SECONDS: Final = 1.0
LIMIT_RATIO: Final = 2.5
_CHARACTERS: Final = 100_000
_RUNS: Final = 3
# Repeated, each leads an expression to its worst.
HOSTILE: Final = (
    *("a", "0", "@", "a@", "a.", '"', '"a', "://", "//", "?a=", "?", "%40", "a%41", "+1 ", "00 "),
    *("-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "PRIVATE KEY-----BEGIN", "- ", "-----"),
    *("password", "password=", "token='\\", 'token="a', "token=digest ", "key=", "password=[T"),
    *("bearer ", "cookie:", "cookie: a", "secret is ", " -u a:", '{"a":', '\\"', "a=", "a:a "),
    *("AA00 ", "DE89 ", "DE89 3704 0044 0532 0130 01 ", "DE89370400440532013001"),
    *("4-", "444 ", "4111 ", "4111111111111112 ", "phone", "phone 1", "01 22 ", "(555) ", "12/"),
    *("sk_", "pat-", "secret_a", "ghp_", "AKIA", "M", "eyJ", "eyJa-", "eyJa.", "eyJaaaaa."),
    *("1000.", "00DaaaaaaaaaaaaA", "aA1", "Aa1/", "SG.", "SG.aaaaaa", "sl.", "ya29.", "0:AA"),
    *("Q~", "AAA.atlasv1.", "_", "-", "1,", "1.", "0a", "0aF", "=", "+=", "a at ", "a dot "),
    *("&#64;", "\\u0040", "\\\\", "%25", "\\", "/\\", "%", "[EMAIL]", "[", "{", "\u200b", "é"),
)
_TEXTS: Final = {
    "clean sentence": "Contact sync finished without any new record in the target",
    "template": "Retrying request in %s seconds (attempt %d of %d) for {contact}",
    "text with a number": "Email bounced at step 4: the mailbox is full, see the queue",
    "text with an id": "took 131.7 ms for request 0f1b6b31-94d5-4a3c-8d52 at noon",
    "text with a secret": "Failed to reach ada.lovelace@example.com at +49 151 23456789",
}


def seconds(text: str) -> float:
    """Return the least time that one scrub of `text` took."""
    times = []
    for _ in range(_RUNS):
        began = time.process_time()
        scrub(text)
        times.append(time.process_time() - began)
    return min(times)


def growth() -> Iterable[tuple[str, float, float]]:
    """Yield each hostile unit, its seconds a megabyte and the ratio for twice the length."""
    for unit in HOSTILE:
        text = (unit * (_CHARACTERS // len(unit) + 1))[:_CHARACTERS]
        once, twice = seconds(f"{text}!"), seconds(f"{text}{text}!")
        yield unit, once * 1_000_000 / _CHARACTERS, twice / max(once, 1e-5)


def accuracy(seeds: Iterable[int]) -> tuple[int, int, int, int]:
    """Return secrets, those found, ordinary texts, those changed."""
    secrets = found = ordinary = changed = 0
    for secret in secret_texts():
        secrets += 1
        found += not any(hidden in scrub(secret.text) for hidden in secret.hidden)
    for seed in seeds:
        for _, text, token in token_texts(seed):
            secrets += 1
            found += token not in scrub(text)
        for text in benign_texts(seed):
            ordinary += 1
            changed += scrub(text) != text
    return secrets, found, ordinary, changed


def _nanoseconds(action: Callable[[], object]) -> float:
    number = 5_000
    return min(timeit.repeat(action, number=number, repeat=5)) / number * 1e9


def main() -> int:
    """Print the tables; 1 if a limit is broken."""
    out = sys.stdout.write
    out("| text | ns, first time | ns, known |\n|---|---|---|\n")
    for name, text in _TEXTS.items():

        def anew(text: str = text) -> None:
            scrubbing._clean.clear()
            scrub(text)

        first = _nanoseconds(anew)
        scrub(text)
        known = _nanoseconds(lambda text=text: scrub(text))  # type: ignore[misc]  # bound now
        out(f"| {name} | {first:,.0f} | {known:,.0f} |\n")
    ids = ("0f1b6b31-94d5-4a3c-8d52-0f1b6b3194d5", "0035g00000XyZaBAAV", "nightly-2026-11-22")
    for value in ids:
        cost = _nanoseconds(lambda value=value: is_secret(value))  # type: ignore[misc]  # the same
        out(f"| is_secret {value} | {cost:,.0f} | |\n")
    secrets, found, ordinary, changed = accuracy(range(10, 20))
    out(f"\nrecall {found / secrets:.4f} ({found:,} of {secrets:,} texts with a secret)\n")
    out(f"precision {found / (found + changed):.4f} ({changed} of {ordinary:,} others changed)\n")
    broken = 0
    out("\nHostile texts, worst first\n\n| unit | s a megabyte | t(2n) / t(n) |\n|---|---|---|\n")
    for unit, cost, ratio in sorted(growth(), key=lambda row: -row[1])[:12]:
        broken += cost > LIMIT_SECONDS or (ratio > LIMIT_RATIO and cost > LIMIT_SECONDS / 10)
        out(f"| `{unit!r}` | {cost:.2f} | {ratio:.2f} |\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
