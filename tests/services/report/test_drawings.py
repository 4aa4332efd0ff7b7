"""What the figures of a report show, checked on what they are drawn from."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import crossfit_result, sealed_result, unsealed_result

from services.report.criteria_view import criteria_views
from services.report.evolution import evolution
from services.report.hard_pairs_view import TEXT_LIMIT, pair_views
from services.report.heat_map import heat_map
from services.report.scale import Scale, accuracy_scale
from services.report.scatter import FRAME, Box, scatter
from services.report.vote_strips import vote_strips

RESULTS = [sealed_result, crossfit_result, unsealed_result]


@given(st.floats(-2, 3), st.floats(-2, 3))
def test_a_scale_keeps_order_and_stays_on_the_axis(one, other):
    scale = Scale(0.2, 1.0, 10, 110)
    assert 10 <= scale.at(one) <= 110
    assert (scale.at(one) <= scale.at(other)) == (one <= other or scale.at(one) == scale.at(other))


def test_a_scale_may_run_upwards():
    assert Scale(0, 1, 100, 0).at(0.25) == 75


def test_ticks_stand_at_every_step_and_only_on_the_axis():
    values, places = zip(*Scale(0.4, 1.0, 0, 60).ticks(0.2), strict=True)
    assert values == pytest.approx((0.4, 0.6, 0.8, 1.0))
    assert places == (0, 20, 40, 60)


@given(st.lists(st.floats(0, 1)))
def test_an_accuracy_axis_shows_chance_and_every_interval(lows):
    scale = accuracy_scale(lows, 0, 1)
    assert scale.low <= min([0.4, *lows]) + 1e-9
    assert scale.high == 1.0


@pytest.mark.parametrize("made", RESULTS)
def test_every_criterion_has_its_dot_and_no_name_lies_over_another(made):
    views = criteria_views(made())
    drawn = scatter(views)
    assert [d.number for d in drawn.dots] == list(range(1, len(views) + 1))
    assert any(d.label for d in drawn.dots)
    for one, other in itertools.combinations([d for d in drawn.dots if d.label], 2):
        assert abs(one.label_y - other.label_y) >= 12 or one.label_x != other.label_x


def test_dots_are_inside_the_frame_and_intervals_around_them():
    for d in scatter(criteria_views(sealed_result())).dots:
        assert FRAME.left <= d.x <= FRAME.right
        assert d.high <= d.y <= d.low


def test_boxes_that_only_touch_do_not_meet():
    assert not Box(0, 0, 1, 1).meets(Box(1, 0, 2, 1))
    assert Box(0, 0, 1, 1).meets(Box(0.9, 0.9, 2, 2))


@pytest.mark.parametrize("made", RESULTS)
def test_every_contender_of_every_round_is_a_node(made):
    result = made()
    assert len(evolution(result).nodes) == sum(len(r.entries) for r in result.rounds)


def test_a_final_criterion_is_labelled_with_its_number_and_labels_keep_apart():
    drawn = evolution(sealed_result())
    assert sorted(label.number for label in drawn.labels) == list(range(1, 9))
    heights = sorted(label.y for label in drawn.labels)
    assert all(after - before >= 14 for before, after in itertools.pairwise(heights))
    assert heights[-1] < drawn.height


def test_a_criterion_that_stays_alive_is_linked_from_round_to_round():
    result = sealed_result()
    first, second = ({e.criterion for e in r.entries} for r in result.rounds[:2])
    columns = evolution(result).columns
    links = [k for k in evolution(result).links if k.x1 == columns[0].x and not k.rewrite]
    assert len(links) == len(first & second) > 0


def test_the_rounds_in_numbers_add_up():
    for column, record in zip(evolution(sealed_result()).columns, sealed_result().rounds, strict=True):
        assert column.kept + column.refined + column.replaced == len(record.entries)
        assert column.candidates == record.candidates


def test_the_heat_map_holds_each_pair_of_criteria_once_and_its_diagonal():
    drawn, n = heat_map(sealed_result()), len(sealed_result().criteria_set.members)
    assert len(drawn.cells) == n * (n + 1) // 2
    assert [c.strength for c in drawn.cells if c.x - 216 == c.y - 26] == [1.0] * n
    assert drawn.written


def test_a_large_set_still_fits_the_page():
    result = sealed_result()
    many = result.criteria_set.model_copy(update={"members": result.criteria_set.members * 10})
    wide = tuple(row * 10 for row in result.correlation) * 10
    drawn = heat_map(result.model_copy(update={"criteria_set": many, "correlation": wide}))
    assert drawn.width < 1000
    assert not drawn.written


def test_honest_votes_come_first_and_mining_is_marked():
    drawn = vote_strips(sealed_result())
    assert [s.honest for s in drawn.strips] == [True, True, False, False]
    assert all(s.low <= s.x <= s.high for s in drawn.strips)


def test_without_held_out_pairs_only_mining_is_drawn():
    assert [s.honest for s in vote_strips(unsealed_result()).strips] == [False, False]


def test_a_criterion_tells_its_way_through_the_rounds():
    for view in criteria_views(sealed_result()):
        assert view.story
        assert all(line.startswith("Round ") for line in view.story)
        assert view.why
        assert view.held_out is not None


def test_a_rewrite_tells_what_it_was_before():
    rewrites = [v for v in criteria_views(crossfit_result()) if v.origin == "rewritten"]
    hashes = {m.criterion.hash for m in crossfit_result().criteria_set.members}
    entries = {e.criterion: e for r in crossfit_result().rounds for e in r.entries}
    assert len(rewrites) == sum(entries[h].origin == "rewrite" for h in hashes if h in entries)
    for view in rewrites:
        parent = entries[entries[view.member.criterion.hash].parent].name
        assert parent in view.story[0]


def test_criteria_that_vote_alike_name_one_another():
    views = {v.name: v for v in criteria_views(unsealed_result())}
    for found in unsealed_result().redundant:
        assert found.second in views[found.first].redundant_with
        assert found.first in views[found.second].redundant_with
    assert unsealed_result().redundant


def test_each_opinion_on_a_hard_pair_stands_under_the_text_it_is_for():
    for pair, view in zip(sealed_result().hardest, pair_views(sealed_result().hardest), strict=True):
        a, b = view.sides
        assert {o.verdict for o in a.opinions} <= {"A"}
        assert {o.verdict for o in b.opinions} <= {"B"}
        assert len(a.opinions) + len(b.opinions) + len(view.silent) == len(pair.opinions)
        assert a.probability + b.probability == pytest.approx(1)
        assert (a.preferred, b.preferred) == (pair.preferred == "a", pair.preferred == "b")


def test_a_giant_text_is_cut():
    pair = sealed_result().hardest[0].model_copy(update={"a": "x" * 1_000_000})
    assert len(pair_views([pair])[0].sides[0].text) < TEXT_LIMIT + 100
