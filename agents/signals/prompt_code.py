"""How closely a text speaks of the code in its prompt, above all a review comment of the diff it was written on.

CRScore (Naik et al. 2025, arXiv 2409.19801) rates a review by how much of what there is to say of a change it covers
(comprehensiveness), how much of it is to the point (conciseness), and their harmonic mean (relevance); its
pseudo-references are claims that a language model writes. Here the changed lines, spelled out as words, stand in for
them, which needs no model but the sentence embedding. The rest counts which identifiers of the change are named:
what a reader checks first, and what an invented comment gets wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.signals.code_source import code_like, source_of
from agents.signals.diff import Diff, read_diff
from agents.signals.fences import read_fences
from agents.signals.identifiers import Mentions, code_tokens, identifiers, parts, spelled, stem
from agents.signals.lexicons import load
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, share
from agents.signals.recall import Recall
from agents.signals.signal import batch_signal, signal
from agents.signals.vectors import Vectors, embed_groups, sampled

_CRSCORE = "Naik et al. 2025, CRScore (arXiv 2409.19801), section 3, with changed lines as pseudo-references"
_MOST_LINES = 12
_SHORTEST = 2


@dataclass(frozen=True)
class Review:
    """What a text says of its prompt's code. NaN where the prompt has no diff, no identifier or the like."""

    named: float
    changed: float
    coverage: float
    edited: float
    context: float
    added_overlap: float
    removed_overlap: float
    word_coverage: float
    edited_coverage: float
    unknown_rate: float
    new_code_lines: float
    copied_lines: float


@dataclass(frozen=True)
class Relevance:
    """Cosines between a text's sentences and the changed lines of its prompt's diff."""

    whole: float = math.nan
    conciseness: float = math.nan
    comprehensiveness: float = math.nan


_reviews: Recall[Review] = Recall()
_relevance: Recall[Relevance] = Recall()


def review(passage: Passage) -> Review:
    """What the text says of its prompt's code; worked out once, whichever signals ask."""
    return _reviews.one(passage, _read)


def _read(passage: Passage) -> Review:
    asked = passage.prompt_passage.text
    diff = read_diff(asked)
    names = identifiers([*diff.changed, *diff.surroundings] if diff else _prompt_code(asked))
    mentions = Mentions(passage.text)
    named = {name for name in names if mentions.names(name)}
    changed = identifiers(diff.changed) if diff else []
    hits = [name for name in changed if name in named]
    return Review(
        named=float(len(named)) if names else math.nan,
        changed=float(len(hits)) if diff else math.nan,
        coverage=share(len(hits), len(changed)),
        edited=float(sum(name in named for name in _edited(diff))) if diff else math.nan,
        context=float(len(named.difference(changed))) if diff else math.nan,
        added_overlap=_overlap(passage.text, diff.added) if diff else math.nan,
        removed_overlap=_overlap(passage.text, diff.removed) if diff else math.nan,
        word_coverage=_word_coverage(passage.text, set(_words(" ".join(diff.changed)))) if diff else math.nan,
        edited_coverage=_word_coverage(passage.text, _edited_words(diff)) if diff else math.nan,
        unknown_rate=per_100_words(_unknown(passage.text, asked), passage),
        new_code_lines=float(_new_lines(passage.text, asked)),
        copied_lines=_copied(passage.text, asked),
    )


def _prompt_code(asked: str) -> list[str]:
    if any(code_like(asked.split("\n"))) or read_fences(asked).blocks:
        return source_of(asked).code.split("\n")
    return code_tokens(asked)


def _edited(diff: Diff | None) -> list[str]:
    """Identifiers that occur more often on one side of the change than on the other."""
    if diff is None:
        return []
    before, after = (Counter(_occurrences(lines)) for lines in (diff.removed, diff.added))
    return [name for name in identifiers(diff.changed) if before[name] != after[name]]


def _occurrences(lines: Iterable[str]) -> list[str]:
    return [name for line in lines for name in identifiers([line])]


