"""What botocore knows of S3: megabytes of JSON, read once a process and early.

Who parses JSON stops all other threads meanwhile, so it is done by the thread that configures and
as fast as can be. By botocore's own reader that is 110 ms, a third of them for looking into the
directories of hundreds of services; by this one 25, and 20 more where the collector runs meanwhile.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import orjson

from crmlogging.exceptions import require

__all__ = ["load", "loader"]

_OPENED: Final[Mapping[str, Callable[..., Any]]] = {".json": open, ".json.gz": gzip.open}


class _Files:
    """Reads what `botocore.loaders` asks for; takes the place of its JSONFileLoader."""

    def exists(self, file_path: str) -> bool:
        """Tell whether there is such a file; the name comes without its suffix."""
        return any(os.path.isfile(file_path + suffix) for suffix in _OPENED)

    def load_file(self, file_path: str) -> Any:
        """Return what the file holds, or None where there is none."""
        for suffix, opened in _OPENED.items():
            if os.path.isfile(file_path + suffix):
                with opened(file_path + suffix, "rb") as file:
                    return orjson.loads(file.read())
        return None


@cache
def loader() -> Any:
    """Return the loader for all sessions of this process; it keeps what it has read."""
    loaders: Any = require("botocore.loaders", extra="s3", purpose="S3")
    session = require("botocore.session", extra="s3", purpose="S3").get_session()

    class Loader(loaders.Loader):  # type: ignore[misc]  # botocore has no types
        def list_available_services(self, type_name: str) -> list[str]:
            """Name each directory: botocore looks into it, too, if only to say what it lacks."""
            places = filter(os.path.isdir, self.search_paths)
            return [name for place in places for name in os.listdir(place)]

    return Loader(
        extra_search_paths=session.get_component("data_loader").search_paths,
        file_loader=_Files(),
        include_default_search_paths=False,
    )


def load() -> None:
    """Read what each client of S3 needs."""
    found = loader()
    found.load_data("endpoints")
    for kind in ("service-2", "endpoint-rule-set-1"):
        found.load_service_model("s3", kind)
