"""The seven programming languages that are parsed: their grammars, and the cues by which each is known.

Languages and grammars are those of tree-sitter (https://tree-sitter.github.io). A fenced block in any
other language is measured by its lines and words only; signals that need a parse are NaN there.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language as Grammar


@dataclass(frozen=True)
class Language:
    """A programming language.

    Attributes:
        name: lower case; also the ending of the grammar package's name.
        hints: info strings that name it.
        cues: patterns (multiline) typical of it; how many *different* ones occur ranks the languages.
        typed: True if types are always written or always inferred, so that type hints are no choice.
        extension: usual file name ending, without the dot.
    """

    name: str
    hints: frozenset[str]
    cues: tuple[re.Pattern[str], ...]
    typed: bool
    extension: str

    def score(self, code: str) -> int:
        """How many different cues occur in `code` (0 or more)."""
        return sum(bool(cue.search(code)) for cue in self.cues)


@cache
def grammar(name: str) -> Grammar:
    """The tree-sitter grammar of the language `name`."""
    return Grammar(importlib.import_module(f"tree_sitter_{name}").language())


def _language(name: str, hints: str, cues: str, *, typed: bool = True, extension: str) -> Language:
    patterns = tuple(re.compile(cue.strip(), re.MULTILINE) for cue in cues.strip().split("\n"))
    return Language(name, frozenset(hints.split()), patterns, typed, extension)


LANGUAGES: tuple[Language, ...] = (
    _language(
        "python",
        "python py python3 py3 pycon ipython",
        r"""
        ^[ ]*(?:async )?def \w+\(.*
        ^[ ]*(?:from [\w.]+ )?import [\w., *()]+(?: as \w+)?[ ]*$
        ^[ ]*(?:if|elif|for|while|with|try|except|else|class)\b[^{;]*:[ ]*(?:\#.*)?$
        \b(?:self|None|True|False|elif|lambda|not in)\b
        ^[ ]*\#(?!include|define|if|endif|\[)
        ^[ ]*print\(
        ^[ ]*(?:\"{3}|'{3})
        \b(?:len|range|str|int|sorted|enumerate)\(
        """,
        typed=False,
        extension="py",
    ),
    _language(
        "javascript",
        "javascript js jsx node mjs",
        r"""
        \b(?:const|let|var)\s+[\w{\[$]
        \bfunction\b\s*\*?\s*\w*\s*\(
        =>
        \bconsole\.\w+\(
        ===|!==
        \brequire\(|^\s*export (?:default|const|function|class)|^\s*import .* from ['"]
        \b(?:document|window|module|Math|JSON|Array|Object)\.\w
        \b(?:undefined|typeof|async function)\b|`[^`]*\$\{
        """,
        typed=False,
        extension="js",
    ),
    _language(
        "java",
        "java",
        r"""
        \bpublic (?:static |final |abstract )*(?:class|interface|enum|void|int|boolean|[A-Z]\w*)\b
        \bSystem\.(?:out|err)\.
        ^\s*import (?:static )?[\w.]+(?:\.\*)?;
        ^\s*(?:private|protected)\s+\w
        @(?:Override|Test|Autowired|Deprecated|SuppressWarnings)\b
        \bnew [A-Z]\w*(?:<.*>)?\(
        \b(?:String|Integer|boolean|List<|Map<)
        ^\s*package [\w.]+;
        \bthrows [A-Z]|\bextends [A-Z]\w*(?:<.*>)?\s*\{|\bimplements [A-Z]
        """,
        extension="java",
    ),
    _language(
        "go",
        "go golang",
        r"""
        ^package \w+\s*$
        ^func (?:\(\w+ \*?\w+\) )?\w+\(
        :=
        \bfmt\.\w+\(
        \bif err != nil
        ^import (?:\(|")
        \b(?:chan |defer |go func|interface\{\}|range |nil\b)
        ^type \w+ (?:struct|interface)\b
        """,
        extension="go",
    ),
    _language(
        "c",
        "c h",
        r"""
        ^\s*\#\s*include\s*[<"]\w+(?:/\w+)*\.h[>"]
        \b(?:printf|scanf|fprintf)\s*\(
        ^\s*(?:static |const |unsigned )*(?:int|char|void|float|double|long|size_t|struct \w+)\s+\**\s*\w+\s*[\[(=;,]
        \b(?:malloc|free|sizeof|NULL|strlen|memcpy)\b
        \w->\w
        ^\s*\#\s*(?:define|ifdef|ifndef)\b
        \btypedef\b
        """,
        extension="c",
    ),
    _language(
        "cpp",
        "cpp c++ cc cxx hpp",
        r"""
        ^\s*\#\s*include\s*<\w+>
        \bstd::
        \b(?:cout|cin|endl)\b
        \btemplate\s*<
        \b(?:namespace|using namespace)\s+\w+
        ^\s*(?:public|private|protected):
        \w::~?\w
        \b(?:nullptr|constexpr|auto [&*]?\w+\s*=|vector<|const \w+&)
        ^\s*(?:static |const |unsigned )*(?:int|char|void|float|double|long|size_t|bool)\s+[*&]*\s*\w+\s*[\[(=;,]
        """,
        extension="cpp",
    ),
    _language(
        "rust",
        "rust rs",
        r"""
        \bfn \w+(?:<.*>)?\(
        \blet (?:mut )?\w+
        \)\s*->\s*[\w&(]
        \b(?:println|vec|panic|format|assert|assert_eq)!
        \bimpl\b|\bpub (?:fn|struct|enum|mod|trait)\b
        &(?:mut |self|str\b)
        ^\s*use [\w:]+(?:::\{|::\*|;)
        \bmatch [\w.&()]+ \{
        ^\s*\#!?\[\w+
        \b(?:Some|Ok|Err)\(
        """,
        extension="rs",
    ),
)
"""In the order in which a tie between equally good parses is settled."""


def hinted(hint: str) -> Language | None:
    """The language that an info string names, or None if it names none of the seven."""
    return next((language for language in LANGUAGES if hint in language.hints), None)


def plausible(code: str, most: int = 3) -> list[Language]:
    """At most `most` languages with the most cues in `code`, best first; Python and JavaScript if there is no cue."""
    scored = [(language.score(code), language) for language in LANGUAGES]
    ranked = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    return [language for _, language in ranked[:most]] or [LANGUAGES[0], LANGUAGES[1]]
