"""Promises of `linting.sources`: which files are read, and that none breaks the run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.checking import check
from crmlogging.linting.findings import Finding
from crmlogging.linting.sources import files_under

Lint = Callable[..., list[Finding]]
BAD = "import logging\nlogging.info(str(1))\n"
ALL = frozenset({"CL001"})


def write(path: Path, text: str | bytes = BAD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def names(root: Path, *paths: Path) -> list[str]:
    found = files_under((str(path) for path in paths or (root,)), [])
    return [os.path.relpath(path, root) for path in found]


class TestFilesUnder:
    def test_python_files_in_order(self, tmp_path: Path) -> None:
        """Sorted, whatever order the file system has."""
        for name in ("b.py", "a/z.py", "a/b.pyw", "c.txt", "d.ipynb", "e.pyc", "a.py"):
            write(tmp_path / name)
        assert names(tmp_path) == ["a.py", "b.py", "a/b.pyw", "a/z.py"]

    @pytest.mark.parametrize(
        "folder",
        [
            *(".git", ".venv", "venv", "node_modules", "build", "dist", ".nox", ".tox"),
            *("__pycache__", "a/site-packages", "x.egg-info"),
        ],
    )
    def test_other_people_s_folders_are_left_out(self, tmp_path: Path, folder: str) -> None:
        """Unless the file or the folder itself is named."""
        file = write(tmp_path / folder / "a.py")
        assert names(tmp_path) == []
        assert len(names(tmp_path, file)) == len(names(tmp_path, file.parent)) == 1

    def test_a_virtual_environment_of_any_name(self, tmp_path: Path) -> None:
        """It is known by its pyvenv.cfg."""
        write(tmp_path / "env311" / "lib" / "a.py")
        write(tmp_path / "env311" / "pyvenv.cfg", "")
        assert names(tmp_path) == []

    def test_look_alikes_stay(self, tmp_path: Path) -> None:
        """Only the very names are left out."""
        for name in ("builds/a.py", "distribution/a.py", "git/a.py"):
            write(tmp_path / name)
        assert len(names(tmp_path)) == 3

    def test_loops_end(self, tmp_path: Path) -> None:
        """Links to folders are not followed; a link to a file counts as that file, once."""
        write(tmp_path / "a.py")
        (tmp_path / "loop").symlink_to(tmp_path)
        (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
        (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
        assert names(tmp_path) == ["a.py"]

    def test_a_named_file_of_any_name(self, tmp_path: Path) -> None:
        """A script without a suffix is read, a notebook is not, a file named twice is read once."""
        script, notebook = write(tmp_path / "job"), write(tmp_path / "a.ipynb")
        assert names(tmp_path, script, notebook, script) == ["job"]

    def test_a_folder_that_cannot_be_listed(self, tmp_path: Path) -> None:
        """It is told, and the others are read; here it goes away in the meantime."""
        for name in ("a/a.py", "b/b.py", "c/c.py"):
            write(tmp_path / name)
        problems: list[str] = []
        found = files_under([str(tmp_path)], problems)
        assert next(found).endswith("a.py")
        shutil.rmtree(tmp_path / "b")
        assert [os.path.basename(path) for path in found] == ["c.py"]
        (problem,) = problems
        assert problem.startswith(f"{tmp_path / 'b'}: cannot be listed")


class TestRead:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"\xef\xbb\xbf" + BAD.encode(), id="bom"),
            pytest.param(b"# coding: latin-1\n# \xe9\n" + BAD.encode(), id="latin-1"),
            pytest.param(BAD.replace("\n", "\r\n").encode(), id="crlf"),
            pytest.param(BAD.replace("\n", "\r").encode(), id="cr"),
            pytest.param(b"\x0c\n" + BAD.encode(), id="form-feed"),
            pytest.param(b'x = "\\d"\n' + BAD.encode(), id="bad-escape"),
            pytest.param(b"1 is 1\n" + BAD.encode(), id="syntax-warning"),
            pytest.param(BAD.rstrip().encode(), id="no-last-newline"),
        ],
    )
    def test_odd_files(self, tmp_path: Path, content: bytes) -> None:
        """Encodings and line ends that Python takes are taken, without a warning."""
        outcome = check([str(write(tmp_path / "a.py", content))], ALL, Allowed())
        assert outcome.problems == []
        assert [finding.column for finding in outcome.findings] == [14]

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            pytest.param(b"def f(:\n", "line 1: is not Python", id="syntax"),
            pytest.param(b"x = 1\0\n", "is not Python", id="null"),
            pytest.param(b"# coding: nope\n", "is not Python", id="unknown-encoding"),
            pytest.param(b"x = '\xff'\n", "is not Python", id="no-utf-8"),
            pytest.param("x = 1\n".encode("utf-16"), "is not Python", id="utf-16"),
            pytest.param(b"x = " + b"(" * 5000 + b")" * 5000, "", id="deep"),
            pytest.param(b"logging.info(x" + b"+x" * 50_000 + b")", "", id="deep-sum"),
        ],
    )
    def test_broken_files(self, tmp_path: Path, content: bytes, complaint: str) -> None:
        """One is told with its name, and the others are checked."""
        write(tmp_path / "a.py", content)
        write(tmp_path / "b.py")
        outcome = check([str(tmp_path)], ALL, Allowed())
        (problem,) = outcome.problems
        assert problem.startswith(str(tmp_path / "a.py"))
        assert complaint in problem
        assert len(outcome.findings) == 1

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        """A missing path and a link to itself are problems, and the rest is checked."""
        (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
        paths = [tmp_path / "gone", tmp_path / "self.py", write(tmp_path / "b.py")]
        outcome = check(map(str, paths), ALL, Allowed())
        assert len(outcome.problems) == 2
        assert len(outcome.findings) == 1

    def test_a_large_table_is_not_parsed(self, tmp_path: Path) -> None:
        """A generated file without a call that could log is passed over; one with it is not."""
        table = "x = [\n" + "1234567890,\n" * 100_000 + "]\n"
        path = write(tmp_path / "a.py", table + "def f(:\n")
        assert check([str(path)], ALL, Allowed()).problems == []
        write(path, table + BAD)
        assert len(check([str(path)], ALL, Allowed()).findings) == 1


class TestSilence:
    @pytest.mark.parametrize(
        "source",
        [
            "logger.info(str(1))  # crmlogging: ignore",
            "logger.info(str(1))  # crmlogging: ignore[CL001]",
            "logger.info(str(1))  #crmlogging:ignore[cl202, CL001]",
            "logger.info(str(1))  # noqa  # crmlogging: ignore[CL001]  # a banner",
            "logger.info(\n    str(1)  # crmlogging: ignore[CL001]\n)",
            "logger.info(  # crmlogging: ignore[CL001]\n    str(1)\n)",
            "logger.info(\n    str(1)\n)  # crmlogging: ignore[CL001]",
            "extra = {'email': 1}  # crmlogging: ignore[CL202]\nlogger.info('a', extra=extra)",
        ],
    )
    def test_a_comment_silences_its_call(self, lint: Lint, source: str) -> None:
        """On any line of the call, or of the place itself; for all codes or those named."""
        assert lint(source) == []

    @pytest.mark.parametrize(
        "source",
        [
            "logger.info(str(1))  # crmlogging: ignore[CL202]",
            "logger.info(str(1))  # crmlogging: ignore[]",
            "logger.info(str(1))  # crmlogging: ignored",
            "# crmlogging: ignore\nlogger.info(str(1))",
            "logger.info(str('# crmlogging: ignore'))",
            'x = """\n"""; logger.info(str("""\n# crmlogging: ignore\n"""))',
        ],
    )
    def test_anything_else_does_not(self, lint: Lint, source: str) -> None:
        """Other codes, other lines, and the same words in a string."""
        assert [finding.code for finding in lint(source)] == ["CL001"]
