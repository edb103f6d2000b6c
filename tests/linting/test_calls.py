"""Promises of `linting.calls`: what is a log call, and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmlogging.linting.findings import Finding

Lint = Callable[..., list[Finding]]


class TestLogCalls:
    @pytest.mark.parametrize(
        "source",
        [
            pytest.param("import logging\nlogging.error(f'a {x}')", id="module"),
            pytest.param("import logging as log\nlog.error(f'a {x}')", id="module-alias"),
            pytest.param("import logging.handlers\nlogging.error(f'a {x}')", id="submodule"),
            pytest.param("from logging import error\nerror(f'a {x}')", id="function"),
            pytest.param("from logging import error as e\ne(f'a {x}')", id="function-alias"),
            pytest.param("import logging\nlogging.root.error(f'a {x}')", id="root"),
            pytest.param("import logging\nlogging.getLogger().error(f'a {x}')", id="chained"),
            pytest.param(
                "from logging import getLogger\nj = getLogger('j')\nj.error(f'a {x}')",
                id="any-name",
            ),
            pytest.param(
                "import logging\nj: logging.Logger = logging.getLogger()\nj.warn(f'a {x}')",
                id="annotated",
            ),
            pytest.param(
                "import logging\nj = logging.getLogger().getChild('a')\nj.error(f'a {x}')",
                id="child",
            ),
            pytest.param(
                "import logging\nj = logging.LoggerAdapter(a, {})\nj.error(f'a {x}')",
                id="adapter",
            ),
            pytest.param(
                "from celery.utils.log import get_task_logger\n"
                "j = get_task_logger(__name__)\nj.info(f'a {x}')",
                id="celery",
            ),
            pytest.param(
                "import logging\nclass A:\n    def __init__(self):\n"
                "        self.audit = logging.getLogger('audit')\n"
                "    def f(self, x):\n        self.audit.info(f'a {x}')",
                id="attribute-of-any-name",
            ),
            pytest.param("def f(self, x):\n    self.log.info(f'a {x}')", id="self-log"),
            pytest.param("def f(self, x):\n    self._logger.info(f'a {x}')", id="self-_logger"),
            pytest.param("LOG.info(f'a {x}')", id="LOG"),
            pytest.param("from app import logger\nlogger.info(f'a {x}')", id="imported"),
            pytest.param("from app.log import audit_logger as l\n_logger.info(f'a {x}')", id="_l"),
            pytest.param("current_app.logger.info(f'a {x}')", id="flask"),
            pytest.param("def f(logger, x):\n    logger.info(f'a {x}')", id="parameter"),
            pytest.param("logger.log(30, f'a {x}')", id="log"),
            pytest.param("logger.log(level, f'a {x}')", id="log-level-variable"),
            pytest.param("logger.exception(f'a {x}')", id="exception"),
            pytest.param("logger.fatal(f'a {x}')", id="fatal"),
            pytest.param("logger.info(msg=f'a {x}')", id="keyword"),
            pytest.param("get_logger(__name__).info(f'a {x}')", id="own-maker"),
            pytest.param("from logging import *\nlogging.info(f'a {x}')", id="star"),
            pytest.param(
                "import logging\nlogger = None\ndef f(x):\n    global logger\n"
                "    logger = logger or logging.getLogger()\n    logger.info(f'a {x}')",
                id="global",
            ),
            pytest.param(
                "import logging\ndef f(given, x):\n    j = given or logging.getLogger()\n"
                "    j.info(f'a {x}')",
                id="or-a-default",
            ),
            pytest.param("async def f(x):\n    logger.info(f'a {await x}')", id="async"),
            pytest.param("f = lambda x: logger.info(f'a {x}')", id="lambda"),
            pytest.param("logger.info(\n    f'a {x}'\n)", id="lines"),
        ],
    )
    def test_are_found(self, lint: Lint, source: str) -> None:
        """However the logger came to its name."""
        assert [finding.code for finding in lint(source, "CL002", head="")] == ["CL002"]

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param("import math\nmath.log(f'a {x}', 2)", id="math"),
            pytest.param("import numpy as np\nnp.log(f'a {x}', 2)", id="numpy"),
            pytest.param("from numpy import log\nlog.error(f'a {x}')", id="numpy-log"),
            pytest.param("from math import log\nlog(f'a {x}')", id="math-log"),
            pytest.param(
                "from rich.console import Console\nlog = Console()\nlog.log(f'a {x}', 1)",
                id="rich",
            ),
            pytest.param("console.log(f'a {x}', 1)", id="console"),
            pytest.param("from loguru import logger\nlogger.info(f'a {x}')", id="loguru"),
            pytest.param(
                "from loguru import logger\nlogger.bind(a=1).info(f'a {x}')", id="loguru-bind"
            ),
            pytest.param(
                "from app import logger\nlog = logger.bind(a=1)\nlog.info(f'a {x}')", id="bound"
            ),
            pytest.param(
                "import structlog\nlog = structlog.get_logger()\nlog.info(f'a {x}')",
                id="structlog",
            ),
            pytest.param("log.info(f'a {x}', user_id=3)", id="fields-as-keywords"),
            pytest.param("from absl import logging\nlogging.info(f'a {x}')", id="absl"),
            pytest.param(
                "import structlog\ndef f(logger: structlog.BoundLogger, x):\n"
                "    logger.info(f'a {x}')",
                id="annotated-structlog",
            ),
            pytest.param(
                "from twisted.logger import Logger\nclass A:\n    log = Logger()\n"
                "    def f(self, x):\n        self.log.info(f'a {x}')",
                id="twisted",
            ),
            pytest.param("import warnings\nwarnings.warn(f'a {x}')", id="warnings"),
            pytest.param("messages.error(request, f'a {x}')", id="django-messages"),
            pytest.param("parser.error(f'a {x}')", id="argparse"),
            pytest.param("st.info(f'a {x}')", id="streamlit"),
            pytest.param("dialog.info(f'a {x}')", id="dialog"),
            pytest.param("catalog.info(f'a {x}')", id="catalog"),
            pytest.param("self.error(f'a {x}')", id="self-error"),
            pytest.param("log = []\nlog.error(f'a {x}')", id="list"),
            pytest.param("logger.log('metric', f'a {x}')", id="metric"),
            pytest.param("logger.addHandler(f'a {x}')", id="other-method"),
            pytest.param("logger.info()", id="no-message"),
            pytest.param("'logger.info(f\"a {x}\")'", id="text"),
        ],
    )
    def test_look_alikes_are_not(self, lint: Lint, source: str) -> None:
        """Other things called log, and other libraries' loggers, are left alone."""
        assert lint(source, head="") == []


