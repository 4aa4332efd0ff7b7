"""The command line: `touchstone`."""

from services.cli.entry import app

__all__ = ["app"]
