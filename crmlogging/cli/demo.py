"""``crmlogging demo``: a sync that fails as syncs do, its log, the report, and a verdict on it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from crmlogging.cli import demo_checks, demo_logging, demo_storage
from crmlogging.cli.demo_contacts import Contact, contacts, secrets_of
from crmlogging.cli.demo_scenarios import Call, plan, providers
from crmlogging.cli.demo_server import CrmServer, Failure
from crmlogging.cli.demo_storage import ObjectStore
from crmlogging.exceptions import require
from crmlogging.handlers.delivery import drain
from crmlogging.report.archive import Archive
from crmlogging.report.queries import failures
from crmlogging.report.terminal import render

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DemoError", "Options", "run"]

_MARK: Final = ".crmlogging-demo"
_FOLDERS: Final = ("logs", "spool", "s3")
_DRAIN_SECONDS: Final = 60.0


class DemoError(Exception):
    """The demo cannot run as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for.

    Attributes:
        records: contacts to sync.
        seed: equal seeds give equal runs.
        output: folder for the files.
        keep: copy the S3 objects there.
        s3_endpoint: server to use, or None for one of our own.
    """

    records: int
    seed: int
    output: Path
    keep: bool
    s3_endpoint: str | None


def run(options: Options) -> bool:
    """Run the demo on this process's stdout and stderr; True when every check passed.

    Raises:
        DemoError: an option cannot work.
        MissingDependencyError: a package is missing.
    """
    for package in ("requests", "tenacity", "rich"):
        require(package, extra="all", purpose="crmlogging demo")
    from rich.console import Console

    console = Console(highlight=False)
    _prepare(options)
    people = contacts(options.records, options.seed)
    calls = plan(providers(), people, options.seed)
    missing = demo_storage.why_no_store(options.s3_endpoint)
    with contextlib.ExitStack() as servers:
        servers.enter_context(demo_logging.quiet_servers())
        store = None if missing else servers.enter_context(_store(options))
        crms = servers.enter_context(CrmServer(calls, options.seed))
        console.print(f"Syncing {options.records:,} contacts with four CRMs on this machine.\n")
        delivered = _sync(calls, crms, options.output, store, console)
        console.print()
        archive = Archive([options.output / "logs"])
        report = failures(archive)
        render(report, console)
        complaints = [*archive.remarks(), *demo_checks.check_counts(report, _answered(crms, calls))]
        if not delivered:
            complaints.append(f"something was not delivered within {_DRAIN_SECONDS:.0f} s")
        objects = dict(store.objects()) if store else {}
        if store and options.keep:
            demo_storage.copy_objects(objects, options.output / "s3")
        complaints += _check_contents(options.output, objects, store, people, crms)
    console.print()
    _show_files(options, console, store, len(objects), missing)
    return _show_verdict(console, complaints, report.count, store is not None)


def _prepare(options: Options) -> None:
    """Make the output folder, and remove from it what an earlier demo left.

    Raises:
        DemoError: it cannot be written to, or holds folders of these names that no demo made.
    """
    if options.s3_endpoint is not None and not _is_server(options.s3_endpoint):
        raise DemoError(f"--s3-endpoint: {options.s3_endpoint!r} is no http or https URL")
    mark = options.output / _MARK
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        for name in _FOLDERS:
            folder = options.output / name
            if not (folder.exists() or folder.is_symlink()):
                continue
            if not mark.exists():
                raise DemoError(f"--output: {folder} is there already, and not from a demo")
            shutil.rmtree(folder)
        mark.write_text("The demo may remove the folders beside this file.\n", "utf-8")
    except OSError as error:
        raise DemoError(f"--output: {options.output}: {error.strerror}") from error


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@contextlib.contextmanager
def _store(options: Options) -> Iterator[ObjectStore]:
    try:
        with demo_storage.object_store(options.s3_endpoint) as store:
            yield store
    except demo_storage.StoreError as error:
        raise DemoError(f"--s3-endpoint: {error}") from error


def _sync(
    calls: Sequence[Call],
    crms: CrmServer,
    output: Path,
    store: ObjectStore | None,
    console: Console,
) -> bool:
    """Send all calls, logging as configured; True when all of it was delivered."""
    width = console.width if console.is_terminal else None
    example = demo_logging.document(
        output, store, width=width, colour=console.color_system is not None
    )
    contacts_due = sum(len(call.contacts) for call in calls)
    # The bar comes first: while it is shown it takes stdout's place in a terminal.
    with _progress(contacts_due) as done, demo_logging.configured(example):
        _send(calls, crms, done)
        return drain(_DRAIN_SECONDS)


def _send(calls: Sequence[Call], crms: CrmServer, done: Callable[[int], None]) -> None:
    """Sync with all CRMs at once, a thread each."""
    from crmlogging.cli.sync_job import Connection, ContactSync

    crm_calls: dict[str, list[Call]] = {}
    for call in calls:
        crm_calls.setdefault(call.provider.slug, []).append(call)
    syncs = {}
    for slug, own in crm_calls.items():
        connection = Connection(slug, own[0].provider.tenant, crms.tokens[slug], crms.url)
        syncs[slug] = ContactSync(connection, done=done)
    with ThreadPoolExecutor(len(syncs)) as pool:
        runs = [pool.submit(sync.run, crm_calls[slug]) for slug, sync in syncs.items()]
        try:
            for each in runs:
                each.result()
        finally:  # Ctrl-C, for one: the pool waits for its threads
            for sync in syncs.values():
                sync.stop()


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr where that is a terminal; lend what moves it."""
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task("contacts", total=total)
        yield lambda contacts: bar.advance(task, contacts)


