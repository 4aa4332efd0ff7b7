"""Which votes stand is a function of the set of votes, not of the order they came in."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from services.annotation.standing import standing


@dataclass(frozen=True)
class Said:
    id: str
    annotator: str
    choice: str
    at: float
    upload: str = ""
    withdraws: str = ""


def ids(votes: list[Said], repeats: str = "latest") -> list[str]:
    return [v.id for v in standing(votes, repeats)]  # type: ignore[arg-type]


EARLY, LATE = Said("1", "ann", "a", 1.0), Said("2", "ann", "b", 2.0)
OTHER = Said("3", "bo", "tie", 1.5)


def test_the_latest_vote_of_a_person_stands_unless_declared_otherwise() -> None:
    assert ids([LATE, OTHER, EARLY]) == ["3", "2"]
    assert ids([LATE, OTHER, EARLY], "first") == ["1", "3"]
    assert ids([LATE, OTHER, EARLY], "all") == ["1", "3", "2"]


def test_a_withdrawn_vote_gives_way_to_the_one_before() -> None:
    gone = Said("4", "ann", "withdrawn", 3.0, withdraws="2")
    assert ids([EARLY, LATE, gone]) == ["1"]


def test_a_skip_is_no_vote_and_displaces_none() -> None:
    assert ids([EARLY, Said("9", "ann", "skip", 9.0)]) == ["1"]


def test_nameless_votes_all_stand() -> None:
    assert ids([Said("1", "", "a", 1.0), Said("2", "", "a", 2.0)]) == ["1", "2"]


def test_votes_of_one_file_stand_or_fall_together() -> None:
    file = [Said("1", "ann", "a", 1.0, upload="f"), Said("2", "ann", "b", 1.0, upload="f")]
    assert ids(file) == ["1", "2"]
    assert ids([*file, Said("3", "ann", "tie", 2.0)]) == ["3"]
    assert ids([*file, Said("3", "ann", "tie", 0.5)]) == ["1", "2"]


votes = st.lists(
    st.builds(
        Said, id=st.uuids().map(str), annotator=st.sampled_from(["", "ann", "bo"]),
        choice=st.sampled_from(["a", "b", "tie", "skip"]), at=st.integers(0, 4).map(float),
        upload=st.sampled_from(["", "", "f", "g"]),
    ),
    max_size=12, unique_by=lambda v: v.id,
)  # fmt: skip


@given(votes, st.sampled_from(["latest", "first", "all"]), st.randoms())
def test_the_order_of_coming_makes_no_difference(cast: list[Said], repeats: str, chance: random.Random) -> None:
    shuffled = chance.sample(cast, len(cast))
    assert set(ids(shuffled, repeats)) == set(ids(cast, repeats))
    alone = [v.id for v in standing(cast, repeats) if not v.upload]  # type: ignore[arg-type]
    assert [i for i in ids(shuffled, repeats) if i in alone] == alone


@given(votes)
def test_against_a_plain_reckoning(cast: list[Said]) -> None:
    answers = [v for v in cast if v.choice != "skip"]
    for name in ("ann", "bo"):
        mine = [v for v in answers if v.annotator == name]
        stand = [v for v in standing(cast, "latest") if v.annotator == name]
        assert bool(stand) == bool(mine)
        assert all(v.at == max(m.at for m in mine) for v in stand)
