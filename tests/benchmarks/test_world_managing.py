from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pairs import Pair
from benchmarks.world.catalogue import GOOD_SHARE, WEAK_SHARE, knowledge_base
from benchmarks.world.judging import compare_levels
from benchmarks.world.managing import Insight, explain, propose
from benchmarks.world.oracle import decided_accuracy, votes_by
from benchmarks.world.people import World
from benchmarks.world.pointing import point, quality_of, tally
from benchmarks.world.qualities import levels, quality_named
from benchmarks.world.rewriting import NO_FAULT, criticise, critique, rewrite
from knowledge_base.embedding import embed

SURE = Insight(reliability=1.0, skill=1.0, useless=0.0, repeats=0.0, spoils=0.0, drifts=0.0, echoes=0.0)
WORLD = World(1012)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return WORLD.pairs(60, "mining", reasons=True)


def explained(world: World, pairs: list[Pair], insight: Insight, reasons: bool = False, seed: int = 1) -> str:
    told = (
        explain(world, p.a, p.b, p.preferred, seed, reasons=p.reason if reasons else "", insight=insight) for p in pairs
    )
    return "\n".join(f"- {one}" for one in told)


def counted(world: World, mentions: Counter[tuple[str, int]]) -> float:
    """Share of mentions of what people care about, in the right direction."""
    return sum(n for (q, s), n in mentions.items() if world.weights[q] * s > 0) / mentions.total()


