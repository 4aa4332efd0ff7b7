"""Telling which domain a sample of texts belongs to, so that the right prior criteria come first.

Zero-shot recognition by nearness to written examples (prototypes, after Snell et al. 2017, arXiv 1703.05175,
with texts a person wrote in place of training data), and a few cues that leave little doubt: a prompt that is a
diff, texts that are code, texts that answer nothing. It is a first guess that a user can overrule.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge_base.criterion import DOMAINS, Domain
from knowledge_base.embedding import embed, embedder_fingerprint

PROTOTYPES = Path(__file__).with_name("prototypes.yaml")

SAMPLE = 60
"""Texts (and, apart from them, prompts) looked at: the first by content hash, whatever their order."""

EMBEDDED_CHARACTERS = 600
"""How much of each text is embedded: its subject and tone show in its opening."""

READ_CHARACTERS = 4_000
"""How much of each text is looked at for signs of code or of a diff."""

_NEAREST = 2
_TEXT_WEIGHT, _PROMPT_WEIGHT, _DESCRIPTION_WEIGHT = 1.0, 0.6, 0.5
_TEMPERATURE = 0.05
_CUE = 0.3
"""A cue that holds for every text weighs as much as .3 in mean cosine; two domains seldom differ by more."""

_DIFF = re.compile(r"^(@@ .*@@|diff --git |\+\+\+ |--- [ab]/)", re.MULTILINE)
_QUESTION = re.compile(r"(how|what|why|where|when|who|which)\b", re.IGNORECASE)
_FENCE = re.compile(r"^ *```", re.MULTILINE)
_DOCSTRING = re.compile(r"(\"{3}|'{3}).*?(\1|\Z)", re.DOTALL)
_COMMENT = re.compile(r"\s*(#(?!include)|//|/?\*)")
_CODE_LINE = re.compile(
    r"[;{}]\s*$|[(\[,]\s*$|^\s*[)\]}]|^\s*[\w.\[\]]+ (=|\+=|-=|:=) \S|^\s*[\w.]+\(.*\)\s*$"
    r"|^\s*(def|class|import|from \S+ import|return|raise|func|fn|let|const|var|public|private|#include|SELECT)\b"
    r"|^\s*@\w|^\s*(if|elif|else|for|while|try|except|with)\b.*:$"
)


@dataclass(frozen=True)
class DomainGuess:
    """The likeliest domain, and a probability for each of the six (they sum to 1; a guide, not calibrated)."""

    domain: Domain
    probabilities: dict[Domain, float]


class _Prototypes(BaseModel):
    """One domain's written examples."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    descriptions: tuple[str, ...]
    prompts: tuple[str, ...]
    texts: tuple[str, ...]


def recognise_domain(texts: Sequence[str], prompts: Sequence[str], description: str = "") -> DomainGuess:
    """Which domain a sample of texts belongs to.

    Args:
        texts: any number of texts; at most `SAMPLE` distinct ones are looked at, the same ones in any order.
        prompts: what the texts answer, in any order; blank ones are ignored, and none is fine.
        description: what people compared, in a sentence or two; blank if not known.

    Returns:
        The guess. With nothing to go on all six are as likely, and the first, `web`, is named.
    """
    shown, asked = _sample(texts), _sample(prompts)
    evidence = _TEXT_WEIGHT * _nearness(shown, "texts") + _PROMPT_WEIGHT * _nearness(asked, "prompts")
    evidence += _DESCRIPTION_WEIGHT * _nearness(_sample([description]), "descriptions")
    evidence += _CUE * _cues(shown, asked)
    weights = np.exp((evidence - evidence.max()) / _TEMPERATURE)
    shares = weights / weights.sum()
    probabilities = {domain: float(share) for domain, share in zip(DOMAINS, shares, strict=True)}
    return DomainGuess(DOMAINS[int(np.argmax(np.round(shares, 9)))], probabilities)


def _sample(texts: Sequence[str]) -> list[str]:
    distinct = {text.strip() for text in texts} - {""}
    ordered = sorted(distinct, key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return [text[:READ_CHARACTERS] for text in ordered[:SAMPLE]]


def _nearness(texts: Sequence[str], kind: str) -> NDArray[np.float64]:
    """(6,) mean over texts of how near each domain's examples are, as differences from the mean of the domains."""
    if not texts:
        return np.zeros(len(DOMAINS))
    vectors = embed([text[:EMBEDDED_CHARACTERS] for text in texts]).astype(np.float64)
    by_domain = [_top(vectors @ examples.T) for examples in _examples(kind, embedder_fingerprint())]
    mean = np.stack(by_domain, axis=1).mean(axis=0)
    return np.asarray(mean - mean.mean())


def _top(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) mean of the nearest examples' cosines; 0 for a domain without examples of this kind."""
    if not cosines.shape[1]:
        return np.zeros(len(cosines))
    return np.asarray(np.sort(cosines, axis=1)[:, -_NEAREST:].mean(axis=1))


def _cues(texts: Sequence[str], prompts: Sequence[str]) -> NDArray[np.float64]:
    """(6,) what form alone says for each domain, in [-1, 2]: programs are the surest, and no web page has a prompt."""
    code, diffs, asked = _share(texts, _is_code), _share(prompts, _is_diff), _share(prompts, _asks)
    said: dict[Domain, float] = {
        "code": 2 * code - 0.25 * (1 - code) * bool(texts),
        "review": diffs * (1 - code) - code - 0.3 * (bool(prompts) and not diffs),
        "web": -1.0 * bool(prompts),
        "answers": 0.3 * asked - 0.2 * bool(texts) * (not prompts),
    }
    return np.array([said.get(domain, 0.0) for domain in DOMAINS])


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts) if texts else 0.0


def _is_diff(text: str) -> bool:
    return _DIFF.search(text) is not None


def _asks(text: str) -> bool:
    return _QUESTION.match(text) is not None


def _is_code(text: str) -> bool:
    """Mostly lines of code, or prose around a fenced block of it."""
    lines = [line for line in _DOCSTRING.sub("", text).splitlines() if line.strip() and not _COMMENT.match(line)]
    mostly = sum(_CODE_LINE.search(line) is not None for line in lines) > len(lines) / 2
    return mostly or _FENCE.search(text) is not None


@cache
def _examples(kind: str, embedder: str) -> tuple[NDArray[np.float32], ...]:
    """Vectors of each domain's examples; `embedder` keeps those of different models apart."""
    return tuple(embed(getattr(_prototypes()[domain], kind)) for domain in DOMAINS)


@cache
def _prototypes() -> dict[Domain, _Prototypes]:
    raw = yaml.safe_load(PROTOTYPES.read_text(encoding="utf-8"))
    return {domain: _Prototypes.model_validate(raw[domain]) for domain in DOMAINS}
