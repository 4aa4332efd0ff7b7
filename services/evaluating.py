"""An evaluation over the judgment store: what was ever answered is not asked, and what is answered now is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from sqlalchemy import update

from agents.chat.accounts import charging
from agents.criteria_set import CriteriaSet
from agents.judgments import REUSABLE, Ask, Judgment
from agents.pairs import Dataset
from agents.panel import first_look, turned
from services.database import Database, insert_new
from services.evaluation import Evaluation, evaluate
from services.labelling.answer_store import AnswerStore
from services.parties import Parties
from services.settings import Settings
from services.tables import JudgmentRow, PairRow

ASKER = "evaluation"
"""Who asked, as the store tells it: evaluations share what they know."""


class StoredAnswers:
    """`services.evaluation.Answers` in the judgment store."""

    def __init__(self, database: Database, dataset: Dataset) -> None:
        self._database, self._store = database, AnswerStore(database, ASKER)
        with database.write(alone=False) as connection:
            rows = [{"hash": p.hash, "prompt": p.prompt, "a": p.a, "b": p.b} for p in dataset.pairs]
            insert_new(connection, PairRow, rows)

    def known(self, asks: Sequence[Ask]) -> Mapping[str, Judgment]:
        """Evidence only: what failed before is asked again."""
        stored = self._store.stored(asks)
        return {key: judgment for key, (judgment, _) in stored.items() if judgment.status in REUSABLE}

    def keep(self, answers: Sequence[tuple[Ask, Judgment]]) -> None:
        """Write them through, over what an earlier evaluation could not get."""
        row, keys = JudgmentRow, [ask.key for ask, _ in answers]
        missed = (row.key.in_(keys), row.asked_by == ASKER, row.status.not_in(["missing", *REUSABLE]))
        with self._database.write() as connection:
            # As missing evidence of nobody in particular, it is replaced.
            connection.execute(update(row).where(*missed).values(asked_by=""))
        self._store.keep(answers, {})


def evaluate_stored(
    database: Database, parties: Parties, settings: Settings, criteria_set: CriteriaSet, dataset: Dataset
) -> Evaluation:
    """`services.evaluation.evaluate` with the parties of a deployment, charged as an evaluation.

    Raises:
        InputError: nobody can judge by any of the criteria.
    """
    panel = parties.panel()
    with ExitStack() as stack:
        if panel.free:
            return evaluate(criteria_set, dataset, parties.workers(), panel)
        from services.budget import Budget
        from services.sql_account import SqlAccount

        account = SqlAccount(database, ASKER, settings.price_table, Budget(), "evaluate")
        stack.enter_context(charging(stack.enter_context(account)))
        answers = StoredAnswers(database, dataset)
        return evaluate(criteria_set, dataset, parties.workers(), panel, answers)


def expected_calls(database: Database, parties: Parties, criteria_set: CriteriaSet, dataset: Dataset) -> int:
    """Judgments that an evaluation would have to ask for at most; 0 where they cost nothing."""
    panel, judges = parties.panel(), parties.workers()
    if panel.free:
        return 0
    able = [c for c in criteria_set.criteria if all(judge.can_judge(c) for judge in judges)]
    firsts = {p.hash: first_look(p.hash, panel.symmetric) for p in dataset.pairs}
    orders = {pair: (first, turned(first)) for pair, first in firsts.items()}
    asks = [ask for pair, both in orders.items() for c in able for ask in panel.asks(c.hash, pair, both)]
    return len(asks) - len(StoredAnswers(database, dataset).known(asks))
