"""Promises at the end and at the fork: what was logged is delivered, once, and nobody hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

import crmlogging

ROOT = Path(crmlogging.__file__).parents[1]
SETUP = """
import atexit, logging, logging.config, os, sys, threading, time
def late():
    logging.info("late")
if "late" in sys.argv:
    atexit.register(late)
if "early" in sys.argv:
    os.register_at_fork(after_in_child=lambda: handler.tick())
from crmlogging.handlers.async_handler import AsyncHandler
target = logging.StreamHandler(sys.stdout)
handler = AsyncHandler(handlers=[target], flush_seconds=20)
logging.root.addHandler(handler)
logging.root.setLevel(logging.DEBUG)
"""


def run(body: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `SETUP` and `body` in a process of its own; its records come as lines of stdout."""
    return subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(body), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class TestExit:
    @pytest.mark.parametrize(
        ("end", "status"),
        [
            pytest.param("", 0, id="plain"),
            pytest.param("sys.exit(3)", 3, id="sys-exit"),
            pytest.param("raise RuntimeError", 1, id="exception"),
            pytest.param("logging.shutdown()", 0, id="shutdown"),
            pytest.param("handler.close(); target.close()", 0, id="closed"),
            pytest.param("handler.close(); logging.info('5000')", 0, id="log-after-close"),
        ],
    )
    def test_everything_is_delivered(self, end: str, status: int) -> None:
        """However the interpreter ends, every record is written, in order."""
        result = run(f"for n in range(5_000): logging.info('%d', n)\n{end}")
        assert result.returncode == status
        expected = [str(n) for n in range(5_000)] + ["5000"] * ("5000" in end)
        assert result.stdout.split() == expected

    def test_a_handler_that_nobody_refers_to_delivers(self) -> None:
        """What a forgotten handler accepted is not forgotten."""
        body = """
        import gc, weakref
        class Slow(logging.Formatter):
            def format(self, record):
                time.sleep(0.001)
                return super().format(record)
        target.setFormatter(Slow())
        for n in range(200): logging.info("%d", n)
        logging.root.handlers.clear()
        alone = weakref.ref(handler)
        del handler
        gc.collect()
        assert alone() is not None
        """
        assert run(body).stdout.split() == [str(n) for n in range(200)]

    def test_a_thread_that_outlives_the_main_one_is_heard(self) -> None:
        """Threads may go on logging after the main thread has ended."""
        body = """
        def work():
            threading.main_thread().join()
            for n in range(2_000): logging.info("%d", n)
        threading.Thread(target=work).start()
        logging.info("main")
        """
        assert run(body).stdout.split() == ["main", *map(str, range(2_000))]

    def test_records_of_later_exit_functions_are_written(self) -> None:
        """An atexit function that runs after our own still logs, whoever closed the handler."""
        foreign = "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})"
        for body in ("", "logging.shutdown()", foreign + "; logging.root.addHandler(handler)"):
            assert run(body, "late").stdout.split() == ["late"], body

    def test_a_foreign_document_does_not_silence(self) -> None:
        """A dictConfig that closes our handler and forgets it loses nothing of what follows."""
        body = """
        logging.getLogger("kept").addHandler(handler)
        logging.getLogger("kept").propagate = False
        logging.getLogger("kept").info("before")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        logging.getLogger("kept").info("after")
        assert [t.name for t in threading.enumerate() if "async" in t.name].__len__() <= 1
        """
        assert run(body).stdout.split() == ["before", "after"]

    def test_a_hanging_target_does_not_hold_up_the_exit(self) -> None:
        """After `flush_seconds` the process ends and says how many records were left."""
        body = """
        class Hanging(logging.Handler):
            def emit(self, record):
                threading.Event().wait()
        handler.close()
        stuck = AsyncHandler(handlers=[Hanging(), logging.StreamHandler(sys.stdout)],
                             flush_seconds=0.3)
        logging.root.handlers[:] = [stuck]
        for n in range(5): logging.info("%d", n)
        """
        result = run(body, timeout=60)
        assert result.returncode == 0
        assert result.stdout.split()[:5] == list("01234")
        assert "AsyncHandler dropped 5 records: 5 INFO exit" in result.stdout
        assert "5 records were not delivered" in result.stderr

    def test_nothing_is_printed_at_a_clean_exit(self) -> None:
        """No warning, no traceback, also with development checks on."""
        script = SETUP + "\nfor n in range(100): logging.info('%d', n)"
        result = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", script],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert result.stderr == ""

    def test_a_hanging_target_does_not_hold_up_a_new_document(self) -> None:
        """dictConfig closes all handlers, each under its lock: also one that will never come."""
        body = """
        class Hanging(logging.Handler):
            def emit(self, record):
                threading.Event().wait()
        hanging = Hanging()
        stuck = AsyncHandler(handlers=[hanging], flush_seconds=0.2)
        logging.root.handlers[:] = [stuck]
        logging.info("lost")
        logging.config.dictConfig({"version": 1})
        print("configured")
        """
        assert run(body, timeout=60).stdout.split() == ["configured"]


