"""The errors Touchstone raises on purpose, as one tree.

    TouchstoneError
    ├── InputError            a user's file or argument is wrong
    │   └── FaultyRows        a data file has faults; carries every one of them
    ├── CatalogueError        a criterion or the catalogue is malformed
    ├── ExpressionError       an expression over signals cannot be read or evaluated
    ├── IntegrityError        stored bytes do not match their checksum
    └── RunError              a run cannot go on
        ├── WorkersLost       the worker processes ended and could not be replaced
        └── WrongJudge        questions for one judge came to another

Every message names the thing, the value and the remedy; the tree lives in the innermost room so
that all three may raise from it.
"""

from __future__ import annotations


class TouchstoneError(Exception):
    """Anything Touchstone raises on purpose. The command line prints it without a traceback."""


class InputError(TouchstoneError):
    """A file or an argument that the user gave cannot be used."""


class CatalogueError(TouchstoneError):
    """A criterion, or the catalogue file that holds it, is malformed."""


class ExpressionError(TouchstoneError):
    """An expression over signals cannot be parsed, names an unknown signal, or failed."""


class IntegrityError(TouchstoneError):
    """Bytes on disk do not match the checksum recorded for them."""


class RunError(TouchstoneError):
    """A run cannot start or cannot go on."""


class WorkersLost(RunError):
    """The worker processes of an embedded run ended and could not be replaced."""


class WrongJudge(RunError):
    """Questions for one judge came to another: code or settings changed between a run's creation and its worker."""