def _words(text: str) -> list[str]:
    found = (stem(part) for token in text.split() for part in parts(token))
    return [word for word in found if len(word) >= _SHORTEST and word not in load("stop_words")]


def _overlap(text: str, lines: Sequence[str]) -> float:
    known = set(_words(" ".join(lines)))
    said = _words(text)
    return share(sum(word in known for word in said), len(said))


def _word_coverage(text: str, known: set[str]) -> float:
    return share(len(known & set(_words(text))), len(known))


def _edited_words(diff: Diff) -> set[str]:
    before, after = (Counter(_words(" ".join(lines))) for lines in (diff.removed, diff.added))
    return {word for word in before | after if before[word] != after[word]}


def _unknown(text: str, asked: str) -> int:
    known = " ".join(asked.split())
    names = set(identifiers([known]))
    return sum(
        " ".join(token.split()) not in known and not names.issuperset(identifiers([token]))
        for token in code_tokens(text)
    )


def _code_lines(text: str) -> list[str]:
    fenced = read_fences(text)
    inside = [line for block in fenced.blocks for line in block.lines]
    outside = [line for line, flag in zip(fenced.outside, code_like(fenced.outside), strict=True) if flag]
    return [line for line in inside + outside if line.strip()]


def _new_lines(text: str, asked: str) -> int:
    known = _flat(asked)
    return sum(_flat(line) not in known for line in _code_lines(text))


def _flat(text: str) -> str:
    return "".join(text.split())


def _copied(text: str, asked: str) -> float:
    known = _flat(asked)
    lines = [flat for line in text.split("\n") if (flat := _flat(line))]
    return share(sum(len(line) for line in lines if line in known), sum(map(len, lines)))


def _relate(passages: Sequence[Passage]) -> list[Relevance]:
    diffs = [read_diff(p.prompt_passage.text) for p in passages]
    lines = [_spelled_lines(diff) for diff in diffs]
    sentences = [sampled(p.sentences) for p in passages]
    whole = [[p.text, " . ".join(spell)] if spell else [] for p, spell in zip(passages, lines, strict=True)]
    vectors = embed_groups([group for triple in zip(whole, lines, sentences, strict=True) for group in _useful(triple)])
    triples = zip(vectors[0::3], vectors[1::3], vectors[2::3], strict=True)
    return [_relevance_of(*triple) for triple in triples]


def _useful(triple: tuple[list[str], list[str], list[str]]) -> tuple[list[str], list[str], list[str]]:
    whole, lines, sentences = triple
    return (whole, lines, sentences) if lines and sentences else ([], [], [])


def _spelled_lines(diff: Diff | None) -> list[str]:
    if diff is None:
        return []
    spelt = dict.fromkeys(words for line in (*diff.added, *diff.removed) if len(words := spelled(line)) > _SHORTEST)
    return list(spelt)[:_MOST_LINES]


def _relevance_of(whole: Vectors, lines: Vectors, sentences: Vectors) -> Relevance:
    if not len(lines) or not len(sentences):
        return Relevance()
    table = np.clip(sentences @ lines.T, 0.0, 1.0)
    return Relevance(
        whole=float(np.clip(whole[0] @ whole[1], -1.0, 1.0)),
        conciseness=mean([float(value) for value in table.max(axis=1)]),
        comprehensiveness=mean([float(value) for value in table.max(axis=0)]),
    )


@signal(unit="identifiers", source="this project", scope="prompt")
def prompt_identifier_count(passage: Passage) -> float:
    """Distinct identifiers of the prompt's code or diff that the text names (in words counts). NaN if it has none."""
    return review(passage).named


@signal(unit="per 100 words", source="this project", scope="prompt")
def prompt_identifier_rate(passage: Passage) -> float:
    """Distinct identifiers of the prompt's code or diff that the text names, per 100 words."""
    return per_100_words(review(passage).named, passage)


