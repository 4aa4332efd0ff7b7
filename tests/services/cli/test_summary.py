"""What the terminal says of a finished run: notes, warnings, and no figure where nothing is known."""

from __future__ import annotations

import io

import pytest
from report_cases import sealed_result, unsealed_result
from rich.console import Console

from agents.outcome import VoteAccuracy
from services.cli.summary import ENOUGH, print_summary, told, too_few
from services.report import report_html
from services.run_facts import AgreementFact
from services.run_result import RunResult

NOTHING = VoteAccuracy(
    kind="test", n=7, ties=0, decided=0, right=0, accuracy=0.5, coverage=0.0, effective=0.0, low=0.0, high=1.0
)


def summary(result: RunResult) -> str:
    out = io.StringIO()
    print_summary(result, Console(file=out, width=1000))
    return out.getvalue()


def with_facts(**facts: object) -> RunResult:
    result = sealed_result()
    return result.model_copy(update={"facts": result.facts.model_copy(update=facts)})


def undecided() -> RunResult:
    return sealed_result().model_copy(update={"held_out_weighted": NOTHING, "held_out_majority": NOTHING})


def test_the_notes_of_the_reading_are_shown():
    assert "note: a note on the file\n" in summary(sealed_result())


def test_a_note_cannot_draw_on_the_terminal():
    assert "\x1b" not in summary(with_facts(notes=("red \x1b[31m",)))


def test_agreement_is_shown_with_alpha_interval_and_what_it_rests_on():
    fact = AgreementFact(alpha=0.614, low=0.5, high=0.72, raw=0.83, pairs=60, votes=180)
    said = summary(with_facts(agreement=fact))
    assert "83%" in said
    assert "alpha 0.61, 95% interval 0.50 to 0.72 (180 votes on 60 pairs)" in said


@pytest.mark.parametrize(("alpha", "words"), [(None, "alpha is not known (4"), (0.2, "0.20, 95% interval not known")])
def test_agreement_that_could_not_be_computed_is_not_known(alpha, words):
    fact = AgreementFact(alpha=alpha, low=None, high=None, raw=1.0, pairs=2, votes=4)
    assert words in summary(with_facts(agreement=fact))


def test_nothing_is_said_of_agreement_where_nobody_voted_twice():
    assert "alpha" not in summary(with_facts(agreement=None))


def test_an_accuracy_over_no_decided_pairs_is_not_known():
    assert told(NOTHING) == "not known, none of 7 decided"
    said = summary(undecided())
    assert "weighted vote   sealed pairs: not known" in said
    assert "plain majority  sealed pairs: not known" in said
    assert "how far they agree with people is not known" in said


def test_the_report_gives_no_figure_where_no_pair_was_decided():
    page = report_html(undecided())
    tiles = page[page.index('<dl class="figures">') : page.index("Coverage</dt>")]
    assert tiles.count("not known") == 2
    assert "%" not in tiles
    assert page.count("not known, none of 7 decided") == 2


@pytest.mark.parametrize(("decided", "warned"), [(0, True), (ENOUGH - 1, True), (ENOUGH, False), (1000, False)])
def test_too_few_decided_pairs_are_warned_of(decided, warned):
    assert bool(too_few(decided)) is warned
    assert str(decided) in too_few(decided) or not warned


def test_the_summary_warns_of_too_few_pairs_and_of_nothing_where_there_are_enough():
    assert "WARNING: only 1" in summary(unsealed_result())
    assert "WARNING" not in summary(sealed_result())
