"""How a command ends: 0 fine, 1 something the user can mend, 2 wrong usage, 130 after Ctrl-C."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer

FAILED, INTERRUPTED = 1, 130


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its errors told in a line on stderr, without a traceback, and the exit code that fits."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        from knowledge_base.errors import TouchstoneError

        try:
            if sys.stdout is None:
                raise TouchstoneError("stdout is closed; send it to a file, or to /dev/null")
            command(*arguments, **options)
        except TouchstoneError as error:
            _say(str(error))
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            _say("stopped; nothing is lost: the same command resumes where it stood")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read the output has seen enough, as in `touchstone evaluate ... | head`.
            _close_stdout()
            raise typer.Exit(FAILED) from None
        except Exception as error:
            told = _outside_fault(error)
            if told is None:
                raise
            _say(told)
            _close_stdout()
            raise typer.Exit(FAILED) from None

    return run


def _outside_fault(error: Exception) -> str | None:
    """A fault of the database, the Redis server, a disk or a stream, in a line; None if it is the program's own."""
    from redis.exceptions import RedisError
    from sqlalchemy.exc import DatabaseError

    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, DatabaseError):
        return f"the database failed: {reason}; `touchstone doctor` looks at it, and the same command resumes"
    if isinstance(error, RedisError):
        return f"the Redis server failed: {reason}; `touchstone doctor` looks at it, and the same command resumes"
    if isinstance(error, OSError):
        # A fault of a stream names no file.
        where = "" if error.filename else "writing or reading failed: "
        return f"{where}{reason}; mend that, and run the same command again"
    return None


def _say(message: str) -> None:
    from services.inert import shown

    with suppress(OSError):
        typer.echo(shown(f"touchstone: {message}"), err=True)


def _close_stdout() -> None:
    """Let what is still to be written go nowhere, or the interpreter would fail over it once more as it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
