"""A thread that wants every criterion on every pair, whose judgments a test hands out and answers by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from letter_parties import letter_criterion, letter_dataset, letter_judgment
from sqlalchemy import select, update
from workbench import SMALL, new_run

from agents.judge import Question
from agents.judgments import Ask
from services.batches import hand_out, hand_out_again
from services.database import Database
from services.run_config import RunConfig
from services.sql_ledger import SqlLedger, keep_answers
from services.tables import JudgmentRow, ThreadRow

CRITERIA = [letter_criterion(letter) for letter in "abcde"]
DATASET = letter_dataset(12)


class Desk:
    """A thread that wants every criterion on every pair."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.run = new_run(self.database, DATASET)
        self.thread = f"{self.run}-main"
        self.ledger = SqlLedger(self.database, self.run, self.thread)
        self.ledger.remember(CRITERIA)
        pairs = [p.hash for p in DATASET.pairs]
        self.ledger.want([Ask(judge="letters/1", criterion=c.hash, pair=p) for p in pairs for c in CRITERIA])
        numbers = count()
        self.new: Callable[[], str] = lambda: f"judge-t-{next(numbers)}"

    def hand_out(self, size: int = 20, parts: int = 1) -> list[str]:
        return hand_out(self.database, self.thread, size, self.new, parts)

    def fellow(self, config: RunConfig = SMALL, name: str = "main") -> SqlLedger:
        """The ledger of a thread that wants the very same."""
        run = new_run(self.database, DATASET, config)
        ledger = SqlLedger(self.database, run, f"{run}-{name}")
        ledger.remember(CRITERIA)
        pairs = [p.hash for p in DATASET.pairs]
        ledger.want([Ask(judge="letters/1", criterion=c.hash, pair=p) for p in pairs for c in CRITERIA])
        return ledger

    def stand(self, thread: str, **columns: str) -> None:
        """Have a thread stand so."""
        with self.database.write() as connection:
            connection.execute(update(ThreadRow).where(ThreadRow.id == thread).values(**columns))

    def attempts(self, batches: list[str]) -> list[int]:
        """Attempts of what is missing of these batches."""
        query = select(JudgmentRow.attempts).where(JudgmentRow.status == "missing", JudgmentRow.batch.in_(batches))
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def again(self, dead: list[str], size: int = 20, attempts: int = 3) -> list[str]:
        return hand_out_again(self.database, dead, size, attempts, self.new)

    def answer(self, questions: list[Question]) -> None:
        said = [letter_judgment(a.key, c.name.removeprefix("Letters "), p) for a, c, p in questions]
        keep_answers(self.database, said)

    def statuses(self) -> list[str]:
        with self.database.read() as connection:
            return sorted(connection.execute(select(JudgmentRow.status)).scalars())
