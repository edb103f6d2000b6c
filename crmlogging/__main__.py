"""``python -m crmlogging``, and the ``crmlogging`` command."""

from __future__ import annotations

import sys

from crmlogging.exceptions import MissingDependencyError, require

__all__ = ["main"]


def main() -> None:
    """Run the command line; without the packages it needs, say which extra brings them."""
    try:
        require("click", extra="cli", purpose="the crmlogging command")
        from crmlogging.cli.main import application

        application(prog_name="crmlogging")
    except MissingDependencyError as error:
        sys.stderr.write(f"crmlogging: {error}\n")
        sys.exit(2)
    except OSError as error:  # mostly a full disk behind the standard output
        sys.stderr.write(f"crmlogging: {error.strerror or error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
