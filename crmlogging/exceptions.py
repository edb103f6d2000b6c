"""Errors raised while *configuring* and by tools; logging itself never raises.

    Exception
    ├── ValueError
    │   ├── ConfigurationError          every problem of one configuration at once
    │   │   └── MissingDependencyError  an optional package is not installed
    │   └── DecryptionError             what was encrypted cannot be trusted; one text for all
    │       └── UnknownKeyError         none of the private keys given is the one it needs
    └── ImportError
        └── MissingDependencyError

Messages quote option names and harmless values, never a secret.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterable, Mapping
from types import ModuleType

__all__ = [
    *("ConfigurationError", "DecryptionError", "MissingDependencyError", "Problems"),
    *("UnknownKeyError", "require"),
]


class ConfigurationError(ValueError):
    """A configuration that cannot work; raised once, with all that is wrong in it.

    Attributes:
        problems: one sentence each, starting with the place (``AllowlistFilter: fields: ...``).
    """

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems or ("invalid configuration",)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "; ".join(self.problems)


class MissingDependencyError(ConfigurationError, ImportError):
    """An optional package is missing; the message names the extra that brings it."""


class DecryptionError(ValueError):
    """Encrypted data that cannot be opened. One text, whatever is wrong, tells a forger nothing."""

    def __init__(
        self, text: str = "cannot be decrypted: another key, or changed, moved or cut data"
    ) -> None:
        super().__init__(text)


class UnknownKeyError(DecryptionError):
    """None of the private keys given belongs to the public key that the data names.

    Attributes:
        key_id: of the key that is needed; 16 hex digits, public.
    """

    def __init__(self, key_id: str) -> None:
        super().__init__(f"needs the private key {key_id}")
        self.key_id = key_id

    def __reduce__(self) -> tuple[type[UnknownKeyError], tuple[str]]:
        return type(self), (self.key_id,)


class Problems:
    """Collects what is wrong with one object's options, then raises it all at once.

    Example:
        >>> problems = Problems("AllowlistFilter")
        >>> problems.unknown({"fileds": 1}, known=("fields", "mask"))
        >>> problems.add("mask", "'first4' is not a mask")
        >>> print(*problems.found, sep="\\n")
        AllowlistFilter: unknown option 'fileds' (did you mean 'fields'?)
        AllowlistFilter: mask: 'first4' is not a mask
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.found: list[str] = []

    def add(self, option: str, complaint: str) -> None:
        """Note `complaint` about `option`."""
        self.found.append(f"{self.place}: {option}: {complaint}")

    def include(self, error: ConfigurationError) -> None:
        """Take over the problems of a part, under this place."""
        self.found.extend(f"{self.place}: {problem}" for problem in error.problems)

    def unknown(
        self,
        options: Iterable[str],
        *,
        known: Iterable[str],
        instead: Mapping[str, str] | None = None,
    ) -> None:
        """Note each of `options` as unknown, with ours for it: from `instead`, or the nearest."""
        names = list(known)
        for option in options:
            import difflib  # Few configurations are wrong.

            close = difflib.get_close_matches(option, names, n=1)
            if instead and option in instead:
                hint = f" ({instead[option]})"
            elif close:
                hint = f" (did you mean {close[0]!r}?)"
            else:
                hint = f" (known: {', '.join(sorted(names))})"
            self.found.append(f"{self.place}: unknown option {option!r}{hint}")

    def flags(self, **options: object) -> None:
        """Note each of `options` that is not a bool; the text "false" would count as true."""
        for option, value in options.items():
            if not isinstance(value, bool):
                self.add(option, f"{value!r} is neither True nor False")

    def functions(self, **options: object) -> None:
        """Note each of `options` that is neither None nor something to call."""
        for option, value in options.items():
            if value is not None and not callable(value):
                self.add(option, f"{type(value).__name__} cannot be called")

    def paths(self, **options: object) -> None:
        """Note each of `options` that is neither None nor text that could be a path."""
        for option, value in options.items():
            path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
            if value is not None and (not isinstance(path, str) or not path or "\0" in path):
                shown = repr(value) if isinstance(value, str) else type(value).__name__
                self.add(option, f"{shown} is no path")

    def level(self, value: object) -> None:
        """Note it if the option ``level`` is none that `logging.Handler` takes."""
        number = isinstance(value, int) and not isinstance(value, bool)
        if not number and (type(value) is not str or value not in logging.getLevelNamesMapping()):
            self.add("level", f"{value!r} is neither a level's name nor its number")

    def raise_if_any(self) -> None:
        """Raise ConfigurationError if anything was noted."""
        if self.found:
            raise ConfigurationError(*self.found)


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional `module` at first use.

    Raises:
        MissingDependencyError: it is not installed; the message names `extra` to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs the package {module.partition('.')[0]!r}: "
            f'pip install "crmlogging[{extra}]"'
        ) from error
