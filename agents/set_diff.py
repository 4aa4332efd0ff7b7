"""What changed between two criteria sets, criterion by criterion and with the reason: what a person approves by.

A criterion of the one set is the same as one of the other, in this order of trust: its content is the same; a run
rewrote the one into the other; they share a name (managers rewrite under the old name); they are bound to the same
expression; their words are close in meaning. Each criterion is matched at most once, the surest matches first, and
exchanging the two sets exchanges every match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.chronicle import RoundRecord
from agents.criteria_set import CriteriaSet, Member
from agents.word_edits import Edit, edits

Basis = Literal["content", "rewrite", "name", "expression", "meaning", "none"]

CLOSE = 0.87
"""Cosine of the words at and above which two criteria count as one, reworded. The two closest criteria of the
catalogue, which differ, stand at .86; a light rewording stands near .98."""

COMPARED = ("name", "description", "not_when", "expression", "direction", "margin")
"""What a judge sees of a criterion."""

_TOLD: dict[Basis, str] = {
    "content": "unchanged",
    "rewrite": "rewritten by the run",
    "name": "worded anew under the same name",
    "expression": "worded anew over the same expression",
    "meaning": "close in meaning",
}

_Match = tuple[int, int, Basis, float]
"""Positions in the old and the new set, what they are matched by, and the cosine of their words (0: not looked at)."""


class Standing(BaseModel):
    """A criterion as it stands in one of the sets.

    Attributes:
        hash: of its content; `name` to `margin`: its content.
        rank: 1 for the strongest of its set; weight: log-odds of its vote.
        right, decided, asked: mining pairs, ties left out; accuracy: right / decided, None where nothing was decided.
        shrunken, low, high: posterior mean accuracy and its 95 % credible interval.
        coverage: decided / asked, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    name: str
    description: str
    not_when: str
    expression: str
    direction: str
    margin: float
    rank: int
    weight: float
    right: int
    decided: int
    asked: int
    accuracy: float | None
    shrunken: float
    low: float
    high: float
    coverage: float


class Change(BaseModel):
    """What became of a criterion.

    Attributes:
        before, after: how it stands in the old and in the new set; one of them is None where it is dropped or new.
        basis: by what the two were found to be the same; `none` where it is dropped or new.
        similarity: cosine of the words where `basis` is `meaning`, else None.
        reason: why, in a sentence.
        edits: for each field that differs, its words: the same, removed or added.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: Standing | None
    after: Standing | None
    basis: Basis
    similarity: float | None = None
    reason: str
    edits: dict[str, tuple[Edit, ...]] = {}

    @property
    def name(self) -> str:
        """Of the criterion, the new name if there are two."""
        standing = self.after or self.before
        return standing.name if standing else ""


class SetDiff(BaseModel):
    """From an old to a new set: kept + reworded + dropped is the old one, kept + reworded + new the new one.

    Changes stand in the order of the new set, dropped ones in that of the old set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    old_version: str
    new_version: str
    kept: tuple[Change, ...]
    reworded: tuple[Change, ...]
    dropped: tuple[Change, ...]
    new: tuple[Change, ...]

    @property
    def headline(self) -> str:
        """The four counts in a sentence."""
        counts = (f"{len(getattr(self, kind))} {kind}" for kind in ("kept", "reworded", "dropped", "new"))
        return f"{self.old_version} -> {self.new_version}: {', '.join(counts)}"


def diff_sets(
    old: CriteriaSet,
    new: CriteriaSet,
    why: Mapping[str, str] | None = None,
    parents: Mapping[str, str] | None = None,
) -> SetDiff:
    """Compare two sets.

    Args:
        old, new: in this order.
        why: reasons by criterion hash or name; see `reasons_in`. What is matched is said in any case.
        parents: rewrite -> the criterion it was rewritten from, both as hashes; see `parents_in`.

    Returns:
        Every criterion of both sets once. The embedding model is needed only where criteria of both sets are left that
        nothing but their meaning can match.
    """
    told, found = why or {}, _matched(old, new, parents or {})
    before, after = _standings(old), _standings(new)
    pairs = sorted(found, key=lambda m: (m[1], m[0]))
    both = [_changed(before[i], after[j], basis, cosine, told) for i, j, basis, cosine in pairs]
    gone = [i for i in range(len(before)) if i not in {m[0] for m in found}]
    come = [j for j in range(len(after)) if j not in {m[1] for m in found}]
    return SetDiff(
        old_version=old.version,
        new_version=new.version,
        kept=tuple(c for c in both if c.basis == "content"),
        reworded=tuple(c for c in both if c.basis != "content"),
        dropped=tuple(_alone(before[i], None, told, "not in the new set") for i in gone),
        new=tuple(_alone(None, after[j], told, "not in the old set") for j in come),
    )


def reasons_in(records: Sequence[RoundRecord]) -> dict[str, str]:
    """The last word of a run on each criterion that it assessed, by hash."""
    return {e.criterion: f"round {r.number}, {e.fate}: {e.why}" for r in records for e in r.entries}


def parents_in(records: Sequence[RoundRecord]) -> dict[str, str]:
    """Rewrite -> the criterion it was rewritten from, both as hashes."""
    return {e.criterion: e.parent for r in records for e in r.entries if e.parent}