class TestWithoutThreads:
    @pytest.mark.parametrize(
        "how",
        [
            pytest.param(
                "def start(self): raise RuntimeError('no')\nthreading.Thread.start = start",
                id="cannot-start",
            ),
            pytest.param(
                "import types; sys.modules['uwsgi'] = types.SimpleNamespace(opt={})",
                id="uwsgi-without-threads",
            ),
        ],
    )
    def test_callers_write(self, how: str) -> None:
        """Where no thread runs, the record is on its way when the call returns."""
        body = how + "\nlogging.info('one')\nlogging.info('two')\nos._exit(0)"
        assert run(body).stdout.split() == ["one", "two"]

    def test_threads_are_used_when_uwsgi_has_them(self) -> None:
        """With ``enable-threads`` a worker does the work."""
        body = """
        import types; sys.modules["uwsgi"] = types.SimpleNamespace(opt={"enable-threads": True})
        logging.info("one")
        sys.stdout.write("%d\\n" % sum("async" in t.name for t in threading.enumerate()))
        """
        assert sorted(run(body).stdout.split()) == ["1", "one"]


class TestFork:
    def test_child_delivers_its_own_records_once(self) -> None:
        """Parent and children write what they logged; nothing twice, nothing lost, no hang."""
        body = """
        children = []
        for child in range(20):
            for n in range(50): logging.info("parent-%d-%d", child, n)
            pid = os.fork()
            if not pid:
                for n in range(20): logging.info("child-%d-%d", child, n)
                sys.exit(0)
            children.append(pid)
        for pid in children: assert os.waitpid(pid, 0)[1] == 0
        """
        result = run(body)
        assert result.returncode == 0, result.stderr
        counts = Counter(result.stdout.split())
        assert set(counts.values()) == {1}
        assert len(counts) == 20 * 50 + 20 * 20

    def test_no_child_hangs_while_threads_log(self) -> None:
        """Forks in the middle of writes by several threads: every child prints and ends."""
        body = """
        stop = threading.Event()
        def work(k):
            n = 0
            while not stop.is_set():
                n += 1
                logging.info("thread-%d-%d", k, n)
                if n % 100 == 0: time.sleep(0.001)
        for k in range(3): threading.Thread(target=work, args=(k,), daemon=True).start()
        for child in range(50):
            pid = os.fork()
            if not pid:
                logging.info("child-%d", child)
                sys.stdout.write("printed-%d\\n" % child)
                sys.stdout.flush()
                handler.flush()
                stats = handler.stats()
                os._exit(stats["produced"] != stats["delivered"] or stats["delivered"] != 1)
            assert os.waitpid(pid, 0)[1] == 0, child
        stop.set()
        """
        result = run(body, timeout=100)
        assert result.returncode == 0, result.stderr
        counts = Counter(result.stdout.split())
        assert {n for name, n in counts.items() if name.startswith("child-")} == {1}
        assert sum(name.startswith("child-") for name in counts) == 50
        assert sum(name.startswith("printed-") for name in counts) == 50

    def test_what_waits_stays_the_parents(self) -> None:
        """A child that is ticked before it knows of the fork does not deliver it again."""
        body = """
        class Slow(logging.Formatter):
            def format(self, record):
                time.sleep(0.001)
                return super().format(record)
        target.setFormatter(Slow())
        for n in range(200): logging.info("%d", n)
        pid = os.fork()
        if not pid:
            time.sleep(0.3)
            os._exit(0)
        os.waitpid(pid, 0)
        """
        assert run(body, "early").stdout.split() == [str(n) for n in range(200)]

    def test_child_goes_on_while_parents_target_hangs(self) -> None:
        """A thread stuck in a file's buffer at the fork does not stick the child."""
        body = """
        import tempfile
        path = tempfile.mktemp()
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        class Stuck(logging.StreamHandler):
            def emit(self, record):
                self.stream.write(record.getMessage() + "\\n")
                self.stream.flush()
        inside = logging.StreamHandler(open(path, "w"))
        inside.__class__ = Stuck
        slow = AsyncHandler(handlers=[inside], flush_seconds=5)
        logging.root.handlers[:] = [slow]
        logging.info("x" * 1_000_000)  # more than the pipe takes
        while not slow._dispatch.lanes[0].busy: time.sleep(0.001)
        time.sleep(0.1)
        pid = os.fork()
        if not pid:
            def drink():
                while os.read(reader, 65536): pass
            os.set_blocking(reader, True)
            threading.Thread(target=drink, daemon=True).start()
            logging.info("child")
            slow.flush()
            sys.exit(slow.stats()["delivered"] != 1)
        status = os.waitpid(pid, 0)[1]
        os.unlink(path)
        os._exit(status != 0)
        """
        assert run(body, timeout=60).returncode == 0

    def test_child_goes_on_in_the_file_of_a_busy_target(self, tmp_path: Path) -> None:
        """A handler that was formatting at the fork writes to the same file in the child."""
        body = """
        class Own(logging.StreamHandler):
            def emit(self, record):
                super().emit(record)
        class Stuck(logging.Formatter):
            def format(self, record):
                while os.getpid() == parent: time.sleep(0.01)
                return super().format(record)
        parent = os.getpid()
        busy = Own(open(sys.argv[1], "a"))
        busy.setFormatter(Stuck())
        slow = AsyncHandler(handlers=[busy])
        logging.root.handlers[:] = [slow]
        logging.info("parent")
        while not slow._dispatch.lanes[0].busy: time.sleep(0.001)
        pid = os.fork()
        if not pid:
            logging.info("child")
            sys.exit(not slow.drain(60))
        os._exit(os.waitpid(pid, 0)[1] != 0)
        """
        file = tmp_path / "out.log"
        assert run(body, str(file), timeout=60).returncode == 0
        assert file.read_text() == "child\n"

    def test_child_that_a_target_forked_delivers(self) -> None:
        """In it the worker is the main thread, and no delivery is going on."""
        body = """
        class Forking(logging.Handler):
            def emit(self, record):
                if record.getMessage() != "parent": return
                pid = os.fork()
                if not pid:
                    for n in range(300): logging.info("child-%d", n)
                    os._exit(not both.drain(60))
                logging.info("status-%d", os.waitpid(pid, 0)[1])
        both = AsyncHandler(handlers=[Forking(), target])
        logging.root.handlers[:] = [both]
        logging.info("parent")
        both.drain(60)  # from 3.12 on nobody may fork once the interpreter ends
        """
        children = [f"child-{n}" for n in range(300)]
        assert sorted(run(body).stdout.split()) == sorted([*children, "parent", "status-0"])

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_multiprocessing_children_deliver(self, method: str, tmp_path: Path) -> None:
        """Children of every start method deliver at their end, though none runs atexit."""
        script = tmp_path / "script.py"
        body = """
        import multiprocessing
        def work(k):
            for n in range(200): logging.info("child-%d-%d", k, n)
        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            children = [context.Process(target=work, args=(k,)) for k in range(3)]
            for child in children: child.start()
            for n in range(200): logging.info("parent-%d", n)
            for child in children: child.join()
        """
        script.write_text(SETUP + textwrap.dedent(body))
        result = subprocess.run(
            [sys.executable, str(script), method],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        counts = Counter(result.stdout.split())
        assert set(counts.values()) == {1}
        assert len(counts) == 800