@signal(unit="identifiers", source="this project", scope="prompt")
def changed_identifier_count(passage: Passage) -> float:
    """Distinct identifiers of the diff's added and removed lines that the text names. NaN without a diff."""
    return review(passage).changed


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def changed_identifier_coverage(passage: Passage) -> float:
    """Share of the distinct identifiers of the diff's added and removed lines that the text names."""
    return review(passage).coverage


@signal(unit="identifiers", source="this project", scope="prompt")
def edited_identifier_count(passage: Passage) -> float:
    """Named identifiers that the diff's two sides hold unequally often: what the change is really about."""
    return review(passage).edited


@signal(unit="identifiers", source="this project", scope="prompt")
def context_identifier_count(passage: Passage) -> float:
    """Named identifiers that stand only in the diff's context lines and hunk headings."""
    return review(passage).context


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def added_line_overlap(passage: Passage) -> float:
    """Share of the text's content words (identifiers cut into words) that stand in the diff's added lines."""
    return review(passage).added_overlap


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def removed_line_overlap(passage: Passage) -> float:
    """Share of the text's content words (identifiers cut into words) that stand in the diff's removed lines."""
    return review(passage).removed_overlap


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def changed_word_coverage(passage: Passage) -> float:
    """Share of the distinct words of the diff's changed lines (identifiers cut into words) that the text holds."""
    return review(passage).word_coverage


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def edited_word_coverage(passage: Passage) -> float:
    """Share of the distinct words that the diff's two sides hold unequally often that the text holds."""
    return review(passage).edited_coverage


@signal(unit="per 100 words", source="this project")
def identifier_rate(passage: Passage) -> float:
    """Code-like tokens (calls, snake_case, camelCase, dotted.names, backticked spans), per 100 words."""
    return per_100_words(len(code_tokens(passage.text)), passage)


@signal(unit="per 100 words", source="this project; Naik et al. 2025 (unsupported claims)", scope="prompt")
def unknown_identifier_rate(passage: Passage) -> float:
    """Code-like tokens that hold an identifier the prompt does not, per 100 words: proposed or invented."""
    return review(passage).unknown_rate


@signal(unit="lines", source="this project", scope="prompt")
def new_code_line_count(passage: Passage) -> float:
    """Lines of code in the text that do not stand in the prompt: what it proposes."""
    return review(passage).new_code_lines


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def copied_line_share(passage: Passage) -> float:
    """Share of the text's visible characters in lines that stand in the prompt as they are, white space aside."""
    return review(passage).copied_lines


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def comment_only_code_share(passage: Passage) -> float:
    """Share of the text's visible characters that stand in lines of code, fenced or not."""
    inside = sum(len(_flat(line)) for line in _code_lines(passage.text))
    return share(inside, len(_flat(passage.text)))


@batch_signal(unit="cosine", low=-1.0, high=1.0, source=_CRSCORE, scope="prompt")
def diff_similarity(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Cosine between the text and the diff's changed lines spelled out as words. NaN without a diff or a sentence."""
    return np.array([found.whole for found in _relevance.all(passages, _relate)])


@batch_signal(unit="cosine", high=1.0, source=_CRSCORE, scope="prompt")
def diff_conciseness(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Mean over the text's sentences of the highest cosine to a changed line (12 lines at most)."""
    return np.array([found.conciseness for found in _relevance.all(passages, _relate)])


@batch_signal(unit="cosine", high=1.0, source=_CRSCORE, scope="prompt")
def diff_comprehensiveness(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Mean over the diff's changed lines (12 at most) of the highest cosine to a sentence of the text."""
    return np.array([found.comprehensiveness for found in _relevance.all(passages, _relate)])


@batch_signal(unit="cosine", high=1.0, source=_CRSCORE, scope="prompt")
def diff_relevance(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Harmonic mean of diff_conciseness and diff_comprehensiveness."""
    found = _relevance.all(passages, _relate)
    return np.array([_harmonic(one.conciseness, one.comprehensiveness) for one in found])


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else (0.0 if a == b else math.nan)
