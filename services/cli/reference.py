"""docs/cli.md, written from the commands themselves, so that page and program cannot say different things.

It reads the signatures of the command functions, which are ours, rather than what Typer makes of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, CommandInfo, OptionInfo

from services.cli.entry import app, touchstone

HEAD = """\
# The command line

This page is written by `services/cli/reference.py` from the commands themselves; a test fails where it is stale.

Progress goes to stderr and results to stdout. Exit codes: 0 fine; 1 something that the message on stderr says how to
mend; 2 wrong usage; 130 after Ctrl-C, after which the same command resumes.
"""

TYPES: dict[type, str] = {Path: "path", str: "text", int: "whole number", float: "number", bool: ""}


@dataclass(frozen=True)
class Parameter:
    """An argument or option of a command.

    Attributes:
        name: as a user types it, `--rounds`, or in capitals where it has no name of its own.
        values: what it takes; empty for a switch.
        default: `required`, or empty where there is none worth telling.
        help: what it is for.
        option: whether it is an option.
    """

    name: str
    values: str
    default: str
    help: str
    option: bool


@dataclass(frozen=True)
class Command:
    """A command: its name, the text of its help, and its parameters in order."""

    name: str
    help: str
    parameters: tuple[Parameter, ...]


def commands() -> list[Command]:
    """Every command of the program: the program itself, its commands, then those of its groups."""
    groups = [("touchstone", app)]
    groups += [(f"touchstone {g.name}", g.typer_instance) for g in app.registered_groups if g.typer_instance]
    found = [(f"{name} {_name(c)}", c.callback) for name, group in groups for c in group.registered_commands]
    return [_command("touchstone", touchstone), *(_command(name, f) for name, f in found if f is not None)]


def _name(command: CommandInfo) -> str:
    return command.name or getattr(command.callback, "__name__", "").replace("_", "-")


def cli_reference() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *(part for command in commands() for part in _told(command))])


def _command(name: str, function: Callable[..., Any]) -> Command:
    plain = inspect.unwrap(function)
    hints = get_type_hints(plain, include_extras=True)
    parameters = [_parameter(p, hints[p.name]) for p in inspect.signature(plain).parameters.values()]
    return Command(name, inspect.getdoc(plain) or "", tuple(parameters))


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    kind, *extras = get_args(hint)
    info = next(e for e in extras if isinstance(e, (ArgumentInfo, OptionInfo)))
    option = isinstance(info, OptionInfo)
    # Typer keeps the first declaration where a default could stand.
    declarations = [d for d in (info.default, *(info.param_decls or ())) if isinstance(d, str)]
    declared = next((d.split("/")[0] for d in declarations if d.startswith("--")), None)
    name = (declared or "--" + parameter.name.replace("_", "-")) if option else parameter.name.upper()
    return Parameter(name, _values(kind, info), _default(parameter, name), " ".join((info.help or "").split()), option)


def _values(kind: Any, info: ArgumentInfo | OptionInfo) -> str:
    optional = NoneType in get_args(kind)
    plain = next((k for k in get_args(kind) if k is not NoneType), kind) if optional else kind
    if get_origin(plain) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(plain))
    if get_origin(plain) is list:
        return f"{_values(get_args(plain)[0], info)}; may be given several times"
    if info.min is None:
        return TYPES[plain]
    return f"{info.min:g} to {info.max:g}" if info.max is not None else f"{info.min:g} or more"


def _default(parameter: inspect.Parameter, name: str) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "required"
    if parameter.default is True:
        return f"on; off with `--no-{name.removeprefix('--')}`"
    untold = parameter.default is None or parameter.default is False or parameter.default == ""
    return "" if untold else f"`{parameter.default}`"


def _told(command: Command) -> Iterator[str]:
    yield f"## {command.name}\n"
    yield f"```\n{_usage(command)}\n```\n"
    yield command.help + "\n"
    if command.parameters:
        yield "\n".join(["| | takes | default | |", "|---|---|---|---|", *map(_row, command.parameters)]) + "\n"


def _usage(command: Command) -> str:
    arguments = [p.name for p in command.parameters if not p.option]
    options = ["[OPTIONS]"] if any(p.option for p in command.parameters) else []
    more = ["COMMAND ..."] if command.name == "touchstone" else []
    return " ".join([command.name, *arguments, *options, *more])


def _row(parameter: Parameter) -> str:
    cells = [f"`{parameter.name}`", parameter.values, parameter.default, parameter.help]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
