"""The index: found again when it was kept whole, made anew when anything differs, never trusted blindly."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base import index as index_module
from knowledge_base.criterion import Criterion, Provenance
from knowledge_base.embedding import embed
from knowledge_base.index import INDEX_FILE, MANIFEST_FILE, Index

SOURCE = Provenance(kind="paper", source="A study of good texts", year=2020)
SUBJECTS = ("clear claims", "vivid images", "correct spelling", "working code", "polite tone", "cited sources")


def criterion(subject: str, **changes: Any) -> Criterion:
    """A criterion about `subject`."""
    description = f"The better text has more {subject} than the other one."
    return Criterion(**{"name": subject, "description": description, "provenance": SOURCE, **changes})


CRITERIA = tuple(criterion(subject) for subject in SUBJECTS)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with the index of `CRITERIA`."""
    Index.build(CRITERIA).save(tmp_path)
    return tmp_path


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the index embeds from now on."""
    texts: list[str] = []

    def spy(asked: list[str]) -> Any:
        texts.extend(asked)
        return embed(asked)

    monkeypatch.setattr(index_module, "embed", spy)
    return texts


def same(one: Index, other: Index) -> bool:
    """Whether two indexes hold the same criteria and the same vectors, to the last bit."""
    return one.criteria == other.criteria and one.vectors.tobytes() == other.vectors.tobytes()


def test_search_finds_the_nearest_first_with_their_cosines() -> None:
    hits = Index.build(CRITERIA).search(embed(["spelling mistakes and typos"])[0], 3)
    assert hits[0].criterion.name == "correct spelling"
    expected = float(embed(["spelling mistakes and typos"])[0] @ embed([hits[0].criterion.words])[0])
    assert hits[0].similarity == pytest.approx(expected, abs=1e-5)
    assert [h.similarity for h in hits] == sorted((h.similarity for h in hits), reverse=True)


@pytest.mark.parametrize(("n", "found"), [(-1, 0), (0, 0), (1, 1), (6, 6), (99, 6)])
def test_search_gives_at_most_what_there_is(n: int, found: int) -> None:
    assert len(Index.build(CRITERIA).search(embed(["anything"])[0], n)) == found


def test_an_empty_index_finds_nothing_and_can_be_kept(tmp_path: Path) -> None:
    empty = Index.load_or_build([], tmp_path)
    assert empty.search(embed(["anything"])[0], 5) == []
    assert same(Index.load_or_build([], tmp_path), empty)


@pytest.mark.parametrize("n", range(1, 6))
def test_ties_are_settled_by_hash_wherever_the_cut_falls(n: int) -> None:
    tied = [criterion("clear claims", expression="words", margin=float(m)) for m in range(5)]
    hits = Index.build([*CRITERIA[1:], *tied]).search(embed([tied[0].words])[0], n)
    assert [h.criterion.hash for h in hits] == sorted(c.hash for c in tied)[:n]


@settings(max_examples=10, deadline=None)
@given(st.permutations(CRITERIA), st.integers(0, 5))
def test_the_order_and_repetition_of_the_criteria_do_not_matter(order: list[Criterion], repeated: int) -> None:
    assert same(Index.build([*order, order[repeated]]), Index.build(CRITERIA))


def test_what_was_kept_is_found_again_without_embedding(kept: Path, embedded: list[str]) -> None:
    assert same(Index.load_or_build(CRITERIA, kept), Index.build(CRITERIA))
    embedded.clear()
    Index.load_or_build(CRITERIA, kept)
    assert embedded == []


def test_the_same_criteria_give_the_same_bytes_on_disk(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    Index.build(random.Random(1).sample(CRITERIA, len(CRITERIA))).save(other)
    assert (other / INDEX_FILE).read_bytes() == (kept / INDEX_FILE).read_bytes()
    assert (other / MANIFEST_FILE).read_bytes() == (kept / MANIFEST_FILE).read_bytes()


def test_the_manifest_says_what_the_index_was_made_from(kept: Path) -> None:
    manifest = json.loads((kept / MANIFEST_FILE).read_text())
    assert manifest["sha256"] == hashlib.sha256((kept / INDEX_FILE).read_bytes()).hexdigest()
    assert (manifest["count"], manifest["dimension"]) == (6, 384)
    assert manifest["embedder"].startswith("all-MiniLM-L6-v2@")


def test_a_new_criterion_is_embedded_alone_and_kept(kept: Path, embedded: list[str]) -> None:
    grown = (*CRITERIA, criterion("surprising endings"))
    assert same(Index.load_or_build(grown, kept), Index.build(grown))
    assert embedded[0] == grown[-1].words
    embedded.clear()
    Index.load_or_build(grown, kept)
    assert embedded == []


def test_a_criterion_that_is_gone_leaves_the_index(kept: Path) -> None:
    index = Index.load_or_build(CRITERIA[:4], kept)
    assert same(index, Index.build(CRITERIA[:4]))
    assert json.loads((kept / MANIFEST_FILE).read_text())["count"] == 4


def test_a_change_that_no_word_shows_still_reaches_the_manifest(kept: Path) -> None:
    before = (kept / MANIFEST_FILE).read_text()
    changed = (CRITERIA[0].model_copy(update={"domains": {"web": 3}}), *CRITERIA[1:])
    assert Index.load_or_build(changed, kept).criteria != Index.build(CRITERIA).criteria
    assert (kept / MANIFEST_FILE).read_text() != before


def test_vectors_of_another_embedder_are_not_used(kept: Path, embedded: list[str]) -> None:
    manifest = json.loads((kept / MANIFEST_FILE).read_text())
    (kept / MANIFEST_FILE).write_text(json.dumps({**manifest, "embedder": "another@0123456789abcdef"}))
    assert same(Index.load_or_build(CRITERIA, kept), Index.build(CRITERIA))
    assert len(embedded) == 2 * len(CRITERIA)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([INDEX_FILE, MANIFEST_FILE]),
    st.sampled_from(["flip", "cut", "grow", "replace"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=40),
)
def test_a_damaged_file_is_made_anew_and_mended(kept: Path, name: str, how: str, where: float, junk: bytes) -> None:
    good = Index.build(CRITERIA)
    good.save(kept)
    raw = bytearray((kept / name).read_bytes())
    at = int(where * len(raw))
    if how == "flip":
        raw[at] ^= 1 + junk[0] % 255
    damaged = {"flip": raw, "cut": raw[:at], "grow": raw + junk, "replace": junk}[how]
    (kept / name).write_bytes(bytes(damaged))
    assert same(Index.load_or_build(CRITERIA, kept), good)
    assert same(Index.load_or_build(CRITERIA, kept), good)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=60), st.integers(0, 44)), st.sampled_from([0, 1, 6, 2**31, 2**62]))
def test_an_index_file_of_another_make_is_not_trusted_though_its_checksum_fits(
    kept: Path, change: bytes | int, count: int
) -> None:
    good = Index.build(CRITERIA)
    good.save(kept)
    raw = bytearray((kept / INDEX_FILE).read_bytes())
    if isinstance(change, int):
        raw[change] ^= 0xFF
    forged = bytes(raw) if isinstance(change, int) else change
    manifest = json.loads((kept / MANIFEST_FILE).read_text())
    manifest |= {"sha256": hashlib.sha256(forged).hexdigest(), "count": count, "words": manifest["words"][:count]}
    (kept / INDEX_FILE).write_bytes(forged)
    (kept / MANIFEST_FILE).write_text(json.dumps(manifest))
    assert same(Index.load_or_build(CRITERIA, kept), good)


def test_vectors_that_are_not_of_length_one_are_not_trusted(kept: Path) -> None:
    good = Index.build(CRITERIA)
    forged = (kept / INDEX_FILE).read_bytes()[: -good.vectors.nbytes] + (good.vectors * 2).tobytes()
    manifest = json.loads((kept / MANIFEST_FILE).read_text())
    (kept / INDEX_FILE).write_bytes(forged)
    (kept / MANIFEST_FILE).write_text(json.dumps({**manifest, "sha256": hashlib.sha256(forged).hexdigest()}))
    assert same(Index.load_or_build(CRITERIA, kept), good)


def test_a_pickle_in_place_of_the_index_is_never_run(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("run") / "was-run"

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return target.touch, ()

    (kept / INDEX_FILE).write_bytes(pickle.dumps(Runs()))
    (kept / MANIFEST_FILE).write_bytes(pickle.dumps(Runs()))
    assert same(Index.load_or_build(CRITERIA, kept), Index.build(CRITERIA))
    assert not target.exists()


def test_a_place_that_cannot_be_written_is_reported_and_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        index = Index.load_or_build(CRITERIA, tmp_path / "taken")
    assert same(index, Index.build(CRITERIA))
    assert "it will be built again next time" in caplog.text


def test_a_write_that_fails_leaves_the_old_files_and_no_others(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in kept.iterdir()}

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    Index.load_or_build(CRITERIA[:3], kept)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before


def test_vectors_are_the_unit_vectors_of_the_words() -> None:
    index = Index.build(CRITERIA)
    assert np.array_equal(index.vectors, embed([c.words for c in index.criteria]))