def kinds(world: World, proposals: list[dict[str, object]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for proposal in proposals:
        pointing = point(f"{proposal['name']}: {proposal['description']}")
        weight = world.weights.get(pointing.main, 0.0) * pointing.sign
        found["useless" if not pointing.main else "good" if weight > 0 else "wrong"] += 1
    return found


def test_explanations_name_what_the_preferred_text_has_more_of(pairs: list[Pair]) -> None:
    for pair in pairs:
        kept, other = (pair.a, pair.b) if pair.preferred == "a" else (pair.b, pair.a)
        told = tally(explain(WORLD, pair.a, pair.b, pair.preferred, 1))
        assert told
        assert all(s * (levels(kept)[q] - levels(other)[q]) > 0 for q, s in told)


def test_explanations_are_as_long_as_a_model_s(pairs: list[Pair]) -> None:
    sizes = [len(explain(WORLD, p.a, p.b, p.preferred, 1).split()) for p in pairs]
    assert 10 < sum(sizes) / len(sizes) < 45


def test_a_reliable_manager_names_what_counted_and_another_anything(pairs: list[Pair]) -> None:
    found = [counted(WORLD, tally(explained(WORLD, pairs, Insight(reliability=r)))) for r in (0.0, 0.6, 1.0)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.95
    assert found[0] < 0.75


def test_reasons_of_people_are_taken_up(pairs: list[Pair]) -> None:
    blind = Insight(reliability=0.0)
    alone, told = (counted(WORLD, tally(explained(WORLD, pairs, blind, reasons))) for reasons in (False, True))
    assert told > alone + 0.1


def test_texts_without_a_difference_are_explained_by_nothing() -> None:
    assert not tally(explain(WORLD, "same", "same", "a", 1))


def test_the_same_is_explained_alike_and_another_seed_otherwise(pairs: list[Pair]) -> None:
    first = explained(WORLD, pairs, SURE)
    assert first == explained(WORLD, pairs, SURE)
    assert explained(WORLD, pairs, SURE, seed=2) != first


@pytest.mark.parametrize("number", [0, 1, 5, 20])
def test_as_many_criteria_come_as_are_asked_for(number: int) -> None:
    assert len(propose(number, "", 1)) == number


def test_proposals_make_criteria() -> None:
    for proposal in propose(40, "The preferred text has more evidence.", 3):
        assert 3 <= len(str(proposal["name"])) <= 80
        assert 20 <= len(str(proposal["description"])) <= 1200
        assert isinstance(proposal["probability"], float)
        assert 0.0 <= proposal["probability"] <= 1.0


def test_explanations_make_proposals_better() -> None:
    plain, told = Counter[str](), Counter[str]()
    for seed in range(1000, 1020):
        world = World(seed)
        plain += kinds(world, propose(20, "", seed))
        told += kinds(world, propose(20, explained(world, world.pairs(30, "mining"), Insight()), seed))
    assert 0.15 < plain["good"] / 400 < 0.3
    assert 0.48 < told["good"] / 400 < 0.65
    assert 0.4 < plain["useless"] / 400 < 0.6
    assert 0.2 < told["useless"] / 400 < 0.33


def test_proposals_are_middling_words_and_repeat_qualities() -> None:
    found = [point(f"{p['name']}: {p['description']}") for s in range(20) for p in propose(20, "", s)]
    pointing = [p for p in found if p.main]
    named = Counter(len(p.concepts) for p in pointing)
    assert set(named) <= {1, 2, 3, 4}
    assert 0.35 < sum(p.reliability for p in pointing) / len(pointing) < 0.65
    assert any(len(p.shares) > 1 for p in pointing)
    assert len({p.main for p in pointing[:20]}) < 12


def test_what_is_taken_or_banned_is_proposed_less() -> None:
    evidence = "\n".join(f"- Rule {i}: more evidence and sources" for i in range(3))
    told = "The preferred text has more evidence.\nThe preferred text has more warmth.\n" * 4

    def share(**known: str) -> int:
        found = [propose(5, told, s, insight=Insight(repeats=0.0), **known) for s in range(40)]
        return sum(point(str(p["description"])).main == "evidence" for five in found for p in five)

    assert share(taken=evidence) < share() * 0.8
    assert share(banned=evidence) < share() * 0.9


def test_now_and_then_a_known_criterion_is_proposed_again() -> None:
    taken = "- Use of proof: Look for proof in both texts."
    found = [p["name"] for s in range(40) for p in propose(10, "", s, taken=taken)]
    assert 0 < found.count("Use of proof") < 60


def test_failures_speak_by_their_critiques_not_by_their_names() -> None:
    failures = "- Evidence: the preferred text has more warmth and respect.\n" * 6
    found = [propose(5, "", s, failures=failures, insight=SURE) for s in range(30)]
    mains = Counter(point(str(p["description"])).main for five in found for p in five)
    assert mains["tone"] > 2 * mains["evidence"]


def test_less_of_a_disliked_quality_can_be_proposed() -> None:
    found = propose(5, "The preferred text avoids warmth and kindness.\n" * 20, 1, insight=SURE)
    assert any(p.sign < 0 and p.main == "tone" for p in (point(str(f["description"])) for f in found))


def disagreeing(words: str, world: World, pairs: list[Pair]) -> list[tuple[str, str, str]]:
    votes = votes_by(words, pairs, world.seed)
    return [(p.a, p.b, p.preferred) for p, v in zip(pairs, votes, strict=True) if v * p.sign < 0]


def test_a_critique_of_weak_words_names_words_that_are_missing(pairs: list[Pair]) -> None:
    quality = WORLD.cared[0]
    words = f"Rule: {quality_named(quality).words[0]}"
    own = point(words)
    spoke = [p for p in pairs if compare_levels(own, p.a, p.b) * p.sign > 0]
    for pair in spoke:
        told = point(critique(WORLD, words, pair.a, pair.b, pair.preferred, 1, insight=SURE))
        assert told.main == quality
        assert not set(told.concepts) & set(own.concepts)


def test_a_critique_of_words_that_are_not_at_fault_names_another_quality_or_none(pairs: list[Pair]) -> None:
    words = "Rule: " + ", ".join(quality_named(WORLD.irrelevant[0]).words)
    against = [p for p in pairs if compare_levels(point(words), p.a, p.b) * p.sign < 0]
    told = [critique(WORLD, words, p.a, p.b, p.preferred, 1, insight=SURE) for p in against]
    named = [point(one).main for one in told]
    assert WORLD.irrelevant[0] not in named
    assert NO_FAULT in told
    assert any(WORLD.weights[q] > 0 for q in named if q)


def test_nothing_can_be_added_to_perfect_words(pairs: list[Pair]) -> None:
    words = "Rule: " + ", ".join(quality_named(WORLD.cared[0]).words)
    spoke = next(p for p in pairs if compare_levels(point(words), p.a, p.b) * p.sign > 0)
    assert critique(WORLD, words, spoke.a, spoke.b, spoke.preferred, 1, insight=SURE) == NO_FAULT


def test_mistakes_are_criticised_one_by_one_in_order(pairs: list[Pair]) -> None:
    mistakes = [(p.a, p.b, p.preferred) for p in pairs[:4]]
    together = criticise(WORLD, "Rule: clarity", mistakes, 1)
    assert together == [critique(WORLD, "Rule: clarity", *m, 1) for m in mistakes]


def test_a_rewrite_takes_up_the_words_that_critiques_name() -> None:
    new = rewrite("Use of proof", "Look for proof.", "- It should ask for sources and surveys.", 1, insight=SURE)
    assert new["name"] == "Use of proof"
    assert set(point(f"{new['name']}: {new['description']}").concepts) == {"proof", "sources", "surveys"}


def test_a_rewrite_keeps_its_direction() -> None:
    new = rewrite(
        "Warmth", "The better text avoids warmth.", "- It should say that it avoids kindness.", 1, insight=SURE
    )
    assert point(str(new["description"])).sign == -1


def test_rewrites_sometimes_lose_words_drift_or_echo_another_name() -> None:
    critiques = "- It should ask for sources.\n- the preferred text has more warmth and respect."
    description = "Look for proof, studies, citations and statistics."
    found = [rewrite("Use of proof", description, critiques, seed) for seed in range(200)]
    sizes = [len([c for c in point(str(f["description"])).concepts if quality_of(c) == "evidence"]) for f in found]
    drifted = ["tone" in point(str(f["description"])).shares for f in found]
    assert 0.02 < sum(n < 4 for n in sizes) / 200 < 0.2
    assert 0.03 < sum(drifted) / 200 < 0.2
    assert 0.04 < sum(f["name"] != "Use of proof" for f in found) / 200 < 0.2


def test_a_criterion_that_pointed_at_nothing_can_adopt_what_critiques_name() -> None:
    critiques = "- the preferred text has more sources and studies." * 3
    found = [rewrite("Charm", "The text with more charm is better.", critiques, s, insight=SURE) for s in range(60)]
    adopted = sum(point(str(f["description"])).main == "evidence" for f in found) / 60
    assert 0.4 < adopted < 0.8


def test_rewriting_by_critiques_makes_cared_for_criteria_better_on_new_pairs() -> None:
    before, after = list[float](), list[float]()
    for seed in range(1000, 1012):
        world = World(seed)
        mined, sealed = world.pairs(30, "mining"), world.pairs(150, "sealed")
        for quality in world.cared[:3]:
            concept = quality_named(quality).words[seed % 8]
            name, description = f"Use of {concept}", f"Look for {concept}. The text with more of it is better."
            before.append(decided_accuracy(votes_by(f"{name}: {description}", sealed, seed), sealed))
            for _ in range(2):
                words = f"{name}: {description}"
                critiques = criticise(world, words, disagreeing(words, world, mined)[:4], seed)
                description = str(rewrite(name, description, "\n".join(critiques), seed)["description"])
            after.append(decided_accuracy(votes_by(f"{name}: {description}", sealed, seed), sealed))
    assert np.mean(after) > np.mean(before) + 0.02


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_is_borne(one: str, two: str, three: str, four: str) -> None:
    assert explain(WORLD, one, two, "b", 1, reasons=three)
    assert len(propose(2, one, 1, taken=two, banned=three, failures=four)) == 2
    assert critique(WORLD, one, two, three, "a", 1)
    assert set(rewrite(one, two, three, 1, accuracy=four)) == {"name", "description", "not_when"}


@pytest.mark.parametrize("size", [0, 1, 60, 340])
def test_a_knowledge_base_has_the_size_asked_for_and_distinct_names(size: int) -> None:
    base = knowledge_base(World(1000), size)
    assert len({c.name.casefold() for c in base}) == len({c.hash for c in base}) == len(base) == size


def test_a_knowledge_base_is_its_world_s_own_and_always_the_same() -> None:
    assert knowledge_base(World(1000), 60) == knowledge_base(World(1000), 60) != knowledge_base(World(1001), 60)


def test_few_entries_point_well_and_most_at_nothing() -> None:
    found = [point(c.words) for seed in range(1000, 1005) for c in knowledge_base(World(seed), 340)]
    assert sum(p.reliability > 0.7 for p in found) / len(found) == pytest.approx(GOOD_SHARE, abs=0.02)
    assert sum(bool(p.main) for p in found) / len(found) == pytest.approx(GOOD_SHARE + WEAK_SHARE, abs=0.01)


def test_many_entries_say_the_same() -> None:
    mains = Counter(point(c.words).main for c in knowledge_base(World(1000), 340))
    assert len(mains) == 13
    assert min(n for q, n in mains.items() if q) >= 2


def test_a_base_that_the_world_cannot_fill_is_an_error() -> None:
    with pytest.raises(ValueError, match="useless"):
        knowledge_base(World(1000), 2000)


def test_explanations_lie_nearer_to_entries_about_the_same_quality() -> None:
    base = knowledge_base(World(1000), 340)[:100]
    about = [point(c.words).main for c in base]
    told = embed(["The preferred text has more evidence and citations. The preferred text has more statistics."])[0]
    near = np.argsort(-(embed([c.words for c in base]) @ told))[:6]
    assert sum(about[i] == "evidence" for i in near) / 6 > 4 * about.count("evidence") / 100
