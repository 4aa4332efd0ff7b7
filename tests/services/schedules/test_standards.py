"""The standard and what is held against it are samples of one kind: pairs that hang together count once in both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from letter_parties import letter_dataset
from refresh_bench import World, ranking, vote_on, with_terms, world
from sqlalchemy import select, update

from agents.drift import DriftState
from agents.pairs import Dataset, Pair
from agents.splitting import units_of
from services.annotation.tables import OpenPairRow
from services.schedules.standards import one_of_each_unit
from services.schedules.tables import DriftRow

PROMPTS = 40


class Embedding:
    """A vector of each text, as good as random; the same for the same text. It keeps what it was given."""

    def __init__(self) -> None:
        self.seed, self.given = 0, list[list[str]]()

    def __call__(self, texts: Sequence[str]) -> Any:
        self.given.append(list(texts))
        return np.array([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Any:
        digest = hashlib.sha256(f"{self.seed} {text}".encode()).digest()
        found = np.random.default_rng(list(digest)).normal(size=24)
        return found / np.linalg.norm(found)


@pytest.fixture
def embedding(monkeypatch: pytest.MonkeyPatch) -> Embedding:
    made = Embedding()
    monkeypatch.setattr("knowledge_base.embedding.embed", made)
    return made


@pytest.fixture
def ranked(place: Path) -> Iterator[World]:
    """An approved set that was mined from rankings: every text stands in three pairs."""
    with world(place, by_hand="e", ranked=PROMPTS) as letters:
        with_terms(letters, texts=True, remine="drift")
        yield letters


def steer(letters: World, pairs: Sequence[str]) -> None:
    """Have people been shown these pairs because much was to be learnt from them."""
    with letters.database.write() as connection:
        connection.execute(update(OpenPairRow).where(OpenPairRow.pair.in_(pairs)).values(why="information"))


def hashes(letters: World) -> list[str]:
    with letters.database.read() as connection:
        return sorted(connection.execute(select(OpenPairRow.pair)).scalars())


@pytest.mark.parametrize("seed", range(3))
def test_rankings_followed_by_more_texts_of_the_same_kind_raise_no_alarm(
    ranked: World, embedding: Embedding, seed: int
) -> None:
    embedding.seed = seed
    for batch in range(3):
        ranked.vote(60, seed=100 * seed + batch + 20)
        refresh = ranked.refresh()
    assert refresh.drift is not None
    assert refresh.drift.of("corpus").finding == "no evidence"
    first, *later = embedding.given
    assert len(set(first)) == len(first) == PROMPTS
    assert all(len(set(texts)) == len(texts) > 30 for texts in later)


def test_a_text_is_met_once_however_often_it_comes(ranked: World, embedding: Embedding) -> None:
    vote_on(ranked.database, ranked.dataset, _answers_compared(70, seed=70))
    ranked.refresh()
    vote_on(ranked.database, ranked.dataset, _answers_compared(70, seed=70, again=True))
    ranked.vote(30, seed=71)
    ranked.refresh()
    every = [text for texts in embedding.given for text in texts]
    assert len(every) == len(set(every))
    assert len(embedding.given[-1]) < 40, "comparisons of texts that were met before tell nothing new of the corpus"


@pytest.mark.usefixtures("configured")
def test_what_people_were_shown_to_learn_from_is_in_neither_sample(place: Path, embedding: Embedding) -> None:
    with world(place, by_hand="e", pairs=120) as letters:
        with_terms(letters, texts=True, remine="drift")
        known = hashes(letters)
        letters.vote(60, seed=3)
        fresh = sorted(set(hashes(letters)) - set(known))
        steer(letters, known[:50] + fresh[:10])
        letters.refresh()
        assert [len(texts) for texts in embedding.given] == [len(known) - 50, len(fresh) - 10]


def test_agreement_is_that_on_pairs_which_were_not_chosen(place: Path) -> None:
    with world(place, by_hand="e", pairs=40) as letters:
        vote_on(letters.database, letters.dataset, letter_dataset(40), annotator="bea")
        before = hashes(letters)
        steer(letters, before[:10])
        letters.refresh()
        with letters.database.read() as connection:
            state = DriftState.model_validate_json(connection.execute(select(DriftRow.state)).scalar_one())
        assert len(state.reference.ballots) == len(before) - 10


def _answers_compared(pairs: int, seed: int, again: bool = False) -> Dataset:
    """Pairs of texts; `again`, the same texts in other pairs."""
    made = letter_dataset(pairs, seed, noise=0.0).pairs
    turned = pairwise(made)
    other = tuple(
        Pair(id=f"{p.id} again", a=p.a, b=q.b, preferred="a" if p.a.count("e") > q.b.count("e") else "b")
        for p, q in turned
    )
    return Dataset(name="answers", pairs=other if again else made)


_texts = st.sampled_from("abcdefghij")


@given(st.lists(st.tuples(_texts, _texts, st.sampled_from(["", "", "g", "h"])), max_size=12), st.data())
def test_one_of_each_unit_shares_no_text_and_leaves_no_unit_out(
    told: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    by_hash = {p.hash: p for i, (a, b, g) in enumerate(told) for p in [_pair(i, a, b, g)]}
    pairs = list(by_hash.values())
    wanted = set(data.draw(st.lists(st.sampled_from(sorted(by_hash)), unique=True))) if pairs else set()
    found = one_of_each_unit(pairs, wanted)
    texts = [text for p in found for text in {by_hash[p].a, by_hash[p].b}]
    assert len(texts) == len(set(texts))
    assert set(found) <= wanted
    units = [{pairs[i].hash for i in unit} for unit in units_of(pairs)]
    assert [len(unit & set(found)) for unit in units] == [int(bool(unit & wanted)) for unit in units]
    assert one_of_each_unit(pairs[::-1], wanted) == found


def _pair(number: int, a: str, b: str, group: str) -> Pair:
    return Pair(id=str(number), a=a, b=b, preferred="a", group=group)


def test_rankings_are_what_they_say() -> None:
    assert len(ranking(PROMPTS).pairs) == 6 * PROMPTS
    assert len(units_of(ranking(PROMPTS).pairs)) == PROMPTS
