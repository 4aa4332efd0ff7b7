"""Which fields of an export are the two texts, the prompt, the preference and the reason.

What the user names stands. The rest is found by names and by the answers themselves, and only if there is exactly one
way to read them; otherwise the message lists what was found and which option settles it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from agents.pairs import Preference
from knowledge_base.errors import InputError
from services.datasets.faults import quoted
from services.exchange.answers import Reader, ending, listed, squeezed
from services.exchange.sheets import COUNTS, Filled

_ORDER = [("a", "b"), ("left", "right"), ("first", "second"), ("1", "2"), ("0", "1")]
_NAMED_PAIRS = [("chosen", "rejected"), ("winner", "loser")]
_PROMPTS = ("prompt", "instruction", "question", "input", "query", "context", "task", "source")
_REASONS = ("reason", "rationale", "comment", "comments", "why", "explanation", "justification", "feedback", "notes")
_SHOWN = 20


@dataclass(frozen=True)
class Choice:
    """What the user says of an export; an empty string or mapping leaves it to be found.

    Attributes:
        a, b: names of the two texts; prompt: of what both answer; `-` for none.
        question: who is better; or two questions that rate a and b, joined by a comma.
        reason: question whose answer says why; `-` for none.
        meanings: answer -> what it means.
    """

    a: str = ""
    b: str = ""
    prompt: str = ""
    question: str = ""
    reason: str = ""
    meanings: Mapping[str, Preference] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How every record of an export is read; names are the export's, an empty one is not there.

    Attributes:
        a, b, prompt: the texts.
        questions: the question that says which text is better; or two that rate a and b; or several of which any
            may answer, as where a second control is there for ties.
        rated: whether the two questions are ratings.
        reason: the question that says why.
        reader: reads answers.
    """

    a: str
    b: str
    prompt: str
    questions: tuple[str, ...]
    rated: bool
    reason: str
    reader: Reader


def plan_for(file: str, sample: Sequence[Filled], choice: Choice) -> Plan:
    """Decide how to read an export.

    Args:
        file: file name, for messages.
        sample: the first records (at least one).
        choice: what the user says.

    Raises:
        InputError: something is ambiguous or missing; names what was found and the option that settles it.
    """
    names = list(dict.fromkeys(name for filled in sample for name in filled.texts))
    a, b = _texts(file, sample, names, choice)
    prompt = _named(file, names, choice.prompt, "--prompt") if choice.prompt else _prompt(names, (a, b))
    answers = _answers(sample, {a, b, prompt})
    reader = Reader(a, b, choice.meanings)
    questions, rated = _questions(file, answers, reader, choice)
    reason = _named(file, list(answers), choice.reason, "--reason") if choice.reason else _reason(answers, questions)
    return Plan(a, b, prompt, questions, rated, reason, reader)


def _texts(file: str, sample: Sequence[Filled], names: list[str], choice: Choice) -> tuple[str, str]:
    if choice.a and choice.b:
        return _named(file, names, choice.a, "--a"), _named(file, names, choice.b, "--b")
    if choice.a or choice.b:
        raise InputError(f"{file}: only one of the two texts is named; give both --a and --b")
    stated = next((filled.sides for filled in sample if filled.sides), None)
    if stated:
        return stated
    found = list(_couples([name for name in names if _is_text(name, sample)]))
    if len(found) == 1:
        return found[0]
    problem = (
        "several pairs of fields could be the two texts" if found else "it is not plain which fields are the texts"
    )
    raise InputError(f"{file}: {problem}; name them by --a and --b; fields found: {_all(names)}")


def _is_text(name: str, sample: Sequence[Filled]) -> bool:
    """Whether the field holds text, or chat messages, wherever it holds anything."""
    values = [filled.texts[name] for filled in sample if filled.texts.get(name) is not None]
    return bool(values) and all(isinstance(v, str) or (isinstance(v, list) and v) for v in values)


