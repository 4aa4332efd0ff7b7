"""How code meets errors and bad input, and the constructs that reviewers warn of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.signals.code_parse import Parsed, Piece, kinds
from agents.signals.code_structure import functions, parameters

_CATCHES = frozenset({"except_clause", "catch_clause"})
_BROAD = re.compile(r"\b(?:Exception|BaseException|Throwable|StandardError)\b|\bstd::exception\b")
_HEAD = re.compile(r"except\b\s*([^:]*)|catch\b\s*([^{]*)")
_RAISES = frozenset({"raise_statement", "throw_statement", "throw_expression"})
_RAISING_CALL = re.compile(r"(?:panic!?|abort|exit|errors\.New|fmt\.Errorf|Err|bail!?|anyhow!?|Promise\.reject)\s*$")
_ASSERTS = frozenset({"assert_statement"})
_ASSERTING_CALL = re.compile(
    r"(?:assert\w*!?|static_assert|ensure!?|debug_assert\w*!?|console\.assert|require(?:NonNull|NotNull|True))\s*$"
)
_EXITS = re.compile(r"\s*\{?\s*(?:return|raise|throw|panic!?|exit|abort|die|bail!|continue)\b")
_CALLS = kinds("call call_expression method_invocation new_expression object_creation_expression macro_invocation")
_ARGUMENTS = frozenset({"argument_list", "arguments", "token_tree"})
_PRINT = re.compile(
    r"(?:^|[.:])(?:console\.(?:log|info|warn|error|debug)|System\.(?:out|err)\.print\w*|fmt\.Print\w*|e?println!?|e?print!?|pprint"
    r"|printf|fprintf|puts|dbg!?)\s*$"
)
_STREAM = re.compile(r"(?:std::)?(?:cout|cerr)\b")
_EVAL = re.compile(
    r"(?:^|\bnew\s+|\b(?:window|builtins)\.)(?:eval|exec|Function|system|popen)\s*$"
    r"|\bos\.(?:system|popen)\s*$|getRuntime\(\)\.exec\s*$|\bchild_process\.exec\w*\s*$|\bpickle\.loads?\s*$"
)
_SHELL = re.compile(r"\bshell\s*=\s*True\b")
_MUTABLE = re.compile(r"(?:\[|\{|(?:list|dict|set|defaultdict|Counter)\s*\()")
_DEFAULTS = frozenset({"default_parameter", "typed_default_parameter"})
_TOP = frozenset({"module", "program", "translation_unit", "source_file"})


@dataclass(frozen=True)
class Safety:
    """What `measure_safety` finds. Fields are named as the signals in `agents.signals.code`; see there."""

    bare_except_count: int
    broad_except_count: int
    error_raise_count: int
    input_check_count: int
    mutable_default_count: int
    global_count: int
    print_count: int
    eval_count: int


def measure_safety(parsed: Parsed) -> Safety:
    """Measure parsed code."""
    heads = [_head(parsed, piece) for _, piece in parsed.of_kind(_CATCHES)]
    called = [name for _, name in callees(parsed)]
    shells = sum(
        bool(_SHELL.search(parsed.text(piece))) for _, piece in parsed.of_kind(frozenset({"keyword_argument"}))
    )
    raised = parsed.count(_RAISES)
    return Safety(
        bare_except_count=sum(not head or head == "(...)" for head in heads),
        broad_except_count=sum(bool(_BROAD.search(head)) for head in heads),
        error_raise_count=raised + sum(bool(_RAISING_CALL.search(name)) for name in called),
        input_check_count=_checks(parsed, called),
        mutable_default_count=_mutable_defaults(parsed),
        global_count=_globals(parsed),
        print_count=sum(bool(_PRINT.search(name)) for name in called) + _streamed(parsed),
        eval_count=sum(bool(_EVAL.search(name)) for name in called) + shells,
    )


def callees(parsed: Parsed) -> Iterator[tuple[int, str]]:
    """Index and callee (`os.path.join`, `println!`, `new Foo`) of every call, at most its last 80 characters."""
    for at, piece in parsed.of_kind(_CALLS):
        stop = next(
            (parsed.pieces[c].start for c in parsed.children[at] if parsed.pieces[c].kind in _ARGUMENTS), piece.end
        )
        start = max(piece.start, stop - 80)
        yield at, parsed.data[start:stop].decode("utf-8", "replace").strip()


def _head(parsed: Parsed, piece: Piece) -> str:
    match = _HEAD.match(parsed.text(piece)[:200])
    return (match[1] or match[2] or "").strip() if match else ""


def _checks(parsed: Parsed, called: list[str]) -> int:
    asserted = parsed.count(_ASSERTS) + sum(bool(_ASSERTING_CALL.search(name)) for name in called)
    return asserted + sum(_guards(parsed, at) for at, _ in parsed.of_kind(frozenset({"if_statement", "if_expression"})))


def _guards(parsed: Parsed, at: int) -> bool:
    """Whether an `if` has no `else` and does nothing but leave."""
    body = parsed.child(at, "consequence")
    alone = parsed.child(at, "alternative") is None
    return body is not None and alone and body.last_row - body.row <= 4 and bool(_EXITS.match(parsed.text(body)[:200]))


def _mutable_defaults(parsed: Parsed) -> int:
    found = 0
    for at in functions(parsed):
        for p in parameters(parsed, at):
            value = parsed.child(p, "value")
            found += (
                parsed.pieces[p].kind in _DEFAULTS and value is not None and bool(_MUTABLE.match(parsed.text(value)))
            )
    return found


def _globals(parsed: Parsed) -> int:
    name = parsed.language.name if parsed.language else ""
    if name == "python":
        return parsed.count(frozenset({"global_statement"}))
    if name == "javascript":
        return sum(_at_top(parsed, at) for at, _ in parsed.of_kind(frozenset({"variable_declaration"})))
    if name == "go":
        return sum(_at_top(parsed, at) for at, _ in parsed.of_kind(frozenset({"var_declaration"})))
    if name == "java":
        return sum(
            _has(parsed, p, "static") and not _has(parsed, p, "final")
            for _, p in parsed.of_kind(frozenset({"field_declaration"}))
        )
    if name == "rust":
        return sum("static mut" in parsed.text(p)[:40] for _, p in parsed.of_kind(frozenset({"static_item"})))
    return sum(_loose_variable(parsed, at, p) for at, p in parsed.of_kind(frozenset({"declaration"})))


def _loose_variable(parsed: Parsed, at: int, piece: Piece) -> bool:
    holder = parsed.child(at, "declarator")
    variable = holder is not None and holder.kind != "function_declarator"
    return variable and _at_top(parsed, at) and not (_has(parsed, piece, "const") or _has(parsed, piece, "constexpr"))


def _at_top(parsed: Parsed, at: int) -> bool:
    parent = parsed.pieces[at].parent
    return parent >= 0 and parsed.pieces[parent].kind in _TOP


def _has(parsed: Parsed, piece: Piece, word: str) -> bool:
    return word in re.split(r"\W+", parsed.text(piece)[:120].split("=")[0])


def _streamed(parsed: Parsed) -> int:
    if parsed.language is None or parsed.language.name != "cpp":
        return 0
    return sum(bool(_STREAM.match(parsed.text(p)[:20])) for _, p in parsed.of_kind(frozenset({"expression_statement"})))
