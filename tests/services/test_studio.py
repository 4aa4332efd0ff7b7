"""What `langgraph.json` names is there and runs through."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterManager, letter_dataset

from services.studio import sample_mining, studio_graph

ROOT = Path(__file__).parents[2]


@pytest.fixture
def mined() -> dict[str, Any]:
    mining = sample_mining(letter_dataset(20), LetterJudge(), LetterManager())
    found: dict[str, Any] = studio_graph(mining).invoke({})
    return found


def test_every_graph_that_is_named_is_there() -> None:
    named = json.loads((ROOT / "langgraph.json").read_text())["graphs"]
    for place in named.values():
        file, factory = place.split(":")
        assert (ROOT / file).is_file()
        module = importlib.import_module(file.removeprefix("./").removesuffix(".py").replace("/", "."))
        assert callable(getattr(module, factory))


def test_the_graph_runs_through_without_a_worker(mined: dict[str, Any]) -> None:
    assert mined["stage"] == "finished"
    assert mined["final"]


def test_the_state_holds_ids_and_labels_only(mined: dict[str, Any]) -> None:
    texts = [text for p in letter_dataset(20).pairs for text in (p.a, p.b)]
    told = json.dumps(mined)
    assert not any(text in told for text in texts)
