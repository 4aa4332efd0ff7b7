"""Searching the knowledge base by meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from knowledge_base.criterion import Criterion, Domain
from knowledge_base.entries import load_catalogue
from knowledge_base.errors import InputError
from services.database import Database
from services.knowledge.entry import CriterionEvidence, Value
from services.knowledge.holdings import knowledge
from services.knowledge.listing import evidence_of

LONGEST_QUERY = 2000
MOST = 100


class Found(Value):
    """A criterion found.

    Attributes:
        criterion: with its provenance.
        relevance: cosine of its words with the query, in [-1, 1], plus up to .15 for its importance in the domain.
        origin: `catalogue` if it comes with the project, `entry` if it was added.
        evidence: how it did in approved sets, oldest first.
    """

    criterion: Criterion
    relevance: float
    origin: Literal["catalogue", "entry"]
    evidence: tuple[CriterionEvidence, ...]


def search(database: Database, home: Path, text: str, domain: Domain | None = None, n: int = 10) -> tuple[Found, ...]:
    """The `n` criteria that managers draw on nearest to a text, most relevant first.

    Args:
        database, home: as for `services.knowledge.holdings.knowledge`.
        text: what is looked for, 1 to 2000 characters.
        domain: lifts criteria that matter there.
        n: how many at most, 1 to 100.

    Raises:
        InputError: the text or `n` cannot be used.
    """
    from knowledge_base.retrieval import retrieve

    if not text.strip() or len(text) > LONGEST_QUERY:
        raise InputError(f"the search text has {len(text):,} characters; give 1 to {LONGEST_QUERY:,}")
    if not 1 <= n <= MOST:
        raise InputError(f"n is {n}; give 1 to {MOST}")
    hits = retrieve(knowledge(database, home), [text], n, domain=domain, diversity=0.0)
    shipped = {c.hash for c in load_catalogue()}
    with database.read() as connection:
        known = evidence_of(connection, [hit.criterion.hash for hit in hits])
    return tuple(
        Found(
            criterion=hit.criterion, relevance=round(hit.relevance, 4),
            origin="catalogue" if hit.criterion.hash in shipped else "entry",
            evidence=known.get(hit.criterion.hash, ()),
        )
        for hit in hits
    )  # fmt: skip
