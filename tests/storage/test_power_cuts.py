"""Promises of the spool when the power goes: what was told to wait for the disk is there.

A power cut is simulated by what `fsync` was asked for: the contents of a file are those at its
last one, and names are those at the last one of their directory. Between that and what a real
disk does lies luck, so the other extreme is tried as well: all names, with the same contents.
"""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmlogging.diagnostics import Tally
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import Spool

HOUR_14 = 1_795_269_600.0


class Disk:
    """Remembers what `os.fsync` has made last below a directory.

    Attributes:
        before: called before each `fsync`: a moment to cut the power.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.before: Callable[[], None] = lambda: None
        self._contents: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {}
        self._here, self._fsync = threading.get_ident(), os.fsync
        self._recovering = False
        # Open, so that no other file gets the number of one that was deleted.
        self._held: dict[int, int] = {}
        monkeypatch.setattr(os, "fsync", self.fsync)

    def close(self) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    def fsync(self, descriptor: int) -> None:
        if threading.get_ident() != self._here or self._recovering:
            self._fsync(descriptor)
            return
        self.before()
        for path in (self.root, *self.root.rglob("*")):
            status = os.fstat(descriptor)
            if not os.path.samestat(path.lstat(), status):
                continue
            if path.is_dir():
                files = (each for each in path.iterdir() if each.is_file())
                self._names[path] = {each.name: each.lstat().st_ino for each in files}
            else:
                self._contents[status.st_ino] = path.read_bytes()
                if status.st_ino not in self._held:
                    self._held[status.st_ino] = os.open(path, os.O_RDONLY)

    def after_a_cut(self, target: Path, *, names_last: bool) -> Path:
        """Write to `target` what the disk holds if the power goes now."""
        names = dict(self._names)
        for path in (self.root, *self.root.rglob("*")):
            if path.is_dir():
                (target / path.relative_to(self.root)).mkdir(parents=True)
                if names_last:
                    files = (each for each in path.iterdir() if each.is_file())
                    names[path] = {each.name: each.lstat().st_ino for each in files}
        for directory, files_in in names.items():
            for name, inode in files_in.items():
                found = target / directory.relative_to(self.root) / name
                found.write_bytes(self._contents.get(inode, b""))
                found.chmod(0o600)
        return target

    def recovered(self, target: Path) -> dict[str, list[bytes]]:
        """Return the objects that the next start makes of that, by key."""
        self._recovering = True
        try:
            spool = Spool(str(target), tally=Tally())
            spool.make()
            assert spool.pack() == 0
            return dict(_objects(spool))
        finally:
            self._recovering = False


def _objects(spool: Spool) -> Iterator[tuple[str, list[bytes]]]:
    for item in spool.ready():
        yield item.key, gzip.decompress(item.read()).splitlines()
        spool.delivered(item)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Lend the disk of a spool in ``spool``."""
    made = Disk(tmp_path / "spool", monkeypatch)
    yield made
    made.close()


class TestPowerCut:
    @pytest.mark.parametrize(
        "names_last", [pytest.param(False, id="names-lost"), pytest.param(True, id="names-kept")]
    )
    def test_what_a_call_waited_for_is_there_once(
        self, tmp_path: Path, disk: Disk, names_last: bool
    ) -> None:
        """At any moment: between calls, and before each `fsync` of packing and sealing."""
        root = tmp_path / "spool"
        spool = Spool(str(root), tally=Tally())
        spool.make()
        writer = SegmentWriter(str(root), "standard", max_records=4)
        accepted: list[bytes] = []
        cuts = 0

        def cut() -> None:
            nonlocal cuts
            cuts += 1
            target = disk.after_a_cut(tmp_path / f"cut-{cuts}", names_last=names_last)
            objects = disk.recovered(target)
            found = sorted(line for lines in objects.values() for line in lines)
            # A call that the cut interrupted may have come through.
            assert found[: len(accepted)] == accepted
            assert len(found) <= len(accepted) + 1
            assert not list(target.rglob("*.segment"))

        disk.before = cut
        for number in range(10):
            writer.append(b"%02d\n" % number, 1, HOUR_14, durably=True)
            accepted.append(b"%02d" % number)
            cut()
            if number in (5, 8):
                spool.pack()
                cut()
        writer.seal()
        assert spool.pack() == 0
        cut()
        assert cuts > 30

    def test_the_simulation_finds_what_is_not_synced(self, tmp_path: Path, disk: Disk) -> None:
        """Without `fsync` the same cut loses lines: so the test above can fail."""
        root = tmp_path / "spool"
        Spool(str(root), tally=Tally()).make()
        SegmentWriter(str(root), "standard").append(b"lost\n", 1, HOUR_14)
        assert disk.recovered(disk.after_a_cut(tmp_path / "cut", names_last=True)) == {}
