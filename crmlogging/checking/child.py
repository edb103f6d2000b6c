"""What the child process does: load, look, log the sample, report."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crmlogging.checking import patches, sample
from crmlogging.checking.findings import Finding, HandlerView, Report
from crmlogging.checking.loading import load_application, load_configuration
from crmlogging.checking.loggers import findings_between, findings_on_document, findings_on_places
from crmlogging.checking.sandbox import Sandbox
from crmlogging.checking.tree import Tree, class_name
from crmlogging.checking.verdicts import PROTECTED, findings_on, formatter_of, verdict_on
from crmlogging.handlers.durable_handler import DurableHandler

__all__ = ["examine"]

_PROBE = "crmlogging_existed_before"


def examine(configuration: str | None, application: str | None, directory: Path) -> Report:
    """Load `configuration` or `application` into this process and look at what it made.

    Args:
        directory: an empty directory for all that is written meanwhile.

    Raises:
        CannotLoadError: with everything that is wrong.
    """
    work, files = directory / "sample", directory / "files"
    work.mkdir()
    files.mkdir()
    before = sample.before(work)
    existing = logging.getLogger(_PROBE)
    sandbox = Sandbox(files)
    sandbox.install()
    document: Mapping[str, Any] | None = None
    if configuration is not None:
        document = load_configuration(configuration)
    if application is not None:
        load_application(application)
    silenced = existing.disabled
    sandbox.seal()
    tree = Tree(ignore=frozenset((_PROBE,)))
    findings = list(_structure(tree, document, sandbox, silenced=silenced))
    destinations = {handler: _destination(handler, sandbox) for handler in tree.handlers}
    outcomes = sample.send(tree, sandbox, work)
    views = [_view(each, tree, destinations[each], outcomes[each]) for each in tree.handlers]
    for handler, view in zip(tree.handlers, views, strict=True):
        findings += _shown_by_sample(handler, view)
    return Report(
        subject=configuration or application or "",
        python=platform.python_version(),
        loggers=tree.views(),
        handlers=views,
        findings=sorted(dict.fromkeys(findings), key=lambda finding: not finding.problem),
        calls=sample.CALLS,
        before=before,
    )


def _structure(
    tree: Tree, document: Mapping[str, Any] | None, sandbox: Sandbox, *, silenced: bool
) -> Iterator[Finding]:
    for handler in tree.handlers:
        yield from findings_on(handler, tree)
    yield from findings_between(tree)
    yield from findings_on_document(document, tree, silenced=silenced)
    yield from findings_on_places(tree, sandbox.meant)
    yield from patches.findings_on_patches(tree)
    yield from patches.findings_on_hooks()
    for what in sandbox.touched:
        yield Finding("side-effect", "loading", f"it {what}", problem=False)


def _view(
    handler: logging.Handler, tree: Tree, destination: str, outcome: sample.Outcome
) -> HandlerView:
    return HandlerView(
        name=tree.handlers[handler],
        kind=class_name(handler),
        place=tree.place_of(handler),
        writes_to=destination,
        level=logging.getLevelName(handler.level) if handler.level else "",
        filters=[class_name(each) for each in handler.filters],
        formatter=formatter_of(handler),
        verdict=verdict_on(handler, tree),
        targets=[tree.handlers[each] for each in tree.targets(handler)],
        lines=outcome.lines,
        leaks=outcome.leaks,
    )


def _destination(handler: Any, sandbox: Sandbox) -> str:
    """Return what `handler` writes to, as configured."""
    if handler in sandbox.meant:
        return sandbox.meant[handler]
    stream = getattr(handler, "stream", None)
    name = getattr(stream, "name", None)
    if isinstance(name, str):
        return name.strip("<>")
    for option in ("baseFilename", "address", "host", "mailhost"):
        value = getattr(handler, option, None)
        if isinstance(value, str | tuple) and value:
            return value if isinstance(value, str) else ":".join(map(str, value))
    return "" if stream is None else f"a {type(stream).__name__}"


def _shown_by_sample(handler: logging.Handler, view: HandlerView) -> Iterator[Finding]:
    if view.leaks and view.verdict.startswith(PROTECTED):
        yield Finding(
            "leak",
            view.name,
            f"the sample's {', '.join(view.leaks)} came out although an AllowlistFilter stands "
            "there; look at its formatter and the filters after it",
        )
    if view.lines is None and not view.targets and not isinstance(handler, logging.NullHandler):
        yield Finding(
            "no-sample",
            view.name,
            "the sample did not come out: a filter drops it, or the handler writes in its own way",
            problem=False,
        )
    if isinstance(handler, DurableHandler) and not sample.is_json(view.lines):
        yield Finding(
            "no-json",
            view.name,
            f"its lines are not JSON ({view.formatter}): crmlogging report cannot read them; "
            "use crmlogging.JsonFormatter",
        )
