"""`JsonFormatter` passes python-json-logger's own test-suite for formatters.

The suite comes from that project's source distribution, of the version installed, fetched from
the package index once and kept beside the virtual environment.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import crmlogging

DESELECTED = {
    "test_json_ensure_ascii_true": "asserts json.dumps's spacing and escapes where nobody asked "
    "for them; ours writes UTF-8 unless json_ensure_ascii is given",
}
MINIMUM_PASSED = 60


@pytest.fixture(scope="session")
def upstream_suite() -> str:
    """Return the text of the upstream test module."""
    version = importlib.metadata.version("python-json-logger")
    kept = Path(sys.prefix) / "share" / "crmlogging-tests"
    archive = kept / f"python_json_logger-{version}.tar.gz"
    if not archive.exists():
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"),
            *(":all:", "--dest", str(kept), f"python-json-logger=={version}"),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=110)
    with tarfile.open(archive) as tar:
        name = next(n for n in tar.getnames() if n.endswith("/tests/test_formatters.py"))
        file = tar.extractfile(name)
        assert file is not None
        return file.read().decode()


class TestPythonJsonLogger:
    def test_its_own_suite_passes_with_our_formatter(
        self, upstream_suite: str, tmp_path: Path
    ) -> None:
        """Every test of a formatter passes, outside a list with reasons."""
        ours = upstream_suite.replace(
            "from pythonjsonlogger.json import JsonFormatter\n",
            "from crmlogging import JsonFormatter\n",
        )
        # Ours alone: the other classes are theirs to test.
        ours = re.sub(r"    ALL_FORMATTERS\.append\(\w+\)\n", "    pass\n", ours)
        assert ours.count("from crmlogging import JsonFormatter") == 1
        (tmp_path / "test_upstream.py").write_text(ours)
        deselected = [f"--deselect=test_upstream.py::{name}" for name in DESELECTED]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p"),
                *("no:randomly", "--rootdir", str(tmp_path), *deselected, "test_upstream.py"),
            ],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(crmlogging.__file__).parent.parent), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        counts = re.search(r"(\d+) passed", done.stdout)
        assert counts is not None
        assert int(counts[1]) >= MINIMUM_PASSED