def _answered(crms: CrmServer, calls: Sequence[Call]) -> Counter[Failure]:
    """Return the failures there were: the server's count, and the calls nobody answered."""
    from crmlogging.cli.sync_job import ATTEMPTS

    answered = crms.failures.copy()
    for call in calls:
        if call.scenario is not None and call.scenario.refused:
            failure = call.provider.slug, call.scenario.category, call.scenario.provider_code
            answered[failure] += ATTEMPTS
    return answered


def _check_contents(
    output: Path,
    objects: dict[str, bytes],
    store: ObjectStore | None,
    people: Sequence[Contact],
    crms: CrmServer,
) -> list[str]:
    files = dict(demo_checks.files_below(output))
    log = [
        line
        for path, contents in files.items()
        if Path(path).is_relative_to(output / "logs")
        for line in demo_checks.lines_of(contents)
    ]
    secrets = secrets_of(people)
    secrets.update({token[:6].lower(): {token.lower()} for token in crms.tokens.values()})
    complaints = demo_checks.check_lines("the file", log)
    complaints += demo_checks.check_secrets([*files.items(), *objects.items()], secrets)
    if store is not None:
        stored = [line for contents in objects.values() for line in demo_checks.lines_of(contents)]
        complaints += demo_checks.check_lines("the bucket", stored)
        complaints += demo_checks.check_same_records(log, stored)
    if crms.unexpected:
        complaints.append(f"the CRMs got {crms.unexpected} requests of no plan")
    return complaints


def _show_files(
    options: Options,
    console: Console,
    store: ObjectStore | None,
    objects: int,
    missing: str | None,
) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    say(f"The log: {options.output / 'logs'} (again: crmlogging report {options.output / 'logs'})")
    if store is None:
        say(f"{missing}")
    elif options.keep:
        say(f"The S3 objects: {objects:,}, copied to {options.output / 's3'}")
    elif store.own:
        say(f"The S3 objects: {objects:,}, gone with the demo's server; --keep copies them")
    else:
        say(f"The S3 objects: {objects:,} at {store.endpoint} in {store.place}")


def _show_verdict(console: Console, complaints: list[str], failed: int, stored: bool) -> bool:
    if complaints:
        console.print("The demo found faults:", style="bold red")
        for each in complaints:
            console.print(f"  {each}", markup=False, soft_wrap=True)
        return False
    same = " File and bucket hold the same records." if stored else ""
    console.print(
        f"Checked: the report counts the {failed:,} failures that the CRMs gave; every line is "
        f"JSON; no e-mail address, phone number, name or token got out.{same}",
        style="green",
    )
    return True
