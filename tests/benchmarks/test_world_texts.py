from __future__ import annotations

import random
import string
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.world.chance import generator, happens, normal, uniform
from benchmarks.world.pointing import point, quality_of, tally
from benchmarks.world.qualities import FULL, MARKED, level, levels, names, qualities, quality_named
from benchmarks.world.texts import SHARES, draw_steps, topics, write
from benchmarks.world.wording import ASPECTS, EMPTY, FRAMES, LESS, MORE, NAMES

STEPS = st.fixed_dictionaries({q: st.integers(0, FULL) for q in names()})


def test_there_are_twelve_qualities_with_eight_concepts_each() -> None:
    assert len(names()) == 12
    assert {len(q.concepts) for q in qualities()} == {8}


def test_no_word_points_at_two_qualities() -> None:
    forms = [form for q in qualities() for concept in q.concepts for form in concept]
    assert len(forms) == len(set(forms))
    assert all(set(form) <= set(string.ascii_lowercase) for form in forms)


def test_a_quality_s_own_name_points_at_it() -> None:
    assert [point(name).main for name in names()] == list(names())


def test_every_sentence_has_one_counted_phrase_of_its_own() -> None:
    marked = [MARKED.findall(s) for q in qualities() for sentences in q.says.values() for s in sentences]
    assert {len(phrases) for phrases in marked} == {1}
    assert len({phrases[0] for phrases in marked}) == len(marked) == 12 * 3 * 3


def test_a_sentence_is_counted_for_its_quality_and_no_other() -> None:
    for quality in qualities():
        for strength, sentences in quality.says.items():
            for sentence in sentences:
                found = levels(topics()[0].fill(MARKED.sub(r"\1", sentence)))
                assert {q: v for q, v in found.items() if v} == {quality.name: strength / FULL}


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 10**6), st.sampled_from(topics()))
def test_the_levels_written_are_the_levels_read(steps: dict[str, int], seed: int, topic: object) -> None:
    text = write(steps, topic, random.Random(seed))  # type: ignore[arg-type]  # sampled from topics
    assert levels(text) == {q: step / FULL for q, step in steps.items()}


@pytest.mark.parametrize("step", range(FULL + 1))
def test_a_level_is_read_off_the_text_alone(step: int) -> None:
    text = write({"evidence": step}, topics()[3], random.Random(step))
    assert level(text, "evidence") == step / FULL
    assert level(text, "tone") == 0.0


def test_saying_the_same_twice_counts_once() -> None:
    sentence = "Two reports agree about the menu."
    assert level(f"{sentence} {sentence}", "evidence") == level(sentence, "evidence") == 0.5


def test_a_level_never_exceeds_one() -> None:
    every = " ".join(MARKED.findall(s)[0] for sentences in quality_named("tone").says.values() for s in sentences)
    assert level(every, "tone") == 1.0


def test_an_unknown_quality_is_an_error() -> None:
    with pytest.raises(KeyError):
        level("any text", "loudness")


@given(st.text())
def test_any_text_has_levels(text: str) -> None:
    assert all(0.0 <= value <= 1.0 for value in levels(text).values())


def test_texts_have_about_eighty_to_two_hundred_words() -> None:
    rng = random.Random(5)
    sizes = sorted(len(write(draw_steps(rng, ()), rng.choice(topics()), rng).split()) for _ in range(400))
    assert sizes[8] >= 80
    assert sizes[-9] <= 205
    assert 125 <= sum(sizes) / len(sizes) <= 150


def test_steps_occur_as_often_as_said() -> None:
    rng = random.Random(8)
    drawn = [step for _ in range(1500) for step in draw_steps(rng, names()[:4]).values()]
    assert [round(drawn.count(step) / len(drawn), 2) for step in range(5)] == pytest.approx(SHARES, abs=0.03)


def test_care_raises_crafted_qualities_together_and_leaves_others_alone() -> None:
    rng = random.Random(9)
    drawn = [draw_steps(rng, ("clarity", "tone")) for _ in range(3000)]
    assert correlation([d["clarity"] for d in drawn], [d["tone"] for d in drawn]) == pytest.approx(0.26, abs=0.06)
    assert correlation([d["clarity"] for d in drawn], [d["depth"] for d in drawn]) == pytest.approx(0.0, abs=0.06)


def test_topics_differ() -> None:
    assert len({t.topic for t in topics()}) == len({t.part for t in topics()}) == len(topics()) >= 20


def test_pointing_grows_with_every_concept_named_and_saturates() -> None:
    words = quality_named("evidence").words
    found = [point(", ".join(words[:n])).reliability for n in range(9)]
    gains = [after - before for before, after in pairwise(found)]
    assert found[0] == 0.0
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0
    assert found[-1] > 0.95


def test_a_concept_counts_once_in_whatever_forms() -> None:
    assert point("cite, cites and cited citations") == point("citation")


def test_words_about_two_qualities_are_diluted() -> None:
    both = point("evidence, sources, warmth")
    assert both.shares == pytest.approx({"evidence": 2 / 3, "tone": 1 / 3})
    assert both.main == "evidence"
    assert both.reliability < point("evidence, sources").reliability


def test_avoiding_turns_words_round() -> None:
    assert (point("more warmth").sign, point("avoids warmth").sign) == (1, -1)


def test_words_without_concepts_point_at_nothing() -> None:
    nothing = point("Everyday feel: the nicer text is better")
    assert (nothing.main, nothing.reliability, nothing.shares) == ("", 0.0, {})


@given(st.text())
def test_any_words_can_be_read(words: str) -> None:
    assert 0.0 <= point(words).reliability < 1.0
    assert sum(tally(words).values()) >= 0


def test_mentions_are_counted_by_sentence_with_their_direction() -> None:
    said = tally("It has more evidence and sources. It avoids warmth.\n- Another has evidence; nothing else")
    assert said == {("evidence", 1): 2, ("tone", -1): 1}


def test_a_concept_knows_its_quality() -> None:
    assert quality_of("brevity") == "concision"


def test_what_criteria_are_written_with_points_at_nothing_by_itself() -> None:
    templates = [t.replace("{}", "") for t in (*MORE, *LESS, *EMPTY, *NAMES, *FRAMES, *ASPECTS)]
    assert [t for t in templates if point(t).shares] == []
    assert {point(t).sign for t in (*MORE, *EMPTY, *NAMES, *ASPECTS)} == {1}
    assert {point(t).sign for t in LESS} == {-1}


def test_draws_follow_from_their_parts_alone() -> None:
    assert uniform("a", 1) == uniform("a", 1) != uniform("a", 2)
    assert generator("x", 1).random() == generator("x", 1).random() != generator("x", 2).random()


def test_parts_do_not_run_into_each_other() -> None:
    assert uniform("ab", "c") != uniform("a", "bc")


def test_draws_are_spread_as_they_should_be() -> None:
    drawn = [uniform(i) for i in range(4000)]
    normals = [normal(i) for i in range(4000)]
    assert sum(drawn) / 4000 == pytest.approx(0.5, abs=0.02)
    assert sum(n * n for n in normals) / 4000 == pytest.approx(1.0, abs=0.07)
    assert sum(happens(0.3, "h", i) for i in range(4000)) / 4000 == pytest.approx(0.3, abs=0.03)


def correlation(xs: list[int], ys: list[int]) -> float:
    n, mx, my = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
    cov = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / n
    return float(cov / (sum((x - mx) ** 2 for x in xs) / n * sum((y - my) ** 2 for y in ys) / n) ** 0.5)
