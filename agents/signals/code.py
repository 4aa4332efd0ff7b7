"""Signals of source code: what it is made of, how it is built, named, documented and guarded.

Languages: Python, JavaScript, Java, Go, C, C++ and Rust, guessed by cues and by which grammar finds the fewest
faults (a fenced block's info string settles it). Text may be code or Markdown with fenced blocks, whose code
is then measured. Where no grammar fits, signals that need a parse are NaN. Regularities that differ between
languages are said in each signal's definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps

from agents.signals.code_facts import Facts, facts
from agents.signals.code_source import share_of_code
from agents.signals.passage import Passage
from agents.signals.signal import One, signal


def _parsed(*, unit: str, high: float = math.inf, source: str) -> Callable[[Callable[[Facts], float]], One]:
    """Register a function of a passage's parsed code as a signal; NaN where nothing could be parsed."""

    def register(function: Callable[[Facts], float]) -> One:
        @wraps(function)
        def one(passage: Passage) -> float:
            found = facts(passage)
            return float(function(found)) if found.language else math.nan

        return signal(unit=unit, high=high, source=source, scope="code")(one)

    return register


@signal(unit="share", high=1.0, source="this project")
def code_share(passage: Passage) -> float:
    """Share of non-blank lines that stand in a fenced block or read like code."""
    return share_of_code(passage.text)


@signal(unit="share", high=1.0, source="PEP 8 (maximum line length); Buse and Weimer 2010", scope="code")
def long_line_share(passage: Passage) -> float:
    """Share of the code's non-blank lines that are longer than 99 characters."""
    return facts(passage).layout.long_line_share


@signal(unit="share", high=1.0, source="Roy and Cordy 2007 (type-1 clones); CCFinder, Kamiya et al. 2002", scope="code")
def duplicate_code_share(passage: Passage) -> float:
    """Share of non-trivial lines that lie in a run of three or more such lines that occurs elsewhere too."""
    return facts(passage).layout.duplicate_code_share


@_parsed(unit="share", high=1.0, source="this project, on tree-sitter's ERROR and MISSING nodes")
def syntax_valid(found: Facts) -> float:
    """Share of the code's lines without a token that the grammar cannot place; 1 if the code parses cleanly."""
    return found.structure.syntax_valid


@_parsed(unit="functions", source="Buse and Weimer 2010, Learning a Metric for Code Readability")
def function_count(found: Facts) -> float:
    """Functions, methods and constructors that have a name (inline callbacks are not counted)."""
    return found.structure.function_count


@_parsed(unit="classes", source="Chidamber and Kemerer 1994")
def class_count(found: Facts) -> float:
    """Classes, interfaces, structs, enums and traits that the code defines."""
    return found.structure.class_count


@_parsed(unit="lines", source="Fowler 1999, Refactoring (Long Function)")
def mean_function_lines(found: Facts) -> float:
    """Mean length of a named function, first to last line; NaN without one."""
    return found.structure.mean_function_lines


@_parsed(unit="lines", source="Fowler 1999, Refactoring (Long Function)")
def max_function_lines(found: Facts) -> float:
    """Length of the longest named function, first to last line; NaN without one."""
    return found.structure.max_function_lines


@_parsed(unit="levels", source="Campbell 2018, Cognitive Complexity; Linux kernel coding style, section 1")
def max_nesting(found: Facts) -> float:
    """Deepest nesting of control structures; an `else if` stays at its `if`'s level."""
    return found.structure.max_nesting


@_parsed(unit="levels", source="Buse and Weimer 2010")
def mean_nesting(found: Facts) -> float:
    """Mean number of control structures around a line."""
    return found.structure.mean_nesting


@_parsed(unit="paths", source="McCabe 1976, A Complexity Measure")
def mean_complexity(found: Facts) -> float:
    """Mean cyclomatic complexity of the named functions: 1 + branches, loops, handlers, cases and short-circuit
    operators (as lizard counts). Without a function, that of the whole code.
    """
    return found.structure.mean_complexity


@_parsed(unit="paths", source="McCabe 1976, A Complexity Measure")
def max_complexity(found: Facts) -> float:
    """Cyclomatic complexity of the most complex function (see mean_complexity)."""
    return found.structure.max_complexity


@_parsed(unit="parameters", source="Fowler 1999, Refactoring (Long Parameter List)")
def parameter_mean(found: Facts) -> float:
    """Mean number of parameters of a named function, receiver left out; NaN without one."""
    return found.structure.parameter_mean


@_parsed(unit="returns", source="this project")
def return_count(found: Facts) -> float:
    """Return statements (not Rust's closing expressions)."""
    return found.structure.return_count


@_parsed(unit="characters", source="Lawrie et al. 2006, What's in a Name?")
def mean_identifier_length(found: Facts) -> float:
    """Mean length of the distinct names that the code declares; i, j, k and _ are left out."""
    return found.naming.mean_identifier_length


@_parsed(unit="share", high=1.0, source="Lawrie et al. 2006; PEP 8 (naming)")
def short_identifier_share(found: Facts) -> float:
    """Share of the distinct declared names that have one or two letters; i, j, k and _ are left out."""
    return found.naming.short_identifier_share


