"""Single texts judged by a criterion: one judgment each, under a key of contents, unsure where the model is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from made_up import criterion
from made_up_model import MadeUpModel, always, blocks_of, verdict_reply

from agents.chat.endpoint import Call
from agents.chat.point_judge import PointJudge, PointJudgment, PointQuestion
from agents.chat.text_limit import TextLimit
from agents.pairs import Point
from knowledge_base.criterion import Criterion
from knowledge_base.errors import BadCall, EndpointClosed, InputError, TransientFault

CRITERIA = [criterion(f"criterion {i}") for i in range(3)]
POINTS = [Point(id=str(i), text=f"Text number {i}.", label=i % 2, prompt="Why?" * (i % 2)) for i in range(5)]
GRID: list[PointQuestion] = [(c, p) for p in POINTS for c in CRITERIA]


def point_judge(model: MadeUpModel | None = None, language: str = "en", in_flight: int = 8) -> PointJudge:
    return PointJudge(model or MadeUpModel(), secret=b"known to no text", language=language, in_flight=in_flight)


def answers(judge: PointJudge, questions: Sequence[PointQuestion]) -> list[PointJudgment]:
    async def collect() -> list[PointJudgment]:
        return [judgment async for judgment in judge.answer(questions)]

    return asyncio.run(collect())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_gets_one_judgment_that_names_it(language: str) -> None:
    found = answers(point_judge(language=language), GRID)
    assert sorted((j.criterion, j.point) for j in found) == sorted((c.hash, p.hash) for c, p in GRID)
    assert {j.status for j in found} == {"decided"}
    assert len({j.key for j in found}) == len(GRID)


def test_nothing_asked_is_nothing_answered() -> None:
    assert answers(point_judge(), []) == []


def test_answers_do_not_depend_on_what_else_is_asked() -> None:
    together = {j.key: j for j in answers(point_judge(), GRID)}
    for one in GRID[::4]:
        alone = answers(point_judge(), [one])[0]
        assert together[alone.key] == alone


@pytest.mark.parametrize(
    ("said", "status"), [("yes", "decided"), ("no", "decided"), ("unsure", "abstained"), ("perhaps", "invalid")]
)
def test_what_the_model_says_is_what_is_kept(said: str, status: str) -> None:
    judgment = answers(point_judge(MadeUpModel(always(said))), GRID[:1])[0]
    assert (judgment.status, judgment.verdict) == (status, said if status == "decided" else "unsure")


@pytest.mark.parametrize("error", [BadCall("too long"), TransientFault("503")])
def test_a_call_that_does_not_succeed_is_failed(error: Exception) -> None:
    def says(call: Call) -> str:
        if blocks_of(call)["text"] == POINTS[0].text:
            raise error
        return verdict_reply("yes")

    found = answers(point_judge(MadeUpModel(says)), GRID)
    assert [j.status for j in found].count("failed") == 3
    assert {j.rationale for j in found if j.status == "failed"} == {str(error)}


def test_a_closed_endpoint_is_raised() -> None:
    def says(call: Call) -> str:
        raise EndpointClosed("401")

    with pytest.raises(EndpointClosed):
        answers(point_judge(MadeUpModel(says)), GRID)


def test_the_label_is_not_shown_and_does_not_count() -> None:
    other = POINTS[0].model_copy(update={"label": 1 - POINTS[0].label, "id": "another"})
    by: Criterion = CRITERIA[0]
    assert answers(point_judge(), [(by, POINTS[0])]) == answers(point_judge(), [(by, other)])


def test_a_long_text_is_cut_and_the_judgment_says_so() -> None:
    judge = PointJudge(MadeUpModel(), secret=b"s", limit=TextLimit(100))
    long = Point(id="1", text="Word after word. " * 200, label=1)
    assert [answers(judge, [(CRITERIA[0], p)])[0].truncated for p in (long, POINTS[0])] == [True, False]


def test_no_more_calls_than_allowed_are_in_flight() -> None:
    model = MadeUpModel(seconds=0.001)
    answers(point_judge(model, in_flight=3), GRID)
    assert model.most == 3


def test_the_fingerprint_is_that_of_no_other_judge() -> None:
    limited = PointJudge(MadeUpModel(), secret=b"s", limit=TextLimit(100))
    found = {point_judge().fingerprint, point_judge(language="zh").fingerprint, limited.fingerprint}
    assert len(found) == 3
    assert point_judge().fingerprint in found


@pytest.mark.parametrize("options", [{"language": "xx"}, {"in_flight": 0}])
def test_what_no_judge_can_work_with_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        point_judge(**options)  # type: ignore[arg-type]  # one of two options
