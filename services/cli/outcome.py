"""How a command ends: 0 fine, 1 something the user can mend, 2 wrong usage, 130 after Ctrl-C."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import typer

FAILED, INTERRUPTED = 1, 130


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its errors told in a line on stderr, without a traceback, and the exit code that fits."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        from knowledge_base.errors import TouchstoneError
        from services.inert import shown

        try:
            command(*arguments, **options)
        except TouchstoneError as error:
            typer.echo(shown(f"touchstone: {error}"), err=True)
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            typer.echo("touchstone: stopped; nothing is lost: the same command resumes where it stood", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read the output has seen enough, as in `touchstone evaluate ... | head`.
            _close_stdout()
            raise typer.Exit(FAILED) from None

    return run


def _close_stdout() -> None:
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
