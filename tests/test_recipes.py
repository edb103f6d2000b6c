"""docs/recipes.md works as printed, with the real packages, and lets no value out."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "recipes.md").read_text()
SECRET = "ada.lovelace@leak.example"

# After a recipe: one handled error and one that nobody catches, each holding the secret.
USE = """
import logging, os, sys
secret = os.environ["SECRET"]
log = logging.getLogger("crm.sync")
log.setLevel(logging.DEBUG)
log.info("Asked for %s", secret)
try:
    raise ValueError(f"no contact {secret}")
except ValueError:
    log.exception("Failed %s", secret, extra={"crm": "zoho", "email": secret})
"""
FAIL = "raise KeyError(secret)\n"


def recipe(heading: str) -> str:
    """Return the one block of Python below the heading that starts so."""
    section = re.search(rf"^## {heading}.*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None, heading
    (block,) = re.findall(r"^```python\n(.*?)^```", section[0], re.DOTALL | re.MULTILINE)
    assert isinstance(block, str)
    return block


def run(program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program file in a process of its own; its text holds no secret."""
    file = cwd / "sync.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, str(file)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert SECRET not in done.stdout + done.stderr
    return done


def environment() -> dict[str, str]:
    return {**os.environ, "SECRET": SECRET, "PYTHONUNBUFFERED": "1"}


def lines(text: str) -> list[dict[str, Any]]:
    """Return the lines but the one that says that logging begins."""
    every = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in every if "start.version" not in line]


class TestPage:
    @pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M))
    def test_blocks_are_python(self, block: str) -> None:
        """Every block compiles, also the one whose package is too heavy to install for tests."""
        ast.parse(block)

    def test_every_recipe_is_run(self) -> None:
        """A recipe added to the page needs a test here."""
        used = re.findall(r"recipe\(['\"]([^'\"]+)", Path(__file__).read_text())
        headings = re.findall(r"^## (.*)", PAGE, re.MULTILINE)
        missing = [each for each in headings if not any(each.startswith(name) for name in used)]
        assert missing == []


