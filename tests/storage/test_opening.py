"""Promises of `opening`: nothing that was prepared for us is written to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging.storage.opening import (
    UnsafeFileError,
    make_directory,
    open_for_append,
    open_for_read,
    open_new,
)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def plant_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def plant_hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def plant_pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def plant_directory(path: Path, _: Path) -> None:
    path.mkdir()


PLANTED = [
    pytest.param(plant_link, "symbolic link", id="symbolic-link"),
    pytest.param(plant_hard_link, "second name", id="hard-link"),
    pytest.param(plant_pipe, "no regular file", id="pipe"),
    pytest.param(plant_directory, "directory", id="directory"),
]


class TestOpenForAppend:
    @pytest.mark.parametrize(("plant", "reason"), PLANTED)
    def test_refuses_what_was_planted(
        self, tmp_path: Path, plant: Callable[[Path, Path], None], reason: str
    ) -> None:
        """The file behind it keeps its bytes, and the error says what it is."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"untouched")
        plant(tmp_path / "log", victim)
        with pytest.raises(UnsafeFileError, match=reason):
            open_for_append(str(tmp_path / "log"), mode=0o600)
        assert victim.read_bytes() == b"untouched"

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
    @pytest.mark.parametrize("mode", [0o600, 0o640])
    def test_mode_is_exact(self, tmp_path: Path, umask: int, mode: int) -> None:
        """A new file has the permissions asked for, whatever the umask."""
        before = os.umask(umask)
        try:
            os.close(open_for_append(str(tmp_path / "log"), mode=mode))
        finally:
            os.umask(before)
        assert permissions(tmp_path / "log") == mode

    def test_tightens_an_existing_file(self, tmp_path: Path) -> None:
        """A log that everybody could read is closed to them."""
        path = tmp_path / "log"
        path.write_bytes(b"old\n")
        path.chmod(0o644)
        os.close(open_for_append(str(path), mode=0o600))
        assert permissions(path) == 0o600
        assert path.read_bytes() == b"old\n"

    def test_descriptor_is_not_inherited(self, tmp_path: Path) -> None:
        """Programs that are started do not get the log."""
        fd = open_for_append(str(tmp_path / "log"), mode=0o600)
        assert not os.get_inheritable(fd)
        os.close(fd)


class TestOpenNew:
    def test_never_opens_what_is_there(self, tmp_path: Path) -> None:
        """A name that is taken, even by a dangling link, is an error."""
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        with pytest.raises(FileExistsError):
            open_new(str(tmp_path / "link"), mode=0o600)
        assert not (tmp_path / "nowhere").exists()

    def test_gives_the_group(self, tmp_path: Path) -> None:
        """The file belongs to the group asked for."""
        os.close(open_new(str(tmp_path / "log"), mode=0o640, gid=os.getgid()))
        assert (tmp_path / "log").stat().st_gid == os.getgid()
        assert permissions(tmp_path / "log") == 0o640


class TestOpenForRead:
    @pytest.mark.parametrize(("plant", "reason"), PLANTED)
    def test_refuses_what_was_planted(
        self, tmp_path: Path, plant: Callable[[Path, Path], None], reason: str
    ) -> None:
        """Reading for compression or upload is as careful as writing."""
        (tmp_path / "victim").write_bytes(b"secret of somebody else")
        plant(tmp_path / "source", tmp_path / "victim")
        with pytest.raises(UnsafeFileError, match="regular" if reason == "directory" else reason):
            open_for_read(str(tmp_path / "source"))

    def test_refuses_another_users_file(self, tmp_path: Path) -> None:
        """Who owns the file could have put anything there, and give it to others."""
        path = Path("/etc/passwd")  # Root's, so any other user has it from somebody else.
        if os.geteuid() == 0:
            path = tmp_path / "log"
            path.write_bytes(b"")
            os.chown(path, 12_345, -1)
        with pytest.raises(UnsafeFileError, match="another user"):
            open_for_read(str(path))


class TestMakeDirectory:
    def test_all_new_directories_are_private(self, tmp_path: Path) -> None:
        """Also those in between are 0700, whatever the umask."""
        for umask in (0o000, 0o777):
            place = tmp_path / str(umask)
            before = os.umask(umask)
            try:
                assert make_directory(str(place / "b")) is None
            finally:
                os.umask(before)
            assert permissions(place) == permissions(place / "b") == 0o700

    def test_tells_when_anybody_may_write(self, tmp_path: Path) -> None:
        """A world-writable directory is named as a danger, one with the sticky bit is not."""
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        assert make_directory(str(tmp_path / "open")) == "anybody may write there"
        (tmp_path / "open").chmod(0o1777)
        assert make_directory(str(tmp_path / "open")) is None

    def test_refuses_a_way_through_another_users_link(self, tmp_path: Path) -> None:
        """Who owns the link decides where the log goes; our own links are fine."""
        (tmp_path / "real").mkdir()
        (tmp_path / "logs").symlink_to(tmp_path / "real")
        assert make_directory(str(tmp_path / "logs")) is None
        if os.geteuid() == 0:  # Root is trusted by everybody.
            os.chown(tmp_path / "logs", 12_345, -1, follow_symlinks=False)
        with pytest.raises(UnsafeFileError, match="link of another user"):
            make_directory(str(tmp_path / "logs" / "deeper"), uid=os.geteuid() + 1)
