"""`touchstone migrate` says what it does, shows it without doing it, and drops nothing that nobody agreed to lose."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.migrations import head, revisions

pytestmark = pytest.mark.usefixtures("configured")

Migrate = Callable[..., Result]


@pytest.fixture
def migrate() -> Migrate:
    """Runs the command, with something to answer."""

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(app, ["migrate", *arguments], input=answer)

    return run


def test_it_brings_the_tables_up_and_says_so_again(migrate: Migrate) -> None:
    assert migrate().exit_code == 0
    assert migrate().stdout.endswith(f": is at {head()}\n")
    assert f": at {head()}, this program works with {head()}" in migrate("--show").stdout


@pytest.mark.parametrize("answer", ["", "n\n", "\n"])
def test_nothing_is_dropped_that_nobody_agreed_to_lose(migrate: Migrate, answer: str) -> None:
    migrate()
    refused = migrate("--to", revisions()[0], answer=answer)
    assert refused.exit_code == 1
    assert "drops tables or columns with all they hold" in refused.stderr
    assert "nothing was changed; --yes goes down without asking" in refused.stderr
    assert f": at {head()}" in migrate("--show").stdout


@pytest.mark.parametrize(("options", "answer"), [(("--yes",), ""), ((), "y\n")])
def test_it_goes_down_where_that_was_agreed_to(migrate: Migrate, options: tuple[str, ...], answer: str) -> None:
    migrate()
    assert migrate("--to", revisions()[-2], *options, answer=answer).exit_code == 0
    assert f": at {revisions()[-2]}" in migrate("--show").stdout


def test_a_dry_run_prints_statements_and_changes_nothing(migrate: Migrate) -> None:
    migrate()
    assert migrate("--dry-run").stdout == ""
    assert "DROP TABLE votes;" in migrate("--to", "base", "--dry-run").stdout
    assert f": at {head()}" in migrate("--show").stdout


def test_a_revision_that_is_not_there_is_told_with_those_that_are(migrate: Migrate) -> None:
    refused = migrate("--to", "0000")
    assert (refused.exit_code, "use base, 0001" in refused.stderr) == (1, True)
