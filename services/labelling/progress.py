"""Where a labelling stands, read from one row: anyone who can read the database can watch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from knowledge_base.errors import RunError
from services.database import Database
from services.labelling.tables import LabellingRow


class LabelProgress(BaseModel):
    """Where a labelling stands.

    Attributes:
        status: see `LabellingRow`; fault: why it failed.
        pairs, done: pairs, and those that have a label.
        asked: judgments made for them; reused: those that were there; saved: those that early stopping left out.
        seconds: spent on it by commands that have ended.
    """

    model_config = ConfigDict(frozen=True)

    status: str
    fault: str
    pairs: int
    done: int
    asked: int
    reused: int
    saved: int
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether every pair has its label."""
        return self.done >= self.pairs


def label_progress(database: Database, labelling: str) -> LabelProgress:
    """Where a labelling stands now.

    Raises:
        RunError: there is none with this id.
    """
    columns = [getattr(LabellingRow, name) for name in LabelProgress.model_fields]
    with database.read() as connection:
        row = connection.execute(select(*columns).where(LabellingRow.id == labelling)).one_or_none()
    if row is None:
        raise RunError(f"labelling {labelling!r} is not in this database; run `touchstone label` again")
    return LabelProgress.model_validate(row._asdict())
