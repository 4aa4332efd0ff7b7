"""The estimate of a run is made of its own pairs, threads, panel and prices, and of what calls took before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from knowledge_bench import criterion
from letter_parties import LetterParties, letter_dataset
from paid_bench import MINED, MODEL, PAPER, SEALED, chat_settings

from agents.chat.accounts import CallRecord
from agents.chat.endpoint import Tokens
from agents.pairs import Dataset
from agents.policies import policy_named
from knowledge_base.entries import load_catalogue
from services.budget import Budget
from services.chat_parties import ChatParties
from services.database import Database
from services.estimate import CALL_SECONDS, Estimate, cells, mean_text_tokens
from services.estimating import estimate_run
from services.knowledge.adding import add
from services.knowledge.approving import approve
from services.run_config import RunConfig
from services.settings import load_settings
from services.sql_account import SqlAccount

NOWHERE = "http://127.0.0.1:9/v1"
PRICES = {MODEL: {"prompt": 1.0, "completion": 2.0}}


@contextmanager
def database() -> Iterator[Database]:
    made = Database(load_settings().database).create()
    yield made
    made.close()


def estimated(
    data: Dataset = MINED, config: RunConfig = PAPER, test: Dataset | None = SEALED, **settings: Any
) -> Estimate:
    chosen = chat_settings(NOWHERE, **settings)
    with database() as opened:
        found = estimate_run(opened, ChatParties(chosen, opened), chosen, data, config, test)
    assert found is not None
    return found


def calls(found: Estimate) -> dict[str, int]:
    return {stage.stage: stage.calls for stage in found.stages}


def test_where_nothing_costs_anything_there_is_nothing_to_estimate(place: Path) -> None:
    with database() as opened:
        assert estimate_run(opened, LetterParties(), load_settings(), MINED, PAPER, None) is None


def test_threads_and_their_pairs_are_those_that_the_run_will_have(place: Path) -> None:
    policy = policy_named("paper", 4, 2, free=False)
    tested = estimated()
    assert (tested.threads, calls(tested)["sealed"]) == (1, 6 * 4)
    assert calls(tested)["mining"] == cells(policy, 18, 0)
    folded = estimated(test=None, config=PAPER.model_copy(update={"folds": 3}))
    assert folded.threads == 4
    assert calls(folded)["sealed"] == 18 * 4, "every pair is held out by one fold"
    assert calls(estimated(test=None, config=PAPER.model_copy(update={"holdout": "none"})))["sealed"] == 0


def test_the_published_procedure_screens_the_catalogue_unless_told_not_to(place: Path) -> None:
    without = calls(estimated())["mining"]
    with_base = calls(estimated(config=PAPER.model_copy(update={"knowledge_base": True})))["mining"]
    assert with_base - without == len(load_catalogue()) * 18


def test_prior_criteria_that_were_approved_here_are_screened_as_well(place: Path) -> None:
    def screened() -> int:
        return calls(estimated(config=PAPER.model_copy(update={"knowledge_base": True})))["mining"]

    before = screened()
    with database() as opened:
        added = add(opened, load_settings().home, criterion("rhymes", "Whether the lines of the text rhyme."), "ada")
        assert screened() == before, "what nobody approved is not drawn on"
        approve(opened, added.entry.digest, "ada")
    assert screened() - before == 18


def test_workers_and_samples_multiply_judgments_and_criteria_in_a_call_divide_them(place: Path) -> None:
    one = calls(estimated())
    assert calls(estimated(worker_samples=3))["sealed"] == 3 * one["sealed"]
    assert calls(estimated(worker_model="openai:a,openai:b"))["sealed"] == 2 * one["sealed"]
    assert calls(estimated(criteria_per_call=4))["sealed"] == one["sealed"] / 4


def test_texts_are_counted_as_they_are_shown(place: Path) -> None:
    long = letter_dataset(18).model_copy(
        update={"pairs": tuple(p.model_copy(update={"a": "long " * 4000}) for p in letter_dataset(18).pairs)}
    )
    per_call = [found.tokens / found.calls for found in (estimated(long), estimated(long, text_tokens=100))]
    texts = [mean_text_tokens(long.pairs, limit) for limit in (2000, 100)]
    assert per_call[0] - per_call[1] == pytest.approx(texts[0] - texts[1], rel=0.01)


def test_prices_come_from_the_settings_for_the_worker_and_the_manager_apart(place: Path) -> None:
    assert estimated().cost is None
    whole = estimated(prices=json.dumps(PRICES))
    assert whole.cost == pytest.approx(sum(s.prompt + 2 * s.completion for s in whole.stages) / 1e6)
    dear = PRICES | {"openai:boss": {"prompt": 10.0, "completion": 20.0}}
    split = estimated(prices=json.dumps(dear), manager_model="openai:boss", manager_base_url=NOWHERE)
    assert split.cost is not None
    assert whole.cost is not None
    assert split.cost - whole.cost == pytest.approx(
        sum(9 * (s.prompt + 2 * s.completion) for s in split.stages if s.stage == "manager") / 1e6
    )
    assert estimated(prices=json.dumps(PRICES), manager_model="openai:boss", manager_base_url=NOWHERE).cost is None


def test_a_panel_costs_what_all_of_its_workers_cost(place: Path) -> None:
    panel: dict[str, Any] = {
        "worker_model": f"{MODEL},openai:other",
        "manager_model": MODEL,
        "manager_base_url": NOWHERE,
    }
    assert estimated(prices=json.dumps(PRICES), **panel).cost is None, "the other's price is not known"
    same = estimated(prices=json.dumps(PRICES | {"openai:other": PRICES[MODEL]}), **panel)
    dear = estimated(prices=json.dumps(PRICES | {"openai:other": {"prompt": 3.0, "completion": 6.0}}), **panel)
    judging = sum(s.prompt + 2 * s.completion for s in same.stages if s.stage != "manager") / 1e6
    assert same.cost is not None
    assert dear.cost == pytest.approx(same.cost + judging)


@pytest.mark.usefixtures("configured")
def test_time_is_that_of_calls_to_these_models_as_measured_before(place: Path) -> None:
    fresh = estimated(in_flight=4)
    assert fresh.seconds == pytest.approx(fresh.calls * CALL_SECONDS / 4)
    with database() as opened, SqlAccount(opened, "earlier", {}, Budget(), "mining") as account:
        for model, seconds in ((MODEL, 0.2), (MODEL, 0.4), ("openai:other", 9.0)):
            account.record(CallRecord(model, "judge", Tokens(10, 0, 5), seconds, "answered"), 0)
        account.record(CallRecord(MODEL, "judge", Tokens(), 60.0, "transient"), 0)
    assert estimated(in_flight=4).seconds == pytest.approx(fresh.calls * 0.3 / 4), "failed tries tell nothing"


def test_an_estimate_asks_nobody(place: Path) -> None:
    assert estimated().calls > 0, "nothing listens at that address"
