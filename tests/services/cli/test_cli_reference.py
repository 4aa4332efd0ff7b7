from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.cli.reference import Command, cli_reference, commands

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
COMMANDS = [
    "mine", "evaluate", "label", "report", "doctor", "demo", "up", "api", "worker", "scheduler", "migrate",
    "retention", "health", "export", "export-pairs", "import", "sets list", "sets show", "sets diff", "sets approve",
    "sets reject", "sets import", "knowledge search", "knowledge list", "knowledge add", "knowledge approve",
    "knowledge withdraw", "keys create", "keys list", "keys revoke", "keys rotate", "webhooks add", "webhooks list",
    "webhooks remove", "webhooks enable", "webhooks test", "webhooks deliveries", "webhooks redeliver",
]  # fmt: skip
NAMES = ["touchstone", *(f"touchstone {name}" for name in COMMANDS)]


def test_the_page_says_what_the_program_says():
    assert PAGE.read_text(encoding="utf-8") == cli_reference(), "docs/cli.md is stale; write it anew: make docs"


def test_every_command_is_there():
    assert [command.name for command in commands()] == NAMES


@pytest.mark.parametrize("command", commands(), ids=lambda c: c.name)
def test_every_command_and_option_has_help(command: Command):
    assert len(command.help) > 20
    assert all(len(parameter.help) > 10 for parameter in command.parameters)
    assert all(parameter.help.endswith(".") for parameter in command.parameters)


@pytest.mark.parametrize("command", commands(), ids=lambda c: c.name)
def test_every_option_on_the_page_is_an_option_of_the_program_and_the_other_way_round(command: Command):
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*command.name.split()[1:], "--help"]).stdout
    offered = {word.strip(",") for line in shown.splitlines() for word in line.split()[:1] if word.startswith("--")}
    assert offered - {"--help"} == {p.name for p in command.parameters if p.option}


def test_the_page_tells_names_values_and_defaults():
    page = cli_reference()
    assert "| `--policy` | `robust` or `paper` | `robust` |" in page
    assert "| `--out` | path | required |" in page
    assert "| `--rounds` | 1 or more |  |" in page
    assert "| `--knowledge-base` |  | on; off with `--no-knowledge-base` |" in page
    assert "touchstone evaluate CRITERIA PAIRS [OPTIONS]" in page
