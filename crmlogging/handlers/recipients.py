"""The option ``encrypt_to``, alike for every handler that writes archives."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from crmlogging.exceptions import ConfigurationError, MissingDependencyError, Problems

if TYPE_CHECKING:
    from crmlogging.crypto.keys import PublicKey

__all__ = ["checked_recipient"]


def checked_recipient(
    encrypt_to: str | os.PathLike[str] | None, problems: Problems
) -> PublicKey | None:
    """Return the key to encrypt to, or note why it cannot be one.

    Raises:
        MissingDependencyError: the package ``cryptography`` is not installed.
    """
    if encrypt_to is None:
        return None
    from crmlogging.crypto.keys import PublicKey
    from crmlogging.crypto.streams import EncryptingWriter

    try:
        recipient = PublicKey.read(encrypt_to)
        # Here, in the thread that configures: it loads the package and finds a useless key.
        EncryptingWriter(io.BytesIO(), recipient)
    except MissingDependencyError:
        raise
    except ConfigurationError as error:
        problems.add("encrypt_to", str(error))
        return None
    return recipient
