"""Checking: files in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crmlogging.linting import arguments, fields, handling, secrets, wording
from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.calls import LogCall, log_calls
from crmlogging.linting.findings import Finding, Remark
from crmlogging.linting.scopes import Index
from crmlogging.linting.sources import Source, SourceError, files_under, read

__all__ = ["Outcome", "check"]


class Outcome(NamedTuple):
    """What checking some paths gave.

    Attributes:
        findings: sorted by place.
        problems: what could not be checked, a sentence each with the file.
        files: how many were read.
    """

    findings: list[Finding]
    problems: list[str]
    files: int


def check(paths: Iterable[str], codes: frozenset[str], allowed: Allowed) -> Outcome:
    """Check files and folders; what cannot be read or parsed is told, and the rest checked.

    Args:
        codes: rules to look for.
        allowed: what the configuration lets out.
    """
    findings: set[Finding] = set()
    problems: list[str] = []
    files = 0
    for path in files_under(paths, problems):
        files += 1
        try:
            findings.update(_in_file(path, read(path), codes, allowed))
        except SourceError as error:
            problems.append(f"{path}: {error}")
        except RecursionError:
            problems.append(f"{path}: is nested too deeply")
    return Outcome(sorted(findings), problems, files)


def _in_file(
    path: str, source: Source, codes: frozenset[str], allowed: Allowed
) -> Iterator[Finding]:
    if source.tree is None:
        return
    index = Index(source.tree)
    for call in log_calls(index):
        for remark in _judged(call, index, codes, allowed):
            if remark.code in codes and not _is_silenced(remark, call, source):
                line, column = remark.node.lineno, source.column(remark.node)
                yield Finding(path, line, column, remark.code, remark.message, remark.suggestion)


def _judged(
    call: LogCall, index: Index, codes: frozenset[str], allowed: Allowed
) -> Iterator[Remark]:
    unhandled = list(handling.judge_handling(call)) if "CL301" in codes else []
    yield from wording.judge_message(call, index, allowed)
    yield from arguments.judge_places(call)
    yield from secrets.judge_literals(call)
    yield from fields.judge_fields(call, allowed)
    yield from arguments.judge_arguments(call, allowed, quiet=bool(unhandled))
    yield from unhandled
    if "CL302" in codes:
        yield from wording.judge_verb(call, index)


def _is_silenced(remark: Remark, call: LogCall, source: Source) -> bool:
    """A comment counts on every line of the call, and on the line of the place itself."""
    if not source.ignored:
        return False
    end = call.node.end_lineno or call.node.lineno
    lines = {*range(call.node.lineno, end + 1), remark.node.lineno}
    return any(
        not source.ignored[line] or remark.code in source.ignored[line]
        for line in lines
        if line in source.ignored
    )
