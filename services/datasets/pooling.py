"""Rows about the same two texts, made into one pair with all of their votes.

Two rows are about the same pair if they show the same two texts under the same prompt, in either order. Their votes are
pooled. If every row states the same answer, it stands; if rows contradict each other, or some only have votes, the
pooled votes are aggregated. The first row gives the sides, the id, the group and the weight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from agents.pairs import Preference, Vote
from services.datasets.allowance import Allowance
from services.datasets.ballots import mirrored, other_side, plain
from services.datasets.drafts import PairDraft
from services.datasets.faults import Fault
from services.datasets.record import byte_size


@dataclass(slots=True)
class Pooled:
    """One pair and what its rows say.

    Attributes:
        draft: the first row.
        votes: every vote, one for each row that only states an answer.
        stated: the answer that every row states; None if they differ or one states none.
        listed: whether any row lists votes or names its annotator.
        rows: number of rows.
        contested: whether two rows state different answers.
        regrouped: whether a later row gives another group.
        reasons: reasons that rows give beside a list of votes; other reasons are in the votes.
        given: (annotator, answer) of every named vote, once a second row has come.
    """

    draft: PairDraft
    votes: list[Vote]
    stated: Preference | None
    listed: bool
    rows: int = 1
    contested: bool = False
    regrouped: bool = False
    reasons: tuple[str, ...] = ()
    given: set[tuple[str, str]] | None = None


class PairPool:
    """Distinct pairs in the order of their first rows.

    Args:
        file: file name, for faults.
        allowance: counts what is taken in.
    """

    def __init__(self, file: str, allowance: Allowance) -> None:
        self._file = file
        self._allowance = allowance
        self._pairs: dict[bytes, Pooled] = {}
        self._ids: dict[str, bytes] = {}

    def add(self, draft: PairDraft) -> Fault | None:
        """Take in one row; gives back a fault if its id already belongs to another pair.

        Raises:
            InputError: the allowance is used up.
        """
        self._allowance.row(_size(draft), len(draft.votes))
        key = _key(draft)
        if draft.id and self._ids.setdefault(draft.id, key) != key:
            remedy = "give each pair its own id, or leave ids out"
            return Fault(self._file, draft.row, "id", f'"{draft.id[:60]}" again, for other texts', remedy)
        known = self._pairs.get(key)
        if known is None:
            self._allowance.item(len(self._pairs) + 1)
            self._pairs[key] = _opened(draft)
        else:
            _merge(known, draft if draft.a == known.draft.a else _swapped(draft))
        return None

    def pairs(self) -> list[Pooled]:
        """The distinct pairs."""
        return list(self._pairs.values())


def _opened(draft: PairDraft) -> Pooled:
    listed = bool(draft.votes or draft.annotator)
    return Pooled(draft, list(_votes(draft)), draft.preferred, listed, reasons=_loose_reason(draft))


def _merge(known: Pooled, draft: PairDraft) -> None:
    """Add a row with the same sides to a pair. A named annotator who repeats an answer is counted once."""
    if known.given is None:
        known.given = _named(known.votes)
    new = [vote for vote in _votes(draft) if (vote.annotator, vote.preferred) not in known.given]
    known.votes.extend(new)
    known.given |= _named(new)
    known.rows += 1
    known.listed = known.listed or bool(draft.votes or draft.annotator)
    answers = {known.stated, draft.preferred}
    known.contested = known.contested or len(answers - {None}) > 1
    known.stated = draft.preferred if len(answers) == 1 else None
    known.regrouped = known.regrouped or draft.group != known.draft.group
    known.reasons += tuple(reason for reason in _loose_reason(draft) if reason not in known.reasons)


def _votes(draft: PairDraft) -> tuple[Vote, ...]:
    """The votes of a row; its stated answer is one if it lists none."""
    if draft.votes or draft.preferred is None:
        return draft.votes
    if draft.reason:
        return (Vote(preferred=draft.preferred, annotator=draft.annotator, reason=draft.reason),)
    return (plain(draft.preferred, draft.annotator),)


def _loose_reason(draft: PairDraft) -> tuple[str, ...]:
    """The reason of a row whose votes do not carry it."""
    return (draft.reason,) if draft.reason and draft.votes else ()


def _named(votes: Iterable[Vote]) -> set[tuple[str, str]]:
    return {(vote.annotator, vote.preferred) for vote in votes if vote.annotator}


def _swapped(draft: PairDraft) -> PairDraft:
    draft.a, draft.b = draft.b, draft.a
    draft.votes = mirrored(draft.votes)
    draft.preferred = other_side(draft.preferred) if draft.preferred else None
    return draft


def _key(draft: PairDraft) -> bytes:
    return digest(draft.prompt, *sorted((draft.a, draft.b)))


def digest(*texts: str) -> bytes:
    """16 bytes that stand for the texts and their order."""
    seen = hashlib.blake2b(digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        seen.update(len(data).to_bytes(8, "big") + data)
    return seen.digest()


def _size(draft: PairDraft) -> int:
    texts = (draft.a, draft.b, draft.prompt, draft.reason, *(vote.reason for vote in draft.votes if vote.reason))
    return sum(map(byte_size, texts))
