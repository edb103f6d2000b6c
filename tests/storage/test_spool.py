"""Promises of `spool`: every segment becomes one object, whose key and bytes never change."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import stat
import tracemalloc
from pathlib import Path

import pytest

from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.crypto.streams import DecryptingReader
from crmlogging.diagnostics import Tally
from crmlogging.storage.segment_writer import SegmentWriter
from crmlogging.storage.spool import ReadyObject, Spool

KEY = PrivateKey.new()
HOUR_14 = 1_795_269_600.0


def spool_with(directory: Path, *payloads: bytes, tally: Tally | None = None) -> Spool:
    """Return a spool with one finished segment."""
    spool = Spool(str(directory), tally=tally or Tally())
    spool.make()
    writer = SegmentWriter(str(directory), "standard", clock=lambda: HOUR_14 + 60)
    for payload in payloads:
        writer.append(payload)
    writer.seal()
    return spool


def only(spool: Spool) -> ReadyObject:
    (item,) = spool.ready()
    return item


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*") if path.is_file()}


class TestPack:
    def test_segment_becomes_one_gzip_object(self, tmp_path: Path) -> None:
        """Key as documented: tier, day and hour of the first record, host, boot, number, digest."""
        spool = spool_with(tmp_path, b"one\n", b"two\n")
        assert spool.pack() == 0
        item = only(spool)
        assert re.fullmatch(
            r"tier=standard/dt=2026-11-21/hour=14/[A-Za-z0-9.-]+-[0-9a-f]{16}-\d{6}"
            r"-[0-9a-f]{8}\.jsonl\.gz",
            item.key,
        )
        assert gzip.decompress(item.read()) == b"one\ntwo\n"
        assert item.sha256 == hashlib.sha256(item.read()).digest()
        assert item.key.endswith(f"-{item.sha256.hex()[:8]}.jsonl.gz")
        assert not list(tmp_path.glob("*.segment"))
        spool.keep(item)

    def test_objects_are_private(self, tmp_path: Path) -> None:
        """0600 in directories of 0700."""
        before = os.umask(0)
        try:
            spool = spool_with(tmp_path / "spool", b"one\n")
            spool.pack()
        finally:
            os.umask(before)
        for path in (tmp_path / "spool").rglob("*"):
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted

    def test_half_written_object_is_no_object(self, tmp_path: Path) -> None:
        """What a packer that died left is written anew, not taken for done."""
        spool = spool_with(tmp_path, b"one\n")
        (segment,) = tmp_path.glob("*.segment")
        label, hour, host, boot, number = segment.stem.split("_")
        stem = f"tier={label},dt=2026-11-21,hour={hour[-2:]},{host}-{boot}-{number}-"
        (tmp_path / "ready" / f"{stem}.tmp").write_bytes(b"half")
        spool.pack()
        item = only(spool)
        assert gzip.decompress(item.read()) == b"one\n"
        spool.delivered(item)
        assert names(tmp_path) == set()

    def test_object_waits_for_its_segment_to_go(self, tmp_path: Path) -> None:
        """A packer that died before the unlink: no upload before, no second object after."""
        spool = spool_with(tmp_path, b"one\n")
        (segment,) = tmp_path.glob("*.segment")
        data = segment.read_bytes()
        spool.pack()
        segment.write_bytes(data)
        assert list(spool.ready()) == []
        spool.pack()
        assert not segment.exists()
        spool.delivered(only(spool))
        assert names(tmp_path) == set()

    def test_empty_segment_becomes_no_object(self, tmp_path: Path) -> None:
        """A writer that died before its first line leaves nothing to upload."""
        spool = spool_with(tmp_path)
        (tmp_path / "standard_20261121T14_host_0123456789abcdef_000001.segment").touch()
        assert spool.pack() == 0
        assert names(tmp_path) == set()

    def test_damaged_segment_is_kept_aside_and_its_sound_lines_go(self, tmp_path: Path) -> None:
        """A flipped bit costs its own append, is counted, and blocks nothing."""
        tally = Tally()
        spool = spool_with(tmp_path, b"one\n", b"two\n", b"three\n", tally=tally)
        (segment,) = tmp_path.glob("*.segment")
        segment.write_bytes(segment.read_bytes().replace(b"two", b"twO"))
        spool.pack()
        item = only(spool)
        assert gzip.decompress(item.read()) == b"one\nthree\n"
        spool.delivered(item)
        assert names(tmp_path) == {segment.name}
        assert (tmp_path / "aside" / segment.name).exists()
        assert tally["damaged"] == 1

    def test_later_versions_segment_does_not_block(self, tmp_path: Path) -> None:
        """It is set aside; the others are packed."""
        spool = spool_with(tmp_path, b"one\n")
        other = tmp_path / "standard_20200101T00_host_0123456789abcdef_000001.segment"
        other.write_bytes(b"#crmlogging segment 9\n" + bytes(50))
        spool.pack()
        assert (tmp_path / "aside" / other.name).exists()
        spool.delivered(only(spool))


class TestEncrypted:
    def pack(self, directory: Path, *payloads: bytes) -> Spool:
        spool_with(directory, *payloads)
        spool = Spool(str(directory), tally=Tally(), encrypt_to=KEY.public)
        assert spool.pack() == 0
        return spool

    def test_object_opens_with_the_private_key_alone(self, tmp_path: Path) -> None:
        """Compressed, then encrypted, under a name that says so, and with the key's id."""
        item = only(self.pack(tmp_path, b"one\n", b"two\n"))
        assert re.fullmatch(r"tier=standard/.*-[0-9a-f]{8}\.jsonl\.gz\.enc", item.key)
        assert item.key_id == KEY.public.id
        assert item.sha256 == hashlib.sha256(item.read()).digest()
        keys = PrivateKeys()
        keys.add(KEY)
        reader = io.BufferedReader(DecryptingReader(io.BytesIO(item.read()), keys))
        assert gzip.decompress(reader.read()) == b"one\ntwo\n"

    def test_nothing_plain_is_left(self, tmp_path: Path) -> None:
        """Once packed, the words are in no file of the spool."""
        self.pack(tmp_path, b"readable words\n" * 100)
        for path in filter(Path.is_file, tmp_path.rglob("*")):
            assert b"readable" not in path.read_bytes()

    def test_any_process_uploads_it(self, tmp_path: Path) -> None:
        """Also one that is configured without the key: it takes the object as it is."""
        item = only(self.pack(tmp_path, b"one\n"))
        body = item.read()
        Spool(str(tmp_path), tally=Tally()).keep(item)
        other = only(Spool(str(tmp_path), tally=Tally()))
        assert (other.read(), other.key_id) == (body, KEY.public.id)

    def test_object_that_is_no_stream_is_set_aside(self, tmp_path: Path) -> None:
        """A name that promises encryption is not believed."""
        self.pack(tmp_path, b"one\n")
        (path,) = (tmp_path / "ready").iterdir()
        digest = hashlib.sha256(b"plain").hexdigest()[:8]
        forged = re.sub(r"-[0-9a-f]{8}(\.jsonl)", rf"-{digest}\1", path.name)
        path.unlink()
        (tmp_path / "ready" / forged).write_bytes(b"plain")
        (tmp_path / "ready" / forged).chmod(0o600)
        assert list(Spool(str(tmp_path), tally=Tally()).ready()) == []
        assert (tmp_path / "ready" / "aside" / forged).exists()

    def test_memory_stays_bounded(self, tmp_path: Path) -> None:
        """Whatever the segment holds, packing and reading in parts needs little."""
        line = os.urandom(1_000_000).replace(b"\n", b"n") + b"\n"
        spool_with(tmp_path, *[line] * 15)
        spool = Spool(str(tmp_path), tally=Tally(), encrypt_to=KEY.public)
        tracemalloc.start()
        try:
            spool.pack()
            item = only(spool)
            total = sum(len(item.read(at, 65_536)) for at in range(0, item.size, 65_536))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert total == item.size > 14_000_000
        assert peak < 8_000_000