@_parsed(unit="share", high=1.0, source="PEP 8 (naming); Butler et al. 2010")
def naming_consistency(found: Facts) -> float:
    """Share of the declared names of several words that are in the commonest of snake_case, camelCase and
    mixtures; types and constants left out. NaN if no name has several words.
    """
    return found.naming.naming_consistency


@_parsed(unit="names", source="Buse and Weimer 2010")
def identifier_count(found: Facts) -> float:
    """Distinct names that the code declares."""
    return found.naming.identifier_count


@_parsed(unit="lines", source="lines of code without comments, as cloc and lizard count")
def code_lines(found: Facts) -> float:
    """Lines of code without blank lines, comments and docstrings."""
    return found.documentation.code_lines


@_parsed(unit="ratio", source="Buse and Weimer 2010; Arafat and Riehle 2009")
def comment_density(found: Facts) -> float:
    """Lines that hold nothing but a comment, per line of code."""
    return found.documentation.comment_density


@_parsed(unit="share", high=1.0, source="PEP 257; Javadoc; Go doc comments; rustdoc")
def docstring_coverage(found: Facts) -> float:
    """Share of functions and classes with documentation: in Python a string that opens the body, elsewhere a
    comment on the line above. NaN without any.
    """
    return found.documentation.docstring_coverage


@_parsed(unit="words", source="PEP 257")
def docstring_words(found: Facts) -> float:
    """Words in the docstrings and documentation comments."""
    return found.documentation.docstring_words


@_parsed(unit="share", high=1.0, source="PEP 484")
def type_hint_coverage(found: Facts) -> float:
    """Share of parameters and return values that are annotated. Python only; NaN in other languages, where types
    are no choice, and without a function.
    """
    return found.documentation.type_hint_coverage


@_parsed(unit="notes", source="Potdar and Shihab 2014, self-admitted technical debt")
def todo_count(found: Facts) -> float:
    """TODO, FIXME, XXX and HACK in comments."""
    return found.documentation.todo_count


@_parsed(unit="lines", source="ruff rule ERA001 (eradicate)")
def dead_code_count(found: Facts) -> float:
    """Lines of code that were commented out."""
    return found.documentation.dead_code_count


@_parsed(unit="handlers", source="PEP 8 (programming recommendations); CWE-396")
def bare_except_count(found: Facts) -> float:
    """Handlers that name no exception: Python `except:`, JavaScript `catch {`, C++ `catch (...)`."""
    return found.safety.bare_except_count


@_parsed(unit="handlers", source="CWE-396")
def broad_except_count(found: Facts) -> float:
    """Handlers of everything: Exception, BaseException, Throwable, std::exception."""
    return found.safety.broad_except_count


@_parsed(unit="statements", source="this project")
def error_raise_count(found: Facts) -> float:
    """Places that report an error: raise, throw, panic, abort, `errors.New`, `fmt.Errorf`, `Err(...)`, rejected
    promises.
    """
    return found.safety.error_raise_count


@_parsed(unit="checks", source="Fowler 1999, Refactoring (Guard Clause); CWE-20")
def input_check_count(found: Facts) -> float:
    """Assertions, and conditionals without an else whose short body does nothing but leave (return, raise, throw,
    continue).
    """
    return found.safety.input_check_count


@_parsed(unit="parameters", source="Python documentation, Programming FAQ; ruff rule B006")
def mutable_default_count(found: Facts) -> float:
    """Python parameters whose default is a list, dict or set."""
    return found.safety.mutable_default_count


@_parsed(unit="variables", source="Wulf and Shaw 1973, Global Variable Considered Harmful")
def global_count(found: Facts) -> float:
    """Python `global` statements; variables that can change at the top of JavaScript (`var`), Go, C and C++;
    Java's static fields that are not final; Rust's `static mut`.
    """
    return found.safety.global_count


@_parsed(unit="calls", source="this project")
def print_count(found: Facts) -> float:
    """Calls that print: print, console.log, System.out.println, fmt.Println, printf, std::cout, println!."""
    return found.safety.print_count


@_parsed(unit="calls", source="CWE-78, CWE-95, CWE-502")
def eval_count(found: Facts) -> float:
    """Calls that run text as code or as a command, or load pickles: eval, exec, os.system, shell=True, Function(),
    system(), popen().
    """
    return found.safety.eval_count


@_parsed(unit="per 100 tokens", source="Checkstyle rule MagicNumber; Martin 2008, Clean Code, G25")
def magic_number_rate(found: Facts) -> float:
    """Bare numbers other than 0, 0.5, 1, 2 and 100 that are not given to a named constant."""
    return found.layout.magic_number_rate


@_parsed(unit="imports", source="this project")
def import_count(found: Facts) -> float:
    """Import, include and use declarations."""
    return found.layout.import_count


@_parsed(unit="expressions", source="PEP 202; Alexandru et al. 2018, On the Usage of Pythonic Idioms")
def comprehension_count(found: Facts) -> float:
    """Python comprehensions and generator expressions; in other languages calls of map, filter, reduce, collect
    and the like.
    """
    return found.layout.comprehension_count


@_parsed(unit="share", high=1.0, source="this project")
def library_call_share(found: Facts) -> float:
    """Share of calls whose name the code does not declare itself: library code used instead of own code. NaN
    without a call.
    """
    return found.layout.library_call_share
