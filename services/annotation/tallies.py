"""How the votes that stand on a pair add up, kept beside the pair so that nothing is counted twice to find work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select, update

from services.annotation.dataset import Repeats
from services.annotation.moment import Held
from services.annotation.standing import standing
from services.annotation.tables import OpenPairRow, VoteRow

CHUNK = 500
"""Values in one IN list, well under the parameter limits of both databases."""

T = TypeVar("T")


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The values in slices."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def votes_on(connection: Connection, dataset: str, pairs: Sequence[str]) -> dict[str, list[Any]]:
    """Every vote and withdrawal on these pairs (at most `CHUNK`), by pair."""
    row = VoteRow
    looked_at = (row.id, row.pair, row.annotator, row.choice, row.at, row.upload, row.withdraws)
    found: dict[str, list[Any]] = defaultdict(list)
    for vote in connection.execute(select(*looked_at).where(row.dataset == dataset, row.pair.in_(pairs))):
        found[vote.pair].append(vote)
    return found


def recount_all(held: Held, repeats: Repeats) -> None:
    """Count anew what stands on every pair, now that another of one person's votes does."""
    row = VoteRow
    voted = held.connection.execute(select(row.pair).distinct().where(row.dataset == held.id))
    recount(held, [vote.pair for vote in voted], repeats)


def recount(held: Held, pairs: Iterable[str], repeats: Repeats | None = None) -> None:
    """Count anew what stands on these pairs. One that was answered without being drawn is not fresh any more.

    Args:
        repeats: which of one person's votes stands; None: as the dataset has it.
    """
    repeats = repeats or held.sampling.repeats
    for some in chunks(sorted(set(pairs))):
        cast = votes_on(held.connection, held.id, some)
        rows = [{"at_pair": pair} | sums(standing(votes, repeats)) for pair, votes in cast.items()]
        if rows:
            held.connection.execute(_counted(held.id), rows)
        row = OpenPairRow
        answered = update(row).where(row.dataset == held.id, row.pair.in_(some), row.state == "fresh", row.voters > 0)
        held.connection.execute(answered.values(state="known", known=held.row.draws))


def _counted(dataset: str) -> Any:
    table: Any = OpenPairRow.__table__
    here = (table.c.dataset == dataset, table.c.pair == bindparam("at_pair"))
    names = ("voters", "for_a", "for_b", "ties")
    return update(table).where(*here).values(**{name: bindparam(f"new_{name}") for name in names})


def sums(votes: Sequence[Any]) -> dict[str, int]:
    """People who voted (each nameless vote counts as one) and their votes."""
    named = {vote.annotator for vote in votes if vote.annotator}
    nameless = sum(not vote.annotator for vote in votes)
    counts = {choice: sum(vote.choice == choice for vote in votes) for choice in ("a", "b", "tie")}
    return {
        "new_voters": len(named) + nameless, "new_for_a": counts["a"], "new_for_b": counts["b"],
        "new_ties": counts["tie"],
    }  # fmt: skip