class TestHandlers:
    def test_any_handler(self, tmp_path: Path) -> None:
        """A syslog server gets the template."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(60)
            port = server.getsockname()[1]
            run(f"SYSLOG_PORT = {port}\n{recipe('Any handler')}{USE}", tmp_path)
            datagrams = server.recv(65_536) + server.recv(65_536)
        assert b"Failed %s" in datagrams
        assert SECRET.encode() not in datagrams

    def test_sentry(self, tmp_path: Path) -> None:
        """Events and breadcrumbs: template, fields, tags; also for what nobody caught."""
        sent = (
            "\nimport atexit\n"
            "sentry_sdk.get_client().transport.capture_envelope = lambda envelope: "
            "open('sent.json', 'ab').write(envelope.serialize() + b'\\n')\n"
        )
        program = f"DSN = 'http://key@127.0.0.1:9/1'\n{recipe('Sentry')}{sent}{USE}{FAIL}"
        done = run(program, tmp_path)
        text = (tmp_path / "sent.json").read_text()
        assert SECRET not in text
        handled, uncaught = (line for line in lines(text) if "logentry" in line)
        assert handled["logentry"]["message"] == "Failed %s"
        assert handled["tags"]["error.type"] == "ValueError"
        assert len(handled["fingerprint"]) == 1
        assert handled["breadcrumbs"]["values"][0]["message"] == "Asked for %s"
        assert uncaught["logentry"]["message"] == "Ended by an uncaught exception"
        assert (uncaught["level"], uncaught["tags"]["error.type"]) == ("fatal", "KeyError")
        assert done.returncode == 1

    def test_sentry_with_its_own_hook_stays_off_stderr(self, tmp_path: Path) -> None:
        """Set up before us with all its integrations, it gets its event; stderr gets nothing."""
        done = run(
            "import crmlogging, os, sentry_sdk\n"
            "sentry_sdk.init(dsn='http://key@127.0.0.1:9/1', auto_enabling_integrations=False)\n"
            "sentry_sdk.get_client().transport.capture_envelope = (\n"
            "    lambda envelope: print('SENT', len(envelope.items)))\n"
            "secret = os.environ['SECRET']\n"
            "crmlogging.configure('crm-sync', 'production', output='crm.jsonl')\n" + FAIL,
            tmp_path,
        )
        assert "SENT" in done.stdout
        assert "KeyError at sync.py" in done.stderr

    def test_opentelemetry(self, tmp_path: Path) -> None:
        """The exporter gets template, fields and trace ids; our lines the trace ids as well."""
        before = """
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
LOGGER_PROVIDER = LoggerProvider()
exporter = ConsoleLogRecordExporter(
    out=open("sent.json", "w"), formatter=lambda record: record.to_json(indent=None) + "\\n"
)
LOGGER_PROVIDER.add_log_record_processor(SimpleLogRecordProcessor(exporter))
span = TracerProvider().get_tracer("sync").start_as_current_span("sync")
"""
        program = f"{before}{recipe('OpenTelemetry')}span.__enter__()\n{USE}"
        found = lines(run(program, tmp_path).stdout)
        text = (tmp_path / "sent.json").read_text()
        assert SECRET not in text
        (sent,) = (line for line in lines(text) if line["severity_text"] == "ERROR")
        assert sent["body"] == "Failed %s"
        assert sent["attributes"]["error.type"] == "ValueError"
        trace = sent["attributes"]["otelTraceID"]
        assert re.fullmatch("[0-9a-f]{32}", trace)
        assert {line["otelTraceID"] for line in found if line["logger"] == "crm.sync"} == {trace}

    def test_datadog(self, tmp_path: Path) -> None:
        """The factory adds what a tracer answers; the field list lets it out."""
        (tmp_path / "ddtrace.py").write_text(
            "class tracer:\n"
            "    @staticmethod\n"
            "    def get_log_correlation_context():\n"
            "        return {'trace_id': 17, 'dd.span_id': '18'}\n"
        )
        found = lines(
            run(
                f"{recipe('Datadog')}\nimport crmlogging\n"
                "crmlogging.configure('s', 'production', fields=['@crm', 'dd.*'])\n" + USE,
                tmp_path,
            ).stdout
        )
        assert {(line["dd.trace_id"], line["dd.span_id"]) for line in found} == {("17", "18")}

    def test_cloudwatch(self, tmp_path: Path) -> None:
        """The log group (moto's) holds JSON lines with templates."""
        program = f"""
import boto3, os
from moto import mock_aws
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
mock = mock_aws(); mock.start()
LOGS_CLIENT = boto3.client("logs", region_name="eu-west-1")
{recipe("CloudWatch")}
{USE}
logging.shutdown()
streams = LOGS_CLIENT.describe_log_streams(logGroupName="crm-sync")["logStreams"]
events = LOGS_CLIENT.get_log_events(
    logGroupName="crm-sync", logStreamName=streams[0]["logStreamName"])["events"]
print(*(event["message"] for event in events), sep="\\n")
"""
        found = lines(run(program, tmp_path).stdout)
        (line,) = (line for line in found if line["level"] == "ERROR")
        assert (line["message"], line["error.type"]) == ("Failed %s", "ValueError")


class TestProcesses:
    def test_a_child_s_uncaught_error(self, tmp_path: Path) -> None:
        """What nobody catches: the class for child processes logs it and keeps exit code 1."""
        done = run(
            recipe("What nobody catches") + "\nimport os\n"
            "def work(text): raise KeyError(text)\n"
            "if __name__ == '__main__':\n"
            "    child = Process(target=work, args=(os.environ['SECRET'],))\n"
            "    child.start(); child.join()\n"
            "    print('EXIT', child.exitcode)\n",
            tmp_path,
        )
        assert "EXIT 1" in done.stdout
        (line,) = lines(done.stdout)
        assert (line["level"], line["error.type"]) == ("CRITICAL", "KeyError")
        assert done.stderr == ""


APP = """
import os
secret = os.environ["SECRET"]
def fail(who): raise ValueError(f"no contact {who}")
"""


def served(command: list[str], cwd: Path, port: int) -> str:
    """Start a server, ask it for a page and a failure with secrets, end it; return its output."""
    log = cwd / "output"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=cwd, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            for path in ("contacts/4711", "boom"):
                _ask(f"http://127.0.0.1:{port}/{path}?email={SECRET}", server)
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
        finally:
            server.kill()
            server.wait()
    text = log.read_text()
    assert SECRET not in text
    assert SECRET.replace("@", "%40") not in text
    return text


def _ask(url: str, server: subprocess.Popen[bytes]) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": SECRET, "Referer": SECRET})
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)  # until it listens; nothing else tells
    pytest.fail("no server came up")


