"""A dataset comes out of the database as it went in, and a judge sees no label."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.pairs import Dataset, Pair, Point, Vote
from knowledge_base.errors import RunError
from services.database import Database
from services.dataset_store import bare_pairs, load_dataset, save_dataset

# No reader lets a NUL in, which Postgres cannot hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
VOTE = st.builds(Vote, preferred=st.sampled_from(["a", "b", "tie"]), annotator=TEXT, reason=TEXT)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    texts = draw(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5, unique=True))
    pairs = [
        Pair(
            id=str(i),
            prompt=prompt,
            a=a,
            b=b,
            preferred=draw(st.sampled_from(["a", "b", "tie"])),
            votes=tuple(draw(st.lists(VOTE, max_size=2))),
            reason=draw(TEXT),
            group=draw(TEXT),
            weight=draw(st.floats(0.001, 1e6)),
            confidence=draw(st.floats(0, 1)),
        )
        for i, (prompt, a, b) in enumerate(texts)
    ]
    points = (Point(id="p", text=draw(TEXT), label=1),) if draw(st.booleans()) else ()
    notes = tuple(draw(st.lists(TEXT, max_size=2)))
    return Dataset(name=draw(TEXT), description=draw(TEXT), pairs=tuple(pairs), points=points, notes=notes)


@pytest.fixture(scope="module")
def database(shared_database: Database) -> Database:
    return shared_database


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dataset=datasets())
def test_a_dataset_comes_out_as_it_went_in(database: Database, dataset: Dataset) -> None:
    # One content hash stands for all names and votes that were ever saved with it, so each example is made its own.
    own = dataset.model_copy(update={"description": dataset.model_dump_json()})
    assert load_dataset(database, save_dataset(database, own)) == own


def test_saving_again_changes_nothing(database: Database) -> None:
    dataset = Dataset(name="first name", pairs=(Pair(id="1", a="x", b="y", preferred="a"),))
    save_dataset(database, dataset)
    save_dataset(database, dataset.model_copy(update={"name": "second name"}))
    assert load_dataset(database, dataset.hash).name == "first name"


def test_a_dataset_that_is_not_there_is_named(database: Database) -> None:
    with pytest.raises(RunError, match="'nothing'"):
        load_dataset(database, "nothing")


def test_a_judge_sees_texts_and_no_trace_of_what_people_said(database: Database) -> None:
    vote = Vote(preferred="b", annotator="ann", reason="because")
    pair = Pair(id="told", prompt="p", a="x", b="y", preferred="b", votes=(vote,), reason="so", group="g", weight=3)
    save_dataset(database, Dataset(name="n", pairs=(pair,)))
    with database.read() as connection:
        bare = bare_pairs(connection, [pair.hash])[pair.hash]
    assert (bare.prompt, bare.a, bare.b, bare.hash) == ("p", "x", "y", pair.hash)
    assert bare == Pair(id=pair.hash, prompt="p", a="x", b="y", preferred="tie")