def _couples(names: list[str]) -> Iterator[tuple[str, str]]:
    """Names that differ only in how they end: `text_a` and `text_b`, `response1` and `response2`."""
    for one, other in combinations(names, 2):
        (stem, end), (other_stem, other_end) = ending(one), ending(other)
        if stem == other_stem and (end, other_end) in _ORDER:
            yield one, other
        elif stem == other_stem and (other_end, end) in _ORDER:
            yield other, one
        elif (squeezed(one), squeezed(other)) in _NAMED_PAIRS:
            yield one, other


def _prompt(names: list[str], texts: tuple[str, str]) -> str:
    plain = {squeezed(name): name for name in reversed(names) if name not in texts}
    return next((plain[word] for word in _PROMPTS if word in plain), "")


def _answers(sample: Sequence[Filled], texts: set[str]) -> dict[str, list[object]]:
    """Question -> answers that count, in the sample. In JSON-MIN texts stand among the answers, and are taken out."""
    found: dict[str, list[object]] = {}
    for answered in (a for filled in sample for a in filled.answers if a.state in COUNTS):
        for name, value in answered.values.items():
            if name not in texts and value not in (None, "", []):
                found.setdefault(name, []).append(value)
    return found


def _questions(
    file: str, answers: dict[str, list[object]], reader: Reader, choice: Choice
) -> tuple[tuple[str, ...], bool]:
    if choice.question:
        names = tuple(_named(file, list(answers), n.strip(), "--question") for n in choice.question.split(","))
        if len(names) > 2:
            raise InputError(f"{file}: --question names {len(names)} questions; give one, or the two that rate a and b")
        return names, len(names) == 2
    plain = (name for name, values in answers.items() if all(reader.preference(v) for v in values))
    fitting = [name for name in plain if squeezed(name) not in _REASONS]
    if len(fitting) == 1:
        return (fitting[0],), False
    if fitting and _compatible(fitting, answers, reader):
        return tuple(fitting), False
    ratings = [] if fitting else list(_ratings(answers, reader))
    if len(ratings) == 1:
        return ratings[0], True
    raise InputError(f"{file}: {_unclear(answers, fitting)}")


def _compatible(fitting: list[str], answers: dict[str, list[object]], reader: Reader) -> bool:
    """Whether all but one of the questions only ever say that nothing is better, as a control for ties does."""
    ties = [all(reader.preference(v) == "tie" for v in answers[name]) for name in fitting]
    return ties.count(False) <= 1


def _ratings(answers: dict[str, list[object]], reader: Reader) -> Iterator[tuple[str, str]]:
    """Two questions with numbers whose names go with the two texts."""
    numeric = [n for n, values in answers.items() if all(_number(v) for v in values)]
    named = [
        (one, other)
        for one in numeric
        for other in numeric
        if squeezed(reader.a) in squeezed(one) and squeezed(reader.b) in squeezed(other) and one != other
    ]
    yield from named or _couples(numeric)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unclear(answers: dict[str, list[object]], fitting: list[str]) -> str:
    if not answers:
        return "nobody has answered a question; export a dataset with submitted responses"
    if fitting:
        return f"questions {quoted(fitting)} could all be the preference; name one by --question"
    told = "; ".join(f'"{name}": {listed(values)}' for name, values in list(answers.items())[:_SHOWN])
    return (
        "no question says plainly which text is better; name it by --question and say what its answers mean, as in "
        f'--means "one answer=a;another=b;a third=tie"; answers found: {told}'
    )


def _reason(answers: dict[str, list[object]], questions: tuple[str, ...]) -> str:
    plain = {squeezed(n): n for n, values in answers.items() if n not in questions and _wordy(values)}
    return next((plain[word] for word in _REASONS if word in plain), "")


def _wordy(values: list[object]) -> bool:
    return all(isinstance(v, str) or (isinstance(v, list) and all(isinstance(w, str) for w in v)) for v in values)


def _named(file: str, names: list[str], name: str, option: str) -> str:
    if name == "-" and option in ("--prompt", "--reason"):
        return ""
    if name not in names:
        raise InputError(f'{file} has no "{name}", which {option} names; found: {_all(names)}')
    return name


def _all(names: list[str]) -> str:
    more = " and more" if len(names) > _SHOWN else ""
    return ", ".join(f'"{name[:40]}"' for name in names[:_SHOWN]) + more if names else "none"