class TestServers:
    def test_gunicorn(self, tmp_path: Path) -> None:
        """Access lines and failures come as JSON lines, the request's path as its route."""
        (tmp_path / "gunicorn.conf.py").write_text(recipe("gunicorn"))
        (tmp_path / "app.py").write_text(
            APP + "def app(environ, start_response):\n"
            "    if environ['PATH_INFO'] == '/boom':\n        fail(secret)\n"
            "    start_response('200 OK', [('Content-Length', '0')])\n    return [b'']\n"
        )
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "app:app"]
        text = served([*command, "--no-control-socket"], tmp_path, port)
        found = lines(text)
        begun = [line for line in text.splitlines() if "Logging begins" in line]
        assert len(found) == len(text.splitlines()) - len(begun)
        access = [line for line in found if line["logger"] == "gunicorn.access"]
        assert (access[0]["request.path"], access[0]["response.status"]) == ("/contacts/{id}", 200)
        assert access[1]["response.status"] == 500
        assert any(line.get("error.type") == "ValueError" for line in found)
        assert "Starting gunicorn %s" in {line["message"] for line in found}

    def test_uvicorn(self, tmp_path: Path) -> None:
        """Access lines and failures come as JSON lines, the request's path as its route."""
        port = free_port()
        (tmp_path / "serve.py").write_text(
            APP + "async def app(scope, receive, send):\n"
            "    if scope['type'] != 'http': return\n"
            "    if scope['path'] == '/boom':\n        fail(secret)\n"
            "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "    await send({'type': 'http.response.body', 'body': b''})\n"
            f"PORT = {port}\n"
            # Beside a file the console waits behind a queue.
             + recipe("uvicorn").replace('tion")', 'tion", output=["stdout", "crm.jsonl"])')
        )
        found = lines(served([sys.executable, "serve.py"], tmp_path, port))
        access = [line for line in found if line["logger"] == "uvicorn.access"]
        assert [(line["request.path"], line["response.status"]) for line in access] == [
            ("/contacts/{id}", 200),
            ("/boom", 500),
        ]
        assert any(line.get("error.message") == "no contact {who}" for line in found)
        archive = lines((tmp_path / "crm.jsonl").read_text())
        assert archive[-1]["message"] == "Finished server process [%d]"
        assert [line["message"] for line in archive] == [line["message"] for line in found]

    def test_structlog(self, tmp_path: Path) -> None:
        """Events are messages, what is bound to them and to the context are fields."""
        done = run(
            f"{recipe('structlog')}\nimport os\nsecret = os.environ['SECRET']\n"
            "structlog.contextvars.bind_contextvars(**{'tenant.code': 'acme', 'who': secret})\n"
            "logger = structlog.get_logger('crm.sync').bind(crm='zoho')\n"
            "try:\n    raise ValueError(f'no contact {secret}')\n"
            "except ValueError:\n    logger.exception('Failed', email=secret)\n"
            "logger.info(f'Synced {secret}')\nlogger.warning('Retried %s', secret)\n",
            tmp_path,
        )
        found = lines(done.stdout)
        assert [line["message"] for line in found] == [
            *("Failed", "Synced {secret}", "Retried %s"),
        ]
        assert {(line["crm"], line["tenant.code"]) for line in found} == {("zoho", "acme")}
        assert found[0]["error.message"] == "no contact {secret}"

    def test_celery(self, tmp_path: Path) -> None:
        """Received, succeeded, failed: templates; neither arguments nor results."""
        done = run(
            recipe("Celery") + APP + "import logging\n"
            "from celery.exceptions import WorkerShutdown\n"
            "@app.task(name='crm.sync_contact')\n"
            "def sync_contact(email):\n"
            "    logging.getLogger('crm.sync').error('Failed %s', email)\n    return email\n"
            "app.task(name='crm.fail')(fail)\n"
            "@app.task(name='crm.stop')\n"
            "def stop(): raise WorkerShutdown(0)\n"
            "for task in (sync_contact, app.tasks['crm.fail']): task.delay(secret)\n"
            "stop.delay()\n"
            "app.Worker(pool='solo', loglevel='INFO', without_gossip=True, without_mingle=True,\n"
            "           without_heartbeat=True, quiet=True).start()\n",
            tmp_path,
        )
        found = lines(done.stdout)
        messages = [line["message"] for line in found]
        assert "Failed %s" in messages
        assert "Task %(name)s[%(id)s] received" in messages
        assert any(message.startswith("Task %(name)s[%(id)s] succeeded") for message in messages)
        assert any(line.get("error.message") == "no contact {who}" for line in found)

    def test_django(self, tmp_path: Path) -> None:
        """A failing view: the route, the type and the template, and nobody is mailed a request."""
        (tmp_path / "settings.py").write_text(
            recipe("Django")
            + "SECRET_KEY = 'x' * 50\nROOT_URLCONF = 'urls'\nALLOWED_HOSTS = ['*']\n"
            "ADMINS = ['root@localhost']\n"
        )
        (tmp_path / "urls.py").write_text(
            APP + "from django.urls import path\n"
            "def boom(request): fail(request.GET['email'])\n"
            "urlpatterns = [path('boom', boom)]\n"
        )
        done = run(
            APP + "os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
            "import django; django.setup()\n"
            "from django.test import Client\n"
            "client = Client(raise_request_exception=False)\n"
            "for place in ('/boom', '/missing'):\n"
            "    print(client.get(place, {'email': secret}).status_code)\n",
            tmp_path,
        )
        failed, missing = lines(done.stdout)
        assert (failed["logger"], failed["message"]) == ("django.request", "%s: %s")
        assert failed["error.message"] == "no contact {who}"
        assert (missing["level"], missing["message"]) == ("WARNING", "%s: %s")
        assert (failed["request.path"], missing["request.path"]) == ("/boom", "/missing")


class TestPytest:
    def test_caplog(self, tmp_path: Path) -> None:
        """The fixture's own handler, protected, collects what would leave."""
        (tmp_path / "test_sync.py").write_text(
            "import os\nADDRESS = os.environ['SECRET']\n" + recipe("pytest")
        )
        done = run(
            "import pytest, sys\n"
            "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:randomly',"
            " 'test_sync.py']))\n",
            tmp_path,
        )
        assert done.returncode == 0, done.stdout