class TestReady:
    def test_parts_make_the_whole(self, tmp_path: Path) -> None:
        """Read from anywhere, as far as the end."""
        spool = spool_with(tmp_path, b"one\n" * 1_000)
        spool.pack()
        item = only(spool)
        parts = [item.read(start, 7) for start in range(0, item.size, 7)]
        assert b"".join(parts) == item.read() == item.read(0, 10**9)
        assert item.read(item.size) == b""

    def test_each_object_goes_to_one_process(self, tmp_path: Path) -> None:
        """While one has it, another one is not offered it; afterwards it is gone."""
        spool = spool_with(tmp_path, b"one\n")
        spool.pack()
        item = only(spool)
        assert list(Spool(str(tmp_path), tally=Tally()).ready()) == []
        spool.keep(item)
        spool.delivered(only(spool))
        assert list(spool.ready()) == []

    def test_changed_object_is_set_aside(self, tmp_path: Path) -> None:
        """Bytes that do not fit the digest in the name are not uploaded."""
        spool = spool_with(tmp_path, b"one\n")
        spool.pack()
        (path,) = (tmp_path / "ready").iterdir()
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        assert list(spool.ready()) == []
        assert (tmp_path / "ready" / "aside" / path.name).exists()

    @pytest.mark.parametrize("name", ["notes.txt", "tier=standard,dt=2026-11-21.jsonl.gz", ".x"])
    def test_foreign_files_are_left(self, tmp_path: Path, name: str) -> None:
        """Only names of exactly our form are read."""
        spool = spool_with(tmp_path, b"one\n")
        (tmp_path / "ready" / name).write_bytes(b"theirs")
        spool.pack()
        spool.delivered(only(spool))
        assert (tmp_path / "ready" / name).read_bytes() == b"theirs"

    def test_what_failed_before_comes_last(self, tmp_path: Path) -> None:
        """One object that the server does not like must not keep the others waiting."""
        spool = spool_with(tmp_path, b"one\n")
        spool_with(tmp_path, b"two\n")
        spool.pack()
        keys = []
        for item in spool.ready():
            keys.append(item.key)
            spool.keep(item)
        again = []
        for item in spool.ready(last={keys[0]}):
            again.append(item.key)
            spool.keep(item)
        assert again == [keys[1], keys[0]]

    def test_rejected_object_is_kept_aside(self, tmp_path: Path) -> None:
        """What the bucket will never take is kept for a person."""
        spool = spool_with(tmp_path, b"one\n")
        spool.pack()
        spool.reject(only(spool))
        assert list(spool.ready()) == []
        assert len(list((tmp_path / "ready" / "aside").iterdir())) == 1

    def test_knows_what_of_its_process_waits(self, tmp_path: Path) -> None:
        """Numbers of own segments, packed or not, until they are delivered."""
        spool = spool_with(tmp_path, b"one\n")
        theirs = tmp_path / "standard_20261121T14_host_0123456789abcdef_000001.segment"
        theirs.touch()
        waiting = spool.waiting()
        assert len(waiting) == 1
        spool.pack()
        assert spool.waiting() == waiting
        assert spool.used_bytes() == sum(
            path.stat().st_size for path in (tmp_path / "ready").iterdir()
        )
        spool.delivered(only(spool))
        assert spool.waiting() == set()
        assert spool.used_bytes() == 0


