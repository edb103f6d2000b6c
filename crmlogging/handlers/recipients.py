"""The option ``encrypt_to``, alike for every handler that writes archives."""

from __future__ import annotations

import os

from crmlogging.crypto.envelope import ARCHIVE, STREAM, agreed_by_sender
from crmlogging.crypto.keys import PublicKey
from crmlogging.exceptions import ConfigurationError, MissingDependencyError, Problems

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
    try:
        recipient = PublicKey.read(encrypt_to)
        # Here, in the thread that configures: it loads the package and finds a useless key.
        agreed_by_sender(recipient, STREAM, ARCHIVE)
    except MissingDependencyError:
        raise
    except ConfigurationError as error:
        problems.add("encrypt_to", str(error))
        return None
    return recipient
