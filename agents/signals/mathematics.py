"""Mathematics and worked solutions: notation, equations, steps, a stated answer, and checking of it.

Cobbe et al. 2021 (GSM8K, arXiv 2110.14168) and Lightman et al. 2023 (Let's Verify Step by Step, arXiv 2305.20050)
show that stepwise work with a stated and verified answer is what graders of solutions look for.
"""

from __future__ import annotations

import re

from agents.signals.lexicons import Phrases
from agents.signals.passage import Passage
from agents.signals.rates import per_100_words, phrase_rate, share
from agents.signals.signal import signal

_STEPS = "Lightman et al. 2023, Let's Verify Step by Step"

_TEX = re.compile(
    r"\\(?:[()\[\]]|(?:frac|dfrac|tfrac|sqrt|sum|int|prod|lim|cdot|times|div|pm|leq?|geq?|neq|approx|equiv|infty|partial"
    r"|alpha|beta|gamma|delta|epsilon|theta|lambda|mu|pi|sigma|phi|omega|Delta|Sigma|Omega|text|mathbb|mathbf|mathrm"
    r"|left|right|begin|end|boxed|sin|cos|tan|log|ln|exp|vec|hat|bar|to|rightarrow|Rightarrow|implies|in|subset|cup|cap"
    r"|forall|exists|ldots|cdots|quad|binom|overline|angle|circ|triangle|pmod|mod)(?![A-Za-z]))"
    r"|\$\$[^$]{1,400}\$\$|(?<![\w$])\$(?=[^\s$])[^$\n]{0,200}?[^\s$]\$(?![\d$])|(?<![\w$])\$[\w]\$"
)
_EQUATION = re.compile(
    r"(?:[\w)\]}|%\u00b0\u00b2\u00b3'\u2080-\u2089]\s{0,9}|!\s{1,9}|\\\)\s{0,9})(?:=|\u2248|\u2261|\\approx|\\equiv|&=)(?![=>])"
    r"(?=\s{0,9}(?:[\\$(\[{|\u2212+\-]\s?){0,9}[\w\u03b1-\u03c9\u221a\u00bd])"
)
_SYMBOLS = re.compile(
    r"[+=<>^%\u00b0\u00b1\u00b2\u00b3\u00d7\u00f7\u03c0\u2190-\u21ff\u2200-\u22ff]"
    r"|(?<=[\w)\]]) ?[*/] ?(?=[\d\w(\[])"
)
_STEP = re.compile(
    r"^[ \t>*#]*(?:(?:step|schritt|\u00e9tape|paso)\s*#?\d+|\u6b65\u9aa4\s*\d+|\u7b2c[\d\u4e00-\u9fff]\u6b65"
    r"|\d{1,3}[.)]\s+\S"
    r"|(?:first|firstly|second|secondly|third|thirdly|next|then|finally|lastly)(?:ly)?\s*[,:])",
    re.IGNORECASE | re.MULTILINE,
)
_MID_STEP = re.compile(
    r"(?<=[.!?]\s)(?:first|firstly|second|secondly|third|thirdly|next|then|finally|lastly)\s*,", re.IGNORECASE
)
_ANSWER = re.compile(
    r"\\boxed\b|^[ \t]*#{4}[ \t]*\S|\b(?:final |correct |right )?answers?\s*(?:is|are|:|=|\*\*)|\bfinal answer\b"
    r"|\bsolutions?\s+(?:is|are|:)|\bin conclusion\b|\bQ\.?E\.?D\b|\u7b54\u6848(?:\u662f|\u4e3a|\uff1a|:)"
    r"|^[ \t*]*(?:therefore|thus|hence|so|\u2234|\u56e0\u6b64|\u6240\u4ee5)\b[^\n]{0,200}"
    r"(?:=|\b(?:is|are|equals?|has|have|costs?|takes?|needs?)\b)[^\n]{0,120}\d[^\n]*\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_VERIFY = Phrases(
    (
        "to check/verify/confirm",
        "we/i/you can/could/may/should check/verify/confirm",
        "let's/lets check/verify/confirm",
        "let us/me check/verify/confirm",
        "check/verify/verifying/checking that/this/our/the/your/whether/if/by",
        "double check/checking",
        "double-check/double-checking/double-checked/cross-check/sanity-check",
        "sanity check",
        "substitute/substituting/plug/plugging back",
        "substitute/substituting/plug/plugging _ back",
        "substitute/substituting/plug/plugging _ _ back",
        "plug/plugging in",
        "as a check",
        "this checks out",
        "verification",
        "is consistent with",
        "which matches/confirms",
        "this matches/confirms",
        "indeed equal/equals",
        "we can see that this is/satisfies",
    )
)


@signal(unit="per 100 words", source="this project")
def latex_rate(passage: Passage) -> float:
    """LaTeX commands of mathematics and `$...$` formulas, per 100 words. A dollar amount is no formula."""
    return per_100_words(len(_TEX.findall(passage.text)), passage)


@signal(unit="equations", source="this project")
def equation_count(passage: Passage) -> float:
    """Equals and approximately-equals signs between two terms, outside of comparisons such as `==` and `>=`."""
    return float(len(_EQUATION.findall(passage.text)))


@signal(unit="per 100 words", source="Unicode, Mathematical Operators")
def math_symbol_rate(passage: Passage) -> float:
    """Mathematical symbols (+, =, <, %, roots, sums, sets, arrows, * and / between terms), per 100 words."""
    return per_100_words(len(_SYMBOLS.findall(passage.text)), passage)


@signal(unit="share", high=1.0, source="this project")
def digit_share(passage: Passage) -> float:
    """Share of the characters that are not white space that are digits of any script."""
    visible = "".join(passage.text.split())
    return share(sum(map(str.isdecimal, visible)), len(visible))


@signal(unit="steps", source=_STEPS)
def step_marker_count(passage: Passage) -> float:
    """Marks of a step: `Step 2`, `2.`, `First,`, `Then,`, `Finally,` that opens a line or a sentence."""
    return float(len(_STEP.findall(passage.text)) + len(_MID_STEP.findall(passage.text)))


@signal(unit="0 or 1", high=1.0, source="Cobbe et al. 2021, GSM8K; Hendrycks et al. 2021, MATH (boxed answers)")
def final_answer_stated(passage: Passage) -> float:
    """1 if an answer is stated as such: boxed, after `####`, by `the answer is`, or by a closing `So ... = 5`."""
    return float(bool(_ANSWER.search(passage.text)))


@signal(unit="per 100 words", source=_STEPS, scope="english")
def verification_rate(passage: Passage) -> float:
    """Phrases that check a result (`to verify`, `substitute back`, `double-check`), per 100 words."""
    return phrase_rate(passage, _VERIFY)
