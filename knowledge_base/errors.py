"""The errors Touchstone raises on purpose, as one tree.

    TouchstoneError
    ├── InputError            a user's file or argument is wrong
    │   ├── FaultyRows        a data file has faults; carries every one of them
    │   ├── NotThere          nothing has the id or the name that was given
    │   ├── Conflict          what is asked does not fit how things stand now
    │   ├── AddressRefused    requests must not be sent to this address
    │   └── SignatureRefused  a message was not signed by whom it should be
    ├── CatalogueError        a criterion or the catalogue is malformed
    ├── ExpressionError       an expression over signals cannot be read or evaluated
    ├── IntegrityError        stored bytes do not match their checksum
    ├── RunError              a run cannot go on
    │   ├── WorkersLost       the worker processes ended and could not be replaced
    │   ├── WrongJudge        questions for one judge came to another
    │   └── BudgetSpent       the calls, tokens or money allowed for a run are used up
    ├── AccessDenied          a caller may not do what it asked for, or not now
    └── ProviderError         a model's endpoint did not answer as it should
        ├── TransientFault    another try may succeed: 429, 5xx, a timeout, a dropped connection
        ├── BadCall           this request never will, others may: too long, refused by a filter
        └── EndpointClosed    no request will: a wrong key, an unknown model, a quota that is used up

Every message names the thing, the value and the remedy; the tree lives in the innermost room so
that all three may raise from it.
"""

from __future__ import annotations

from typing import Literal


class TouchstoneError(Exception):
    """Anything Touchstone raises on purpose. The command line prints it without a traceback."""


class InputError(TouchstoneError):
    """A file or an argument that the user gave cannot be used."""


class NotThere(InputError):
    """Nothing has the id or the name that was given."""


class Conflict(InputError):
    """What is asked does not fit how things stand now: somebody decided first, or it is there already."""


class AddressRefused(InputError):
    """Requests must not be sent to this address: it is private, or no address of a web server at all."""


class SignatureRefused(InputError):
    """A message was not signed by whom it should be, is too old, or was changed on its way."""


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


class BudgetSpent(RunError):
    """A run may not make another call: its budget of calls, tokens or money is used up."""


class AccessDenied(TouchstoneError):
    """A caller may not do what it asked for, or not now.

    Attributes:
        reason: `unauthenticated` (no key, or none that is good), `forbidden` (a good key without the scope) or
            `limited` (too many requests, or a day's allowance is used up).
        retry_after: seconds after which to ask again, where waiting helps; else None.
        scope: the scope that is missing where the reason is `forbidden`; else empty.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Literal["unauthenticated", "forbidden", "limited"],
        retry_after: float | None = None,
        scope: str = "",
    ) -> None:
        super().__init__(message)
        self.reason, self.retry_after, self.scope = reason, retry_after, scope


class ProviderError(TouchstoneError):
    """A model's endpoint did not answer as it should.

    Attributes:
        model: its name, as `provider:model`.
        status: HTTP status; None where no reply came.
        retry_after: seconds that the endpoint asked to wait; None if it asked for none.
        request: the endpoint's id of the request; empty if it gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        model: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        request: str = "",
    ) -> None:
        super().__init__(message)
        self.model, self.status, self.retry_after, self.request = model, status, retry_after, request


class TransientFault(ProviderError):
    """Another try of the same request may succeed."""


class BadCall(ProviderError):
    """This request will never succeed, others may: it is longer than the context window, or a filter refused it."""


class EndpointClosed(ProviderError):
    """No request will succeed until a person mends something: a wrong key, an unknown model, a spent quota."""
