"""What managers draw on: the catalogue and every approved entry, as one index that all processes agree on.

The knowledge base is a function of the catalogue and of the approved entries alone, so two processes that read the
same rows have the same, to the bit. It is told from others by the digest of its criteria, which the fingerprint of a
manager ends up with and so every run holds. What a base consisted of is kept under that digest: a run goes on with the
base it began with, however many entries are approved or withdrawn meanwhile.

An entry that came back with an approved set is left out while another one says the same in nearly the same words and
is judged the same way: refreshes reword, and a base full of copies would crowd everything else out. What somebody
approved by hand is never left out.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import exists, func, select

from knowledge_base.criterion import Criterion
from knowledge_base.entries import criteria_digest, load_catalogue
from knowledge_base.errors import IntegrityError
from services.database import Database, insert_new
from services.knowledge.listing import chunks
from services.knowledge.tables import KnowledgeRow, PriorDecisionRow, PriorRow
from services.tables import CriterionRow

if TYPE_CHECKING:
    from knowledge_base.index import Index

SHORT = 12
"""Digits of a base's digest in the fingerprint of a manager."""

REMEMBERED = 4
"""Earlier bases that a process keeps ready for the runs that began with them."""


def knowledge(database: Database, home: Path) -> Index:
    """The knowledge base as it stands.

    Args:
        database: where the entries are.
        home: folder of the deployment; vectors are kept in `index` under it, so that only new words are embedded.
    """
    return Library(database, home).current()


class Library:
    """The knowledge base for a process that asks for it again and again.

    Args:
        database, home: as for `knowledge`.
    """

    def __init__(self, database: Database, home: Path) -> None:
        self._database, self._folder = database, home / "index"
        self._lock = threading.RLock()
        self._decided = -1
        self._current: Index | None = None
        self._earlier: OrderedDict[str, Index] = OrderedDict()

    def current(self) -> Index:
        """The base as it stands now; the same object until something is decided about an entry."""
        with self._lock:
            decided = self._decisions()
            if self._current is None or decided != self._decided:
                self._current, self._decided = self._made(), decided
            return self._current

    def named_in(self, fingerprint: str) -> Index | None:
        """The base that a manager's fingerprint names by the first 12 digits of its digest.

        Returns:
            None where it names none that this database knows.

        Raises:
            IntegrityError: what is kept of the base does not have its digest.
        """
        digest = self._digest_in(fingerprint)
        if not digest:
            return None
        with self._lock:
            current = self.current()
            if criteria_digest(current.criteria) == digest:
                return current
            if digest not in self._earlier:
                self._earlier[digest] = self._restored(digest, current)
                if len(self._earlier) > REMEMBERED:
                    self._earlier.popitem(last=False)
            self._earlier.move_to_end(digest)
            return self._earlier[digest]

    def _decisions(self) -> int:
        """How often anything was decided: decisions are only ever added, so an equal count means equal entries."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(PriorDecisionRow)).scalar_one())

    def _made(self) -> Index:
        from knowledge_base.index import Index

        returned, chosen = self._approved()
        everything = Index.load_or_build([*load_catalogue(), *chosen, *returned], self._folder)
        known = _vectors(everything)
        members = [*load_catalogue(), *chosen]
        members += _fresh(members, returned, everything)
        made = Index.build(members, known) if len(members) < len(everything.criteria) else everything
        self._keep(made)
        return made

    def _approved(self) -> tuple[list[Criterion], list[Criterion]]:
        """Approved entries in the order in which they were added: those of sets alone, and those of people.

        An entry of a set that somebody approved again after withdrawing it is a person's choice.
        """
        again = exists().where(PriorDecisionRow.entry == PriorRow.digest, PriorDecisionRow.number > 1)
        query = select(PriorRow.body, PriorRow.source, again.label("again")).where(PriorRow.status == "approved")
        returned: list[Criterion] = []
        chosen: list[Criterion] = []
        with self._database.read() as connection:
            for body, source, by_hand in connection.execute(query.order_by(PriorRow.at, PriorRow.digest)):
                kind = returned if source == "set" and not by_hand else chosen
                kind.append(Criterion.model_validate_json(body))
        return returned, chosen

    def _keep(self, index: Index) -> None:
        """Have what the base consists of on record before any run can name it."""
        digest = criteria_digest(index.criteria)
        with self._database.read() as connection:
            if connection.execute(select(KnowledgeRow.digest).where(KnowledgeRow.digest == digest)).first():
                return
        from services.knowledge.adding import digest_of

        bodies = [{"digest": digest_of(c), "hash": c.hash, "body": c.model_dump_json()} for c in index.criteria]
        members = json.dumps([body["digest"] for body in bodies])
        row = {"digest": digest, "short": digest[:SHORT], "members": members, "at": time.time()}
        with self._database.write() as connection:
            insert_new(connection, CriterionRow, bodies)
            insert_new(connection, KnowledgeRow, [row])

    def _digest_in(self, fingerprint: str) -> str:
        named = re.findall(rf"(?<![0-9a-f])[0-9a-f]{{{SHORT}}}(?![0-9a-f])", fingerprint)
        query = select(KnowledgeRow.digest).where(KnowledgeRow.short.in_(named)).order_by(KnowledgeRow.at.desc())
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).scalar() or "" if named else ""

    def _restored(self, digest: str, current: Index) -> Index:
        from knowledge_base.index import Index

        with self._database.read() as connection:
            listed = select(KnowledgeRow.members).where(KnowledgeRow.digest == digest)
            wanted: list[str] = json.loads(connection.execute(listed).scalar_one())
            bodies: list[str] = []
            for some in chunks(wanted):
                query = select(CriterionRow.body).where(CriterionRow.digest.in_(some))
                bodies += connection.execute(query).scalars()
        criteria = [Criterion.model_validate_json(body) for body in bodies]
        if criteria_digest(criteria) != digest:
            told = f"the knowledge base {digest[:SHORT]} that this run began with is not in the database as it was"
            raise IntegrityError(f"{told}: {len(bodies)} of {len(wanted)} criteria are there; start a new run")
        return Index.build(criteria, _vectors(current))


def _vectors(index: Index) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    from knowledge_base.index import words_digest

    return dict(zip(map(words_digest, index.criteria), index.vectors, strict=True))


def _fresh(members: Sequence[Criterion], returned: Sequence[Criterion], index: Index) -> list[Criterion]:
    """Of what came back with sets, what no member says already; the earlier of two that say the same stays."""
    from knowledge_base.retrieval import SAME_MEANING

    rows = {c.hash: index.vectors[row] for row, c in enumerate(index.criteria)}
    kept = list(members)
    for criterion in returned:
        # Only what is judged the same way can be a copy, which leaves little to compare.
        rivals = [rows[c.hash] for c in kept if _judged(c) == _judged(criterion) and c.hash != criterion.hash]
        if not rivals or float((np.stack(rivals) @ rows[criterion.hash]).max()) < SAME_MEANING:
            kept.append(criterion)
    return kept[len(members) :]


def _judged(criterion: Criterion) -> tuple[str, str, float]:
    """How signals judge by it; a criterion in words alone is judged by its words."""
    return criterion.expression, criterion.direction if criterion.expression else "", criterion.margin
