"""A run in a simulated world counts what it takes, and gives each condition and way what its name says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache

import pytest

from agents.chat.caller import Caller
from agents.chat.endpoint import Call, Message, Reply, Tokens
from agents.chat.fence import Fence, read_blocks
from agents.chat.gate import LocalGate
from agents.chat.judge import ChatJudge
from agents.chat.prompts import load_prompt
from agents.chat.question import pair_call, view_pair
from agents.chat.text_limit import TextLimit
from agents.panel import Looks
from agents.policies import PolicyName, policy_named
from agents.policy import Policy
from agents.robust_policy import frugal
from benchmarks.bench_policies import ablations, paper_way, robust_way
from benchmarks.world.catalogue import knowledge_base
from benchmarks.world.people import World
from benchmarks.world_runs import MINED, Condition, CriterionFirst, Found, Way, mine_world, pairs_of

SEED = 1003
ONCE_AND_TWICE: tuple[Looks, Looks] = ("one", "both")
SEALED = 20


def small(name: PolicyName) -> Policy:
    return policy_named(name, 4, 2, free=False)


@lru_cache(maxsize=8)
def mined(way: Way, condition: Condition = Condition()) -> Found:  # noqa: B008 - a frozen value
    return mine_world(SEED, way, condition, SEALED)


ROBUST, PAPER = Way("robust", small("robust"), base=12), Way("paper", small("paper"), base=12)


@pytest.mark.parametrize("way", [ROBUST, PAPER])
def test_a_world_is_mined_and_what_it_took_is_counted(way: Way) -> None:
    found = mined(way)
    assert 1 <= found.criteria == len(found.names) <= MINED
    assert 0.5 < found.accuracy <= 1.0
    assert 0.7 < found.oracle <= 1.0
    taken = found.taken
    assert taken.calls == taken.judging + taken.managing
    assert taken.managing > 0
    assert 0 < taken.uncached < taken.prompt
    assert taken.completion > taken.calls


def test_every_pair_is_explained_before_anything_is_proposed() -> None:
    assert mined(ROBUST).taken.managing > MINED


def test_the_published_procedure_tries_the_whole_knowledge_base_on_every_pair() -> None:
    assert mined(PAPER).taken.judging >= 12 * MINED
    assert mined(replace(PAPER, base=24)).taken.judging - mined(PAPER).taken.judging >= 11 * MINED


def test_the_same_world_gives_the_same_and_another_gives_another() -> None:
    assert mine_world(SEED, ROBUST, sealed=SEALED) == mined(ROBUST)
    assert mine_world(SEED + 1, ROBUST, sealed=SEALED).names != mined(ROBUST).names


def test_sealed_pairs_are_measured_and_not_mined() -> None:
    assert mine_world(SEED, ROBUST, sealed=SEALED * 3).taken == mined(ROBUST).taken
    assert not {p.hash for p in pairs_of(SEED, "mining", MINED, 0.0)} & {
        p.hash for p in pairs_of(SEED, "sealed", 300, 0.0)
    }


def test_noise_turns_labels_of_mining_pairs_and_of_no_others() -> None:
    plain, noisy = pairs_of(SEED, "mining", MINED, 0.0), pairs_of(SEED, "mining", MINED, 0.3)
    turned = sum(a.preferred != b.preferred for a, b in zip(plain, noisy, strict=True))
    assert [p.hash for p in plain] == [p.hash for p in noisy]
    assert 2 <= turned <= 18
    assert mined(ROBUST, Condition(noise=0.3)).oracle == mined(ROBUST).oracle


@pytest.mark.parametrize("way", [ROBUST, PAPER])
def test_malformed_replies_cost_repairs_and_the_run_survives_them(way: Way) -> None:
    found = mined(way, Condition(malformed=0.3))
    assert found.criteria >= 1
    assert found.accuracy > 0.5
    per_call = found.taken.judging / mined(way).taken.judging
    assert per_call > 1.02, "spoiled replies are asked to be mended"


def test_a_judge_that_likes_what_comes_first_misleads_those_who_look_once() -> None:
    whole = replace(frugal(), size=4, rounds=2)
    once, twice = (Way(looks, replace(whole, looks=looks), base=12) for looks in ONCE_AND_TWICE)
    assert mined(once).taken.judging < mined(twice).taken.judging
    biased = [mined(way, Condition(position_bias=0.5)) for way in (once, twice)]
    assert biased[0].taken.judging < biased[1].taken.judging
    assert biased[0].names != mined(once).names


def test_the_best_criterion_votes_alone_where_that_is_asked_for() -> None:
    alone = mined(replace(ROBUST, best_only=True))
    assert alone.taken == mined(ROBUST).taken
    assert alone.names == mined(ROBUST).names
    assert alone.accuracy <= 1.0


def test_without_a_knowledge_base_there_is_none_of_it_in_the_set() -> None:
    prior = {c.name for c in knowledge_base(World(SEED), 12)}
    assert not set(mined(replace(PAPER, base=0)).names) & prior
    assert set(mined(PAPER).names) & prior


class Listening:
    """A model that keeps what it was sent."""

    name = fingerprint = "openai:listening"

    def __init__(self) -> None:
        self.heard: list[Call] = []

    async def reply(self, call: Call) -> Reply:
        self.heard.append(call)
        return Reply('{"reasoning": "so", "verdict": "A"}', "stop", Tokens(1, 0, 1), 0.0)


def judged(first: bool) -> Call:
    """What a model is sent of a pair."""
    pair = pairs_of(SEED, "mining", MINED, 0.0)[0].model_copy(update={"prompt": "Why so?"})
    view = view_pair(pair, "ab", Fence(b"x", pair.hash), TextLimit(), "en")
    call = pair_call(load_prompt("judge", "en"), view, knowledge_base(World(SEED), 1)[0], 0)
    model = Listening()
    asyncio.run((CriterionFirst(model) if first else model).reply(call))
    return model.heard[0]


def test_the_criterion_may_stand_before_the_pair_and_every_block_stays_as_it_is() -> None:
    ours, turned = judged(first=False), judged(first=True)
    assert ours.messages[:-1] == turned.messages[:-1]
    assert ours.stage == turned.stage
    before, after = (read_blocks(call.messages[-1].content) for call in (ours, turned))
    assert [name for name, _ in before] == ["prompt", "a", "b", "criterion"]
    assert [name for name, _ in after] == ["criterion", "prompt", "a", "b"]
    assert dict(after) == dict(before)
    assert sorted(turned.messages[-1].content.split()) == sorted(ours.messages[-1].content.split())


def test_only_judgments_are_turned() -> None:
    call, model = Call((Message("user", "hello\n\nworld"),), "propose"), Listening()
    asyncio.run(CriterionFirst(model).reply(call))
    assert model.heard == [call]


def test_the_turned_prompts_give_the_same_judgments_for_more_uncached_tokens() -> None:
    turned = mined(replace(PAPER, criterion_first=True))
    assert turned.names == mined(PAPER).names
    assert turned.taken.judging == mined(PAPER).taken.judging
    assert turned.taken.uncached > 1.2 * mined(PAPER).taken.uncached


def test_the_turned_model_is_the_same_judge() -> None:
    model = Listening()
    judges = [ChatJudge(Caller(m, LocalGate(1)), secret=b"x") for m in (model, CriterionFirst(model))]
    assert judges[0].fingerprint == judges[1].fingerprint


def test_the_ways_of_the_table_are_what_users_get_and_what_was_published() -> None:
    assert robust_way().policy == policy_named("robust", 20, 3, free=False)
    assert not robust_way().plain_vote
    paper = paper_way()
    assert (paper.policy, paper.plain_vote, paper.criterion_first) == (
        policy_named("paper", 20, 3, free=False), True, True,
    )  # fmt: skip
    assert paper.policy.screens
    assert paper.policy.thorough


def test_every_ablation_leaves_one_part_out_and_has_a_name_of_its_own() -> None:
    ways = ablations()
    assert len({way.name for way in ways}) == len(ways)
    assert len({replace(way, name="") for way in ways}) == len(ways)
