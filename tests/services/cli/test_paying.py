"""Nothing is paid for before it was told what it takes, somebody agreed, and everything needed is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from paid_bench import MINED, MODEL, endpoint, pairs_file
from typer.testing import CliRunner

from benchmarks.scripted.process import ThreadedEndpoint
from knowledge_base.errors import InputError
from services.budget import Budget
from services.cli import app
from services.cli.paying import agree_to_calls, budget_given, estimate_lines
from services.estimate import Estimate, StageEstimate
from services.estimating import with_share
from services.run_config import RunConfig
from services.settings import load_settings

PRICES = json.dumps({MODEL: {"prompt": 1.0, "completion": 2.0}})
STAGES = (
    StageEstimate(stage="mining", calls=1600, prompt=1_200_000, cached=800_000, completion=90_000),
    StageEstimate(stage="sealed", calls=400, prompt=300_000, cached=200_000, completion=999),
    StageEstimate(stage="manager", calls=0, prompt=0, cached=0, completion=0),
)
EXPECTED = Estimate(stages=STAGES, threads=1, cost=1.5, seconds=600.0)


def run(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; exit code, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def told(expected: Estimate = EXPECTED, budget: Budget | None = None) -> list[str]:
    return estimate_lines(expected, RunConfig(budget=budget or Budget()), "EUR")


def test_an_estimate_is_told_in_calls_tokens_money_and_minutes() -> None:
    first, mining, sealed, manager, limit = told()
    assert first == "Expected: 2,000 calls, 1.6M tokens, 1.50 EUR, about 10 min"
    assert " ".join(mining.split()) == (
        "mining 1,600 calls, 1.2M prompt tokens (800.0k of them likely cached), 90.0k completion"
    )
    assert sealed.endswith("999 completion")
    assert manager.strip().startswith("manager")
    assert limit.startswith("No budget: nothing limits what the run takes")
    assert "--budget-calls" in limit


def test_an_unknown_cost_says_which_setting_would_tell_it() -> None:
    assert "cost unknown (set TOUCHSTONE_PRICES)" in told(EXPECTED.model_copy(update={"cost": None}))[0]


def test_a_short_run_takes_a_minute_and_not_none() -> None:
    assert told(EXPECTED.model_copy(update={"seconds": 2.0}))[0].endswith("about 1 min")


def test_folds_are_told_with_what_saves_them() -> None:
    lines = told(EXPECTED.model_copy(update={"threads": 6}))
    assert any("5 folds are mined beside the whole" in line and "--holdout none" in line for line in lines)
    assert not any("folds" in line for line in told())


def test_a_budget_is_told_with_the_share_that_is_kept() -> None:
    limit = told(budget=Budget(calls=5000, tokens=2_000_000, cost=3.5, kept_back=0.2))[-1]
    assert limit.startswith("Budget: 5,000 calls, 2,000,000 tokens, 3.50 EUR; 20% of it is kept for held-out pairs")


@pytest.mark.parametrize(("option", "value"), [("calls", 0), ("calls", -3), ("tokens", 0), ("cost", 0.0)])
def test_a_budget_of_nothing_is_refused(option: str, value: float) -> None:
    given: dict[str, Any] = {"calls": None, "tokens": None, "cost": None} | {option: value}
    with pytest.raises(InputError, match=f"--budget-{option} is {value}; use a number above 0"):
        budget_given(**given)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_budget_of_no_number_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="--budget-cost is"):
        budget_given(None, None, value)


def shared(budget: Budget, **settings: Any) -> Budget:
    chosen = load_settings(worker_model=MODEL, **settings)
    return with_share(RunConfig(budget=budget), chosen, EXPECTED).budget


def test_the_share_of_the_sealed_pairs_is_what_they_are_expected_to_take(place: Path) -> None:
    assert shared(Budget(calls=100)) == Budget(calls=100, kept_back=0.2)


def test_what_a_command_does_not_say_the_settings_say(place: Path) -> None:
    found = shared(Budget(calls=100), budget_calls=7, budget_tokens=9)
    assert (found.calls, found.tokens, found.cost) == (100, 9, None)


def test_where_there_is_no_budget_none_is_made(place: Path) -> None:
    assert shared(Budget()) == Budget()


def test_a_budget_in_money_needs_every_price(place: Path) -> None:
    with pytest.raises(InputError, match=f"there is a budget in money, but {MODEL} has no price"):
        shared(Budget(cost=1.0))
    assert shared(Budget(cost=1.0), prices=PRICES).cost == 1.0


def test_no_calls_need_no_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    agree_to_calls(0, yes=False)
    assert capsys.readouterr() == ("", "")


def test_some_calls_are_told_and_agreed_to(capsys: pytest.CaptureFixture[str]) -> None:
    agree_to_calls(1234, yes=True)
    assert capsys.readouterr().err.startswith("Expected: at most 1,234 calls; ")


@pytest.mark.parametrize(("said", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_person_is_asked_and_may_decline(monkeypatch: pytest.MonkeyPatch, said: str, agreed: bool) -> None:
    """The question is put where there is a terminal; what is typed here comes by a pipe that calls itself one."""
    asking = typer.Typer()

    @asking.command()
    def ask() -> None:
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        agree_to_calls(5, yes=False)
        typer.echo("went on")

    result = CliRunner().invoke(asking, input=said)
    assert ("went on" in result.output) is agreed
    assert isinstance(result.exception, InputError) is not agreed
    if not agreed:
        assert str(result.exception) == "stopped before anything was paid for"


@pytest.fixture
def served(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedEndpoint]:
    """An endpoint that the environment names."""
    monkeypatch.setenv("TOUCHSTONE_PARTIES", "paid_bench")
    with endpoint() as found:
        for name, value in {
            "WORKER_MODEL": MODEL, "WORKER_BASE_URL": found.base_url, "WORKER_API_KEY": "none-needed",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"TOUCHSTONE_{name}", value)
        yield found


def mine(place: Path, *options: object) -> tuple[int, str]:
    """`touchstone mine`; exit code and what it said on stderr. Nothing may come on stdout or to the folder."""
    pairs = pairs_file(place / "pairs.jsonl", MINED)
    code, out, said = run("mine", pairs, "--out", place / "out", "--policy", "paper", "--size", 3, *options)
    assert out == ""
    assert not (place / "out").exists()
    return code, said


def test_where_nobody_can_be_asked_nothing_is_paid_for(place: Path, served: ThreadedEndpoint) -> None:
    code, said = mine(place)
    assert code == 1
    assert said.splitlines()[0].startswith("WARNING: only 18 pairs") or said.startswith("Expected: ")
    assert "Expected: " in said
    assert "cost unknown (set TOUCHSTONE_PRICES)" in said
    assert said.splitlines()[-1] == "touchstone: nobody is there to agree to this; run the command again with --yes"
    assert served.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        (("--budget-calls", 0), {}, "--budget-calls"),
        (("--budget-cost", 0), {}, "--budget-cost is 0.0; use a number above 0, or leave it out for no limit"),
        (("--budget-cost", 2), {}, f"there is a budget in money, but {MODEL} has no price"),
        ((), {"BUDGET_COST": "2"}, f"there is a budget in money, but {MODEL} has no price"),
        ((), {"LANGUAGE": "xx"}, "TOUCHSTONE_LANGUAGE is 'xx'; there are prompts in en and zh"),
        ((), {"WORKER_API_KEY": "", "WORKER_BASE_URL": ""}, "TOUCHSTONE_WORKER_API_KEY"),
        ((), {"TEXT_TOKENS": "20000"}, "TOUCHSTONE_CONTEXT_TOKENS is 32768, but two texts"),
        ((), {"WORKER_MODEL": "scripted"}, "write provider:model, such as openai:my-model"),
        ((), {"WORKER_MODEL": "nosuch:model"}, "there is no provider 'nosuch'"),
        ((), {"WORKER_MODEL": "", "MANAGER_MODEL": MODEL}, "name a worker model too"),
        ((), {"PRICES": "{"}, "TOUCHSTONE_PRICES is '{'; write a JSON object"),
        ((), {"WORKER_BASE_URL": "localhost:8000"}, "write an address that starts with http:// or https://"),
    ],
)
def test_misuse_is_told_before_any_call_even_to_those_who_agree(
    place: Path,
    served: ThreadedEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...],
    settings: dict[str, str],
    said: str,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(f"TOUCHSTONE_{name}", value)
    code, err = mine(place, "--yes", *options)
    assert code in (1, 2)
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert served.stats()["requests"] == 0


def test_an_evaluation_asks_first_too(place: Path, served: ThreadedEndpoint) -> None:
    criteria, pairs = place / "criteria.yaml", pairs_file(place / "pairs.jsonl", MINED)
    criteria.write_text(
        "touchstone: criteria/1\ncriteria:\n"
        + "".join(
            f"- name: {name}\n  description: The better text has {name}.\n"
            "  provenance: {kind: person, source: Our editors}\n"
            for name in ("reasons", "examples")
        )
    )
    code, out, said = run("evaluate", criteria, pairs)
    assert (code, out) == (1, "")
    assert "Expected: at most 72 calls; judgments made before are not paid for again" in said
    assert served.stats()["requests"] == 0
    code, out, said = run("evaluate", criteria, pairs, "--yes", "--json")
    assert code == 0
    found = json.loads(out)
    asked = served.stats()["requests"]
    assert 36 <= asked <= 72
    assert MODEL in found["judge"]
    assert [c["here"]["asked"] for c in found["criteria"]] == [sum(p.preferred != "tie" for p in MINED.pairs)] * 2
    assert run("evaluate", criteria, pairs, "--yes", "--json")[1] == out
    assert served.stats()["requests"] == asked, "nothing is asked twice"
