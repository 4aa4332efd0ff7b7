"""What becomes of each pair in a refresh: no pair that a set learnt from, or hangs together with one, tests it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pairs import Pair
from agents.refresh_plan import RefreshPlan, Seen, choose_anchors, plan_refresh


def pair(number: int, group: str = "", a: str = "") -> Pair:
    return Pair(id=str(number), a=a or f"left {number}", b=f"right {number}", preferred="a", group=group)


def plan(pairs: list[Pair], seen: Seen | None = None, share: float = 0.5, anchors: int = 5) -> RefreshPlan:
    return plan_refresh(pairs, seen or Seen(), share, anchors)


OLD = [pair(i) for i in range(40)]
NEW = [pair(i) for i in range(40, 240)]
MINED, HELD = OLD[:30], OLD[30:]
SEEN = Seen(mined=tuple(MINED), held_out=frozenset(p.hash for p in HELD))


def test_what_was_mined_is_mined_again_and_what_was_held_out_stays_sealed() -> None:
    found = plan(OLD + NEW, SEEN)
    assert {p.hash for p in MINED} <= set(found.mining)
    assert {p.hash for p in HELD} <= set(found.sealed)
    assert not {p.hash for p in MINED} & set(found.free)


def test_about_the_share_of_new_pairs_is_sealed() -> None:
    found = plan(OLD + NEW, SEEN, share=0.3)
    sealed = {p.hash for p in NEW} & set(found.sealed)
    assert 0.2 < len(sealed) / len(NEW) < 0.4


def test_a_pair_once_sealed_stays_sealed_as_others_come() -> None:
    first, later = plan(OLD + NEW[:80], SEEN), plan(OLD + NEW, SEEN)
    assert set(first.sealed) <= set(later.sealed)
    assert set(first.mining) <= set(later.mining)


def test_a_new_pair_that_shares_a_text_or_a_group_with_a_mined_one_tests_nothing() -> None:
    mined = pair(0, group="g")
    cousins = [pair(1, group="g"), pair(2, a="LEFT  0"), pair(3)]
    found = plan([mined, *cousins], Seen(mined=(mined,)), share=0.99)
    assert found.free == (cousins[2].hash,)
    assert {mined.hash, cousins[0].hash, cousins[1].hash} <= set(found.mining)


def test_a_pair_that_was_mined_counts_even_if_the_dataset_has_lost_it() -> None:
    lost, cousin = pair(0), pair(1, a="left 0")
    assert plan([cousin], Seen(mined=(lost,))).free == ()


def test_a_held_out_pair_that_came_to_hang_together_with_a_mined_one_is_sealed_no_more() -> None:
    mined, held = pair(0), pair(1)
    bridge = Pair(id="2", a=mined.a, b=held.b, preferred="a")
    seen = Seen(mined=(mined,), held_out=frozenset([held.hash]))
    assert plan([mined, held], seen).sealed == (held.hash,)
    assert plan([mined, held, bridge], seen).sealed == ()


def test_what_was_examined_is_fresh_no_more() -> None:
    examined = frozenset(p.hash for p in NEW[:100])
    found = plan(OLD + NEW, Seen(SEEN.mined, SEEN.held_out, examined))
    assert set(found.fresh) == {p.hash for p in NEW[100:]}
    assert set(found.unknown) == {p.hash for p in NEW}


def test_anchors_are_pairs_that_the_set_has_to_do_with_and_stay_the_same() -> None:
    first = plan(OLD + NEW[:50], SEEN, anchors=12)
    known = {p.hash for p in OLD}
    assert len(first.anchors) == 12
    assert set(first.anchors) <= known
    again = plan(OLD + NEW, Seen(SEEN.mined, SEEN.held_out, anchors=frozenset(first.anchors)), anchors=12)
    assert again.anchors == first.anchors
    assert set(plan(OLD + NEW, SEEN, anchors=3).anchors) <= set(first.anchors)


def test_of_a_set_without_a_known_past_any_pair_may_be_an_anchor() -> None:
    assert len(plan(NEW, anchors=7).anchors) == 7
    assert choose_anchors(frozenset(), {"ab", "cd"}, 0) == ()


GROUPS = st.lists(st.sampled_from(["", "g1", "g2", "g3"]), min_size=1, max_size=40)


@given(GROUPS, st.integers(0, 40), st.floats(0.05, 0.95), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_every_pair_has_one_fate_and_units_stay_whole(groups: list[str], mined: int, share: float, rng: object) -> None:
    pairs = [pair(i, group) for i, group in enumerate(groups)]
    seen = Seen(mined=tuple(pairs[:mined]))
    found = plan(pairs, seen, share)
    assert set(found.sealed) | set(found.mining) == {p.hash for p in pairs}
    assert not set(found.sealed) & set(found.mining)
    assert set(found.sealed) <= set(found.free)
    for group in {g for g in groups if g}:
        unit = {p.hash for p in pairs if p.group == group}
        assert unit <= set(found.sealed) or not unit & set(found.sealed)
    rng.shuffle(pairs)  # type: ignore[attr-defined]
    assert plan(pairs, seen, share) == found
