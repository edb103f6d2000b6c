"""Promises of `redaction.templates`: a message shows its source, and never a value."""

from __future__ import annotations

import pytest

from crmlogging.redaction.templates import DYNAMIC_MESSAGE, Resolved

from .conftest import Program