class TestHandedIn:
    @pytest.mark.parametrize(
        "source",
        [
            "def log_it(message):\n    logger.error(message)",
            "def log_it(*args):\n    logger.error(*args)",
            "def log_it(level, *args):\n    logger.log(level, *args)",
            "def log_it(*args):\n    logger.log(*args)",
            "log_it = lambda message: logger.error(message)",
        ],
    )
    def test_a_wrapper_is_told_apart(self, lint: Lint, source: str) -> None:
        """What a caller hands in may be shown and may not: CL003, no CL001."""
        assert [finding.code for finding in lint(source)] == ["CL003"]


class TestManyBindings:
    def test_come_to_an_end(self, lint: Lint) -> None:
        """Names bound to one another a thousand times take no time; the calls are still found."""
        again = "\n".join(
            "    logger = logger or make(logger)\n    text = text or other\n"
            "    other = other or text\n    extra = {**extra, **more}\n"
            "    more = {**extra, **more}"
            for _ in range(1000)
        )
        source = f"def f(x):\n{again}\n    logger.info(text, extra=extra)"
        assert [finding.code for finding in lint(source)] == ["CL001"]


class TestPlace:
    def test_columns_are_characters(self, lint: Lint) -> None:
        """A line with characters of several bytes is counted as an editor counts."""
        (finding,) = lint("x = 'ä€😀'; logger.info(str(x))", "CL001")
        assert (finding.line, finding.column) == (3, 24)

    def test_findings_are_sorted_and_unique(self, lint: Lint) -> None:
        """By place; a mapping that two calls share is complained about once."""
        found = lint(
            """
            def f(x):
                extra = {"email": x}
                logger.info(str(x), extra=extra)
                logger.info("b", extra=extra)
            """
        )
        assert [(each.line, each.code) for each in found] == [(5, "CL202"), (6, "CL001")]