def _matched(old: CriteriaSet, new: CriteriaSet, parents: Mapping[str, str]) -> list[_Match]:
    sure = _greedy([*_sure(old.members, new.members, parents)], old, new)
    gone = [i for i in range(len(old.members)) if i not in {m[0] for m in sure}]
    come = [j for j in range(len(new.members)) if j not in {m[1] for m in sure}]
    return sure + _greedy(_close(old.members, gone, new.members, come), old, new)


def _sure(old: Sequence[Member], new: Sequence[Member], parents: Mapping[str, str]) -> Iterator[_Match]:
    """Every match that needs no model, by each basis in its turn."""
    ancestors = (
        [_ancestors(m.criterion.hash, parents) for m in old],
        [_ancestors(m.criterion.hash, parents) for m in new],
    )
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            rewrite = one.criterion.hash in ancestors[1][j] or other.criterion.hash in ancestors[0][i]
            basis = _basis(one, other, rewrite=rewrite)
            if basis != "none":
                yield i, j, basis, 0.0


def _basis(one: Member, other: Member, *, rewrite: bool) -> Basis:
    first, second = one.criterion, other.criterion
    if first.hash == second.hash:
        return "content"
    if rewrite:
        return "rewrite"
    if _key(first.name) == _key(second.name):
        return "name"
    same = first.programmatic and (first.expression, first.direction) == (second.expression, second.direction)
    return "expression" if same else "none"


def _close(old: Sequence[Member], gone: Sequence[int], new: Sequence[Member], come: Sequence[int]) -> list[_Match]:
    """Matches by meaning among criteria that nothing else matches."""
    if not gone or not come:
        return []
    from knowledge_base.embedding import embed

    words = embed([old[i].criterion.words for i in gone]), embed([new[j].criterion.words for j in come])
    # Rounded, since a product of matrices may differ in its last bits from that of their transposes.
    cosines = (words[0] @ words[1].T).astype(float).round(4)
    cells = ((i, j, float(cosines[a, b])) for a, i in enumerate(gone) for b, j in enumerate(come))
    return [(i, j, "meaning", cosine) for i, j, cosine in cells if cosine >= CLOSE]


def _greedy(matches: Sequence[_Match], old: CriteriaSet, new: CriteriaSet) -> list[_Match]:
    """Each criterion in at most one match, surest first; ties are settled by content, whichever set is the old one."""
    order: list[Basis] = ["content", "rewrite", "name", "expression", "meaning"]

    def rank(match: _Match) -> tuple[int, float, tuple[str, ...], int, int]:
        i, j, basis, cosine = match
        hashes = sorted((old.members[i].criterion.hash, new.members[j].criterion.hash))
        return order.index(basis), -cosine, tuple(hashes), i + j, abs(i - j)

    taken_old: set[int] = set()
    taken_new: set[int] = set()
    chosen: list[_Match] = []
    for match in sorted(matches, key=rank):
        if match[0] not in taken_old and match[1] not in taken_new:
            taken_old.add(match[0])
            taken_new.add(match[1])
            chosen.append(match)
    return chosen


def _ancestors(criterion: str, parents: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    while (criterion := parents.get(criterion, "")) and criterion not in found:
        found.add(criterion)
    return found


def _changed(before: Standing, after: Standing, basis: Basis, cosine: float, why: Mapping[str, str]) -> Change:
    similarity = cosine if basis == "meaning" else None
    told = _TOLD[basis] + (f" (cosine {cosine:.2f})" if similarity is not None else "")
    given = _given(why, after, before)
    reason = f"{told}; {given}" if given else told
    changed = {f: edits(_shown(before, f), _shown(after, f)) for f in COMPARED if _shown(before, f) != _shown(after, f)}
    return Change(before=before, after=after, basis=basis, similarity=similarity, reason=reason, edits=changed)


def _alone(before: Standing | None, after: Standing | None, why: Mapping[str, str], otherwise: str) -> Change:
    reason = _given(why, *filter(None, (before, after))) or otherwise
    return Change(before=before, after=after, basis="none", reason=reason)


def _given(why: Mapping[str, str], *standings: Standing) -> str:
    """The first reason given for any of these, by hash before name; empty if there is none."""
    named = {_key(name): reason for name, reason in why.items()}
    found = (why.get(s.hash) or named.get(_key(s.name)) for s in standings)
    return next(filter(None, found), "")


def _standings(criteria_set: CriteriaSet) -> list[Standing]:
    return [_standing(rank, member) for rank, member in enumerate(criteria_set.members, start=1)]


def _standing(rank: int, member: Member) -> Standing:
    c, a = member.criterion, member.mining
    return Standing(
        hash=c.hash, name=c.name, description=c.description, not_when=c.not_when, expression=c.expression,
        direction=c.direction, margin=c.margin, rank=rank, weight=member.weight, right=a.right, decided=a.decided,
        asked=a.asked, accuracy=a.accuracy if a.decided else None, shrunken=a.shrunken, low=a.low, high=a.high,
        coverage=a.coverage,
    )  # fmt: skip


def _shown(standing: Standing, field: str) -> str:
    value = getattr(standing, field)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
