"""CONFIG or an application becomes a live logging tree, in this process."""

from __future__ import annotations

import configparser
import importlib
import importlib.util
import inspect
import json
import logging
import logging.config
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from crmlogging.checking import faults

__all__ = ["CannotLoadError", "load_application", "load_configuration"]

Document = Mapping[str, Any]
_INI_SECTIONS: Final = frozenset(("loggers", "handlers", "formatters"))


class CannotLoadError(Exception):
    """The configuration cannot be loaded.

    Attributes:
        problems: one sentence each, the place first.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


def load_configuration(configuration: str) -> Document | None:
    """Configure logging by a file or a Python object.

    Args:
        configuration: a TOML, JSON, YAML or INI file, by its suffix or else by its contents;
            ``module:NAME`` or ``path.py:NAME``, a document, or a callable without arguments that
            returns one or configures logging itself.

    Returns:
        The ``logging.config.dictConfig`` document, if there is one.

    Raises:
        CannotLoadError: with everything that is wrong.
    """
    path = Path(configuration)
    if path.is_file() and path.suffix != ".py":
        return _load_file(path)
    module, colon, name = configuration.rpartition(":")
    if path.suffix == ".py" or not colon or not name:
        if path.is_file():
            raise CannotLoadError(f"{configuration}: name what to take: {configuration}:NAME")
        raise CannotLoadError(f"{configuration}: no such file, nor module:NAME or path.py:NAME")
    return _load_object(_attribute(_imported(module), name, configuration), configuration)


def load_application(application: str) -> None:
    """Import ``module`` or ``module:callable``; call what can be called without arguments.

    Raises:
        CannotLoadError: it cannot be imported, or it raised.
    """
    module, _, name = application.partition(":")
    found = _imported(module)
    if not name:
        return
    value = _attribute(found, name, application)
    # A WSGI or ASGI application wants arguments; importing its module is enough.
    if callable(value) and _needs_nothing(value):
        _called(value, application)


def _load_file(path: Path) -> Document | None:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _cannot(path, error) from error
    suffix = path.suffix.lower()
    if suffix == ".ini" or (suffix not in _READERS and _is_ini(text)):
        _apply_ini(path)
        return None
    read = _READERS.get(suffix) or (json.loads if text.lstrip()[:1] == "{" else tomllib.loads)
    try:
        document = read(text)
    except CannotLoadError:
        raise
    except Exception as error:  # each parser has its own
        raise _cannot(path, error) from error
    return _apply(document, str(path))


def _read_yaml(text: str) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise CannotLoadError("YAML needs the package 'yaml': pip install pyyaml") from error
    return yaml.safe_load(text)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}


def _is_ini(text: str) -> bool:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    return parser.has_option("loggers", "keys") and set(parser.sections()) >= _INI_SECTIONS


def _apply_ini(path: Path) -> None:
    try:
        logging.config.fileConfig(path, disable_existing_loggers=False)
    except Exception as error:  # the file names any class, with any arguments
        raise _cannot(path, error) from error


def _apply(document: Any, subject: str) -> Document:
    if not isinstance(document, Mapping):
        kind = type(document).__name__
        raise CannotLoadError(f"{subject}: is of type {kind}, not a dictConfig document")
    try:
        # A copy: dictConfig writes into what it is given.
        logging.config.dictConfig(faults.copied(document))
    except Exception as error:  # the document names any class, with any arguments
        problems = faults.of_document(document) or faults.sentences(error)
        raise CannotLoadError(*(f"{subject}: {each}" for each in problems)) from error
    return document


def _load_object(value: Any, subject: str) -> Document | None:
    if isinstance(value, Mapping):
        return _apply(value, subject)
    if not callable(value):
        kind = type(value).__name__
        raise CannotLoadError(f"{subject}: is of type {kind}, neither a document nor a callable")
    if not _needs_nothing(value):
        raise CannotLoadError(f"{subject}: needs arguments; name a callable that needs none")
    before = _handlers()
    result = _called(value, subject)
    if _handlers() - before:
        return result if isinstance(result, Mapping) else None
    if isinstance(result, Mapping):
        return _apply(result, subject)
    raise CannotLoadError(f"{subject}: neither configured logging nor returned a document")


def _handlers() -> set[logging.Handler]:
    """Return what loggers have, without what libraries give theirs by custom."""
    everything = [logging.root, *logging.root.manager.loggerDict.values()]
    loggers = [each for each in everything if isinstance(each, logging.Logger)]
    found = {handler for logger in loggers for handler in logger.handlers}
    return {handler for handler in found if not isinstance(handler, logging.NullHandler)}


def _needs_nothing(value: Callable[..., Any]) -> bool:
    try:
        inspect.signature(value).bind()
    except (TypeError, ValueError):
        return False
    return True


def _called(value: Callable[[], Any], subject: str) -> Any:
    try:
        return value()
    except (Exception, SystemExit) as error:  # the user's code
        raise _cannot(subject, error) from error


def _cannot(subject: str | Path, error: BaseException) -> CannotLoadError:
    return CannotLoadError(*(f"{subject}: {each}" for each in faults.sentences(error)))


def _imported(module: str) -> Any:
    if sys.path[:1] != [os.getcwd()]:  # PYTHONSAFEPATH leaves it out
        sys.path.insert(0, os.getcwd())
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        path = Path(module).resolve()
        if not path.is_file():
            raise CannotLoadError(f"{module}: no such file")
        sys.path.insert(0, str(path.parent))  # as for a script
        return _executed(path)
    except CannotLoadError:
        raise
    except (Exception, SystemExit) as error:  # the user's code
        raise _cannot(module, error) from error


def _executed(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _attribute(module: Any, name: str, subject: str) -> Any:
    value = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise CannotLoadError(f"{subject}: there is no {name!r} in {module.__name__}")
        value = getattr(value, part)
    return value
