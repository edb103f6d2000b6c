"""Promises of `crmlogging.checking.patches`: whoever has a hand in `logging` is named."""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import crmlogging
from crmlogging.checking.findings import Finding
from crmlogging.checking.patches import findings_on_hooks, findings_on_patches
from crmlogging.checking.tree import Tree

pytestmark = pytest.mark.usefixtures("bare_root")


def made_in(module: str, source: str, **names: Any) -> Callable[..., Any]:
    """Return the function `patched` that `source` defines, as if `module` held it."""
    namespace: dict[str, Any] = {"__name__": module, **names}
    exec(source, namespace)
    function: Callable[..., Any] = namespace["patched"]
    return function


TRACER = "def patched(self, *rest):\n    return original(self, *rest)\n"


def found() -> list[Finding]:
    return list(findings_on_patches(Tree()))


class TestPatches:
    def test_nobody(self) -> None:
        """The stock methods, and our own Logger, are nothing to tell."""
        logging.setLoggerClass(crmlogging.Logger)
        logging.getLogger("crm.checked_ours")
        assert found() == []

    @pytest.mark.parametrize(
        ("kind", "method"),
        [
            (logging.Logger, "callHandlers"),
            (logging.Logger, "handle"),
            (logging.Logger, "makeRecord"),
            (logging.Logger, "_log"),
            (logging.Logger, "error"),
            (logging.Handler, "handle"),
            (logging.StreamHandler, "emit"),
            (logging.Filterer, "filter"),
            (logging.LogRecord, "getMessage"),
        ],
    )
    def test_a_method_that_sees_values(
        self, monkeypatch: pytest.MonkeyPatch, kind: type, method: str
    ) -> None:
        """It is a problem, named with the module of the code that runs instead."""
        patch = made_in("tracer.hooks", TRACER, original=getattr(kind, method))
        monkeypatch.setattr(kind, method, patch)
        (finding,) = found()
        assert finding.place == f"logging.{kind.__name__}.{method}"
        assert finding.problem
        assert "is tracer.hooks.patched: it sees every record" in finding.text

    def test_other_methods_are_worth_knowing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`isEnabledFor` sees no values."""
        patch = made_in("tracer", TRACER, original=logging.Logger.isEnabledFor)
        monkeypatch.setattr(logging.Logger, "isEnabledFor", patch)
        assert [(each.place, each.problem) for each in found()] == [
            ("logging.Logger.isEnabledFor", False)
        ]

    def test_a_patch_that_copies_the_name_it_wraps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`functools.wraps` does not hide who it is."""
        original = logging.Logger.handle
        patch = made_in("tracer", TRACER, original=original)
        monkeypatch.setattr(logging.Logger, "handle", functools.wraps(original)(patch))
        assert "is tracer.patched" in found()[0].text

    def test_a_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor does an object that passes for the function, as wrapt makes them."""

        class Proxy:
            __module__ = "logging"

            def __init__(self, wrapper: Any) -> None:
                self._self_wrapper = wrapper
                self.__wrapped__ = logging.Logger.makeRecord

            def __call__(self, *rest: Any) -> Any:
                return self._self_wrapper(*rest)

        patch = made_in("ddtrace.contrib", TRACER, original=logging.Logger.makeRecord)
        monkeypatch.setattr(logging.Logger, "makeRecord", Proxy(patch))
        assert "is ddtrace.contrib.patched" in found()[0].text

    def test_a_logger_class_of_somebody_s_own(self) -> None:
        """Methods that a subclass overrides are named like patches."""
        method = made_in("house.loggers", "def patched(self, record): pass")
        kind = type("Own", (logging.Logger,), {"handle": method})
        kind.__module__ = "house.loggers"
        logging.setLoggerClass(kind)
        (finding,) = found()
        assert finding.place == "house.loggers.Own.handle"

    def test_one_logger_or_handler(self) -> None:
        """A method replaced on one object is found too."""
        handler = logging.StreamHandler()
        handler.emit = made_in("tracer", TRACER)  # type: ignore[method-assign]  # as tracers do
        logging.root.addHandler(handler)
        assert [each.place for each in found()] == ["StreamHandler.emit"]

    def test_a_record_factory(self) -> None:
        """It sees all values, but its records pass the filters: worth knowing."""
        before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(made_in("otel", "def patched(*rest, **more): pass"))
        try:
            (finding,) = found()
        finally:
            logging.setLogRecordFactory(before)
        assert (finding.code, finding.problem) == ("record-factory", False)
        assert "otel.patched" in finding.text


class TestHooks:
    def test_python_s_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They print values; none is a problem by itself."""
        monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
        monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
        logging.captureWarnings(False)
        hooks = list(findings_on_hooks())
        assert {each.place for each in hooks} == {
            *("sys.excepthook", "threading.excepthook", "sys.unraisablehook"),
            "warnings.showwarning",
        }
        assert not any(each.problem for each in hooks)

    def test_ours_and_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ours are not told, another's is named."""
        ours = made_in("crmlogging.uncaught", "def patched(*rest): pass")
        theirs = made_in("sentry_sdk.x", "def patched(*rest): pass")
        monkeypatch.setattr(sys, "excepthook", ours)
        monkeypatch.setattr(threading, "excepthook", ours)
        monkeypatch.setattr(sys, "unraisablehook", theirs)
        logging.captureWarnings(True)
        (finding,) = findings_on_hooks()
        assert finding.place == "sys.unraisablehook"
        assert "sentry_sdk.x.patched" in finding.text