class TestUploads:
    """Notes of uploads in parts, for whoever comes after a kill."""

    def noted(self, directory: Path) -> tuple[Spool, Path]:
        spool = spool_with(directory, b"one\n")
        spool.pack()
        item = only(spool)
        assert item.uploads() == []
        for upload in ("2~a/b+c==", "second"):
            item.note_upload(upload)
        spool.keep(item)
        return spool, Path(f"{item.path}.uploads")

    def test_are_known_to_the_next_owner(self, tmp_path: Path) -> None:
        """In order and private, until they are forgotten."""
        spool, note = self.noted(tmp_path)
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        item = only(spool)
        assert item.uploads() == ["2~a/b+c==", "second"]
        item.forget_uploads()
        assert item.uploads() == []
        assert not note.exists()
        spool.keep(item)

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            pytest.param(b"whole\nto", ["whole"], id="torn"),
            pytest.param(b"\0\0\0", [], id="zeros"),
            pytest.param(b"x" * 2_000 + b"\nok\n", ["ok"], id="too-long"),
            pytest.param(b"sp ace\nok\n", ["ok"], id="no-id"),
        ],
    )
    def test_only_whole_ones_count(self, tmp_path: Path, content: bytes, found: list[str]) -> None:
        """A kill may tear a note, a power cut fill it with zeros."""
        spool, note = self.noted(tmp_path)
        note.write_bytes(content)
        item = only(spool)
        assert item.uploads() == found
        spool.keep(item)

    def test_a_planted_link_is_not_followed(self, tmp_path: Path) -> None:
        """Neither read nor written; the object is delivered all the same."""
        spool, note = self.noted(tmp_path / "spool")
        theirs = tmp_path / "theirs"
        theirs.write_bytes(b"secret\n")
        note.unlink()
        note.symlink_to(theirs)
        item = only(spool)
        item.note_upload("mine")
        assert item.uploads() == []
        spool.delivered(item)
        assert theirs.read_bytes() == b"secret\n"
        assert names(tmp_path / "spool") == set()

    @pytest.mark.parametrize("end", ["delivered", "rejected", "damaged"])
    def test_go_with_their_object(self, tmp_path: Path, end: str) -> None:
        """However it leaves the spool: nothing of it is left waiting."""
        spool, note = self.noted(tmp_path)
        if end == "damaged":
            note.with_suffix("").write_bytes(b"changed")
            assert list(spool.ready()) == []
        else:
            (spool.delivered if end == "delivered" else spool.reject)(only(spool))
        assert spool.waiting() == set()
        assert not note.exists()
