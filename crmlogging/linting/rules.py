"""The table of rules: what lint looks for, under codes that stay the same.

``--explain`` and the table of docs/lint.md derive from `RULES`. The hundreds are topics: messages
0, secrets 1, fields 2, style 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, NamedTuple

from crmlogging.exceptions import Problems

__all__ = ["RULES", "Rule", "explained", "selected"]


class Rule(NamedTuple):
    """One thing that lint looks for.

    Attributes:
        code: stable.
        severity: ``error`` (raises, leaks, or says nothing), ``warning`` (says less than meant),
            ``note`` (a matter of taste or of the configuration).
        title: a few words.
        explanation: what happens at run time, and what to write instead.
        default: looked for without being asked.
    """

    code: str
    severity: str
    title: str
    explanation: str
    default: bool = True


RULES: Final = MappingProxyType(
    {
        rule.code: rule
        for rule in (
            Rule(
                "CL001",
                "error",
                "message that no source shows",
                "The line reads [DYNAMIC MESSAGE]: what is logged is computed elsewhere "
                "(str(error), a function's result, an imported name, a single word in a "
                "variable), so nothing proves that it is no customer's data. Write the sentence "
                "as a literal in the call, and hand over what varies as arguments or in extra.",
            ),
            Rule(
                "CL002",
                "warning",
                "message built at run time",
                "An f-string, .format(), + or % is read back from the source to its template, "
                "which needs the very source beside the running code and finds values again only "
                'where no other split fits. logger.error("Failed %s", contact_id) costs less, '
                "works without source, and keeps each value as a field that the allowlist can "
                "name.",
            ),
            Rule(
                "CL003",
                "warning",
                "message handed in by the caller",
                "The message is a parameter. It is shown where a caller up the stack holds it as a "
                "literal of more than one word, or builds it there; otherwise the line reads "
                "[DYNAMIC MESSAGE]. Log where the sentence is known, or keep such wrappers few.",
            ),
            Rule(
                "CL004",
                "error",
                "arguments that do not fit the message",
                "The number of arguments, or their keys, is not what the message's % places ask "
                "for. The standard handlers then print a traceback with the arguments in clear in "
                "place of the line. Places written as {} are never filled in by logging.",
            ),
            Rule(
                "CL101",
                "error",
                "secret in a literal",
                "The source holds a token, a password, a private key, a card or account number, "
                "in the message or a value of the call. The line shows a placeholder, but whoever "
                "reads the source reads the secret: revoke it, and take it from the environment.",
            ),
            Rule(
                "CL102",
                "warning",
                "literal that is shown scrubbed",
                "The text holds an e-mail address, a telephone number or the query of a URL. The "
                "line shows a placeholder in its place. Write a sentence that does without.",
            ),
            Rule(
                "CL201",
                "error",
                "reserved name in extra",
                "The name belongs to the record itself (name, msg, args, module, ...): the "
                "standard Logger raises KeyError in the middle of the work. Choose another name. "
                "With crmlogging.Logger it does not raise, and the value is the field "
                "extra.<name>.",
            ),
            Rule(
                "CL202",
                "warning",
                "field that the allowlist masks",
                "The value of this key of extra reads [REDACTED] in every line: no pattern allows "
                "the name, or the literal does not fit the field's shape. Allow it in the "
                "AllowlistFilter's fields, mask it there, use a field of the table, or leave it "
                "out.",
            ),
            Rule(
                "CL203",
                "error",
                "misspelt field",
                "The name is no field and no allowed name, but nearly one: the value reads "
                "[REDACTED], and searches for the field do not find the line.",
            ),
            Rule(
                "CL204",
                "warning",
                "argument that is never shown",
                "An object, a mapping, a response's body, the text of an exception: an argument "
                "becomes a field only if it is a scalar with a name that the allowlist holds. "
                "Hand over the parts that matter as fields, an exception as exc_info=error, and a "
                'response as extra={"response": response}, from which status, limits and cause '
                "are read.",
            ),
            Rule(
                "CL205",
                "note",
                "argument that the allowlist masks",
                "The message shows its %s, and the field named after the argument's expression "
                "reads [REDACTED]; an argument that is more than a dotted name becomes no field "
                "at all.",
                default=False,
            ),
            Rule(
                "CL301",
                "warning",
                "error without its exception",
                "An except block logs an error without the exception: the line then has no "
                "category, no code, no cause and no link to fix it. Use logger.exception(...), "
                'exc_info=True, or extra={"error": error}; an exception among the arguments is '
                "not read.",
            ),
            Rule(
                "CL302",
                "note",
                "message that does not start with a verb",
                "Messages that say what happened, verb first (Created contact, Failed to read the "
                "page), read alike and are found by their first word.",
                default=False,
            ),
        )
    }
)
"""Code to rule, in order."""


def selected(
    select: Iterable[str], also: Iterable[str], ignore: Iterable[str], problems: Problems
) -> frozenset[str]:
    """Return the codes to look for; what is no code goes to `problems`.

    Args:
        select: codes or beginnings of codes (``CL2``, ``CL``); none means the rules that need
            no asking.
        also: codes to look for beside those.
        ignore: the same, taken away from it.
    """
    wanted = _matching("select", select, problems)
    if not wanted:
        wanted = {code for code, rule in RULES.items() if rule.default}
    return frozenset(wanted.union(also) - _matching("ignore", ignore, problems))


def _matching(option: str, given: Iterable[str], problems: Problems) -> set[str]:
    found: set[str] = set()
    for start in given:
        codes = {code for code in RULES if start and code.startswith(start.upper())}
        if not codes:
            problems.add(option, f"{start!r} is no code; known: {', '.join(RULES)}")
        found |= codes
    return found


def explained(code: str) -> str | None:
    """Return what `code` means, for people; None for an unknown code."""
    rule = RULES.get(code.upper())
    if rule is None:
        return None
    asked = "" if rule.default else f"\n\nOnly when asked for: --select {rule.code}"
    return f"{rule.code} ({rule.severity}): {rule.title}\n\n{rule.explanation}{asked}"
