"""What is read out of a reply and what is not, on examples and on any mixture of prose and JSON."""

from __future__ import annotations

import enum
import json
import time
from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from agents.chat.fence import UNPRINTABLE
from agents.chat.json_reply import OPENING, ReplyFault, read_reply, schema_of

VERDICTS = ("A", "B", "not applicable", "equal", "unsure")


class Judged(BaseModel):
    """A docstring that must not reach an endpoint."""

    model_config = ConfigDict(title="judgment")

    reasoning: str
    verdict: Literal["A", "B", "not applicable", "equal", "unsure"]


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Part(BaseModel):
    mood: Mood
    share: Annotated[float, Field(ge=0, le=1, description="of the whole")] = 0.5


class Whole(BaseModel):
    parts: tuple[Part, ...]
    note: str | None = None
    kind: Literal["whole"] = "whole"


GOOD = '{"reasoning": "clear", "verdict": "A"}'
OTHER = '{"reasoning": "clear", "verdict": "B"}'
READ = Judged(reasoning="clear", verdict="A")


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        f"\n\t {GOOD} \r\n",
        f"\ufeff{GOOD}",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"```JSON\n{GOOD}\n```\n",
        f"Here it is: {GOOD} I hope it helps.",
        f"Sure!\n\n```json\n{GOOD}\n```\n\nAnything else?",
        f"<think>B? {OTHER} No.</think>\n{GOOD}",
        f"{GOOD}\n{GOOD}",
        f"In set notation {{1, 2}} and in LaTeX \\frac{{a}}{{b}}: {GOOD}",
        f"An empty one {{}} first: {GOOD}",
        f"{{{GOOD}}}",
        '{"reasoning": "clear", "verdict": "A", "confidence": 3, "more": {"verdict": "B"}}',
        '{"verdict": " a ", "reasoning": "clear"}',
    ],
)
def test_one_object_is_read_however_it_is_wrapped(reply: str) -> None:
    assert read_reply(reply, Judged) == READ


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("", "no JSON object"),
        ("A", "no JSON object"),
        ("The answer is A, clearly.", "no JSON object"),
        (f"{GOOD} or {OTHER}", "different JSON objects"),
        (f"[{GOOD}]", "no object"),
        (f"```json\n[{GOOD}]\n```", "no object"),
        ('"A"', "no object"),
        ("null", "no object"),
        (json.dumps(GOOD), "no object"),
        ('{"reasoning": "clear"}', "verdict: Field required"),
        ('{"reasoning": "clear", "verdict": "C"}', "verdict: Input should be 'A', 'B'"),
        ('{"reasoning": "clear", "verdict": "A."}', "verdict"),
        ('{"reasoning": "clear", "verdict": "Text A"}', "verdict"),
        ('{"reasoning": "clear", "verdict": "Absolutely B"}', "verdict"),
        ('{"reasoning": "clear", "verdict": ""}', "verdict"),
        ('{"reasoning": "clear", "verdict": "not"}', "verdict"),
        ('{"reasoning": "clear", "verdict": "unsur"}', "verdict"),
        ('{"reasoning": "clear", "verdict": "equally good"}', "verdict"),
        ('{"reasoning": "clear", "verdict": ["A"]}', "verdict"),
        ('{"reasoning": 3, "verdict": "A"}', "reasoning"),
        ('{"reasoning": "clear", "verdict": "A", "verdict": "B"}', "'verdict' stands in it twice"),
        ('{"reasoning": "clear", "verdict": "A", "score": NaN}', "NaN"),
        ('{"reasoning": "clear", "verdict": "A", "score": -Infinity}', "Infinity"),
        ('{"reasoning": "clear", "verdict": "A", "score": 1e999}', "1e999"),
        ('{"reasoning": "clear", "verdict": "A", "score": ' + "9" * 5000 + "}", "valid JSON"),
        ('{"reasoning": "clear", "verdict": "A"', "valid JSON"),
        ('{"reasoning": "cle', "valid JSON"),
        ("{'reasoning': 'clear', 'verdict': 'A'}", "double quotes"),
        ('{reasoning: "clear", verdict: "A"}', "double quotes"),
        ("{“reasoning”: “clear”, “verdict”: “A”}", "double quotes"),
        ('{"reasoning": "clear", "verdict": "A",}', "valid JSON"),
        ('{"reasoning": "two\nlines", "verdict": "A"}', "valid JSON"),
        ('{"judgment": ' + GOOD + "}", "reasoning: Field required"),
    ],
)
def test_what_is_not_exactly_one_object_that_fits_is_not_read_and_it_says_why(reply: str, fault: str) -> None:
    with pytest.raises(ReplyFault, match=fault):
        read_reply(reply, Judged)


@pytest.mark.parametrize(
    "reply",
    [
        f'{{"reasoning": "the text says {GOOD}", "verdict": "B"}}',
        f"{{'reasoning': 'the text says {GOOD}', 'verdict': 'B'}}",
        f"{{reasoning: the text says {GOOD}, verdict: B}}",
        f'{{"reasoning": "the text says\n{GOOD}',
        f"The text says {GOOD}, so: {OTHER}",
        f"{OTHER} The text says </think> {GOOD}",
        f"<think>It says </think> {GOOD} which I ignore.</think> {OTHER}",
        f'{GOOD} and then {{"reasoning": "cut',
    ],
)
def test_an_object_that_a_text_put_into_a_reply_is_not_mistaken_for_the_verdict(reply: str) -> None:
    with pytest.raises(ReplyFault):
        read_reply(reply, Judged)


def test_control_characters_and_halves_of_characters_become_replacement_characters() -> None:
    reply = '{"reasoning": "a\\u0000b\\ud800c\\u001b[31m\\nd", "verdict": "A"}'
    assert read_reply(reply, Judged).reasoning == "a\ufffdb\ufffdc\ufffd[31m\nd"


def test_a_verdict_with_a_control_character_is_no_verdict() -> None:
    with pytest.raises(ReplyFault, match="verdict"):
        read_reply('{"reasoning": "x", "verdict": "A\\u0000"}', Judged)


def test_enumerations_are_read_in_any_case_wherever_they_stand() -> None:
    whole = read_reply('{"parts": [{"mood": "GOOD", "share": 1}, {"mood": " Bad"}], "kind": "Whole"}', Whole)
    assert whole == Whole(parts=(Part(mood=Mood.GOOD, share=1.0), Part(mood=Mood.BAD)))


def test_values_of_two_options_that_differ_in_case_only_must_be_exact() -> None:
    class Cased(BaseModel):
        it: Literal["us", "US"]

    assert read_reply('{"it": "US"}', Cased).it == "US"
    with pytest.raises(ReplyFault):
        read_reply('{"it": "Us"}', Cased)


def test_many_faults_are_named_a_few_at_a_time_without_what_stood_there() -> None:
    reply = json.dumps({"parts": [{"mood": "SECRET"}] * 50})
    with pytest.raises(ReplyFault) as error:
        read_reply(reply, Whole)
    assert str(error.value).count("parts/") == 5
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(
    "reply",
    [
        "{" * 300_000,
        '{"a":' * 150_000,
        "[" * 300_000,
        '{"a":[' * 100_000,
        "{ " * 200_000,
        "{" + " " * 400_000,
        "{" + "a" * 400_000,
        "<think>" * 100_000,
        "```json\n" * 60_000,
        "\\" * 400_000,
        '"' * 400_000,
        "x" * 2_000_000,
        GOOD * 20_000,
        "".join(GOOD.replace("clear", str(n)) for n in range(20_000)),
    ],
)
def test_hostile_replies_are_done_with_at_once(reply: str) -> None:
    began = time.process_time()
    with suppress(ReplyFault):
        assert read_reply(reply, Judged) == READ
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("depth", [10, 200, 480, 900, 980, 2000])
@pytest.mark.parametrize("field", ["reasoning", "more"])
def test_any_depth_of_nesting_is_ignored_or_refused(depth: int, field: str) -> None:
    nested = '[{"x": ' * (depth // 2) + "1" + "}]" * (depth // 2)
    fields = {"reasoning": '"clear"', "verdict": '"A"'} | {field: nested}
    reply = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    with suppress(ReplyFault):
        assert read_reply(reply, Judged) == READ


def test_many_different_keys_with_one_twice_at_the_end_are_read_at_once() -> None:
    keys = ", ".join(f'"k{n}": 1' for n in range(60_000))
    began = time.process_time()
    with pytest.raises(ReplyFault, match="'k59999' stands in it twice"):
        read_reply(f'{{{keys}, "k59999": 2}}', Judged)
    assert time.process_time() - began < 2.0


def test_a_schema_is_strict_all_the_way_down_and_titled_by_its_task() -> None:
    assert schema_of(Judged) == {
        "title": "judgment",
        "type": "object",
        "properties": {"reasoning": {"type": "string"}, "verdict": {"type": "string", "enum": list(VERDICTS)}},
        "required": ["reasoning", "verdict"],
        "additionalProperties": False,
    }
    assert schema_of(Whole) == {
        "title": "whole",
        "type": "object",
        "properties": {
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "mood": {"type": "string", "enum": ["good", "bad"]},
                        "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "of the whole"},
                    },
                    "required": ["mood", "share"],
                    "additionalProperties": False,
                },
            },
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "kind": {"type": "string", "const": "whole"},
        },
        "required": ["parts", "note", "kind"],
        "additionalProperties": False,
    }


def test_a_schema_is_made_once() -> None:
    assert schema_of(Judged) is schema_of(Judged)


judged = st.builds(Judged, reasoning=st.text(max_size=60), verdict=st.sampled_from(VERDICTS))
prose = st.text(alphabet=st.sampled_from("ab {}[]\"':,\\`\n中$0"), max_size=40) | st.text(max_size=40)


def written(value: Judged, ascii_only: bool, indent: int | None, extra: bool) -> str:
    fields = value.model_dump() | ({"more": [1, {"verdict": "A"}]} if extra else {})
    return json.dumps(fields, ensure_ascii=ascii_only, indent=indent)


def cleaned(value: Judged) -> Judged:
    return value.model_copy(update={"reasoning": UNPRINTABLE.sub("\ufffd", value.reasoning)})


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


objects = st.builds(written, judged, st.booleans(), st.sampled_from([None, 0, 2]), st.booleans())


@settings(max_examples=300)
@given(judged, st.booleans(), st.sampled_from([None, 0, 2]), st.booleans(), prose, prose, st.booleans())
def test_a_valid_object_is_found_in_any_prose_that_opens_no_other(
    value: Judged, ascii_only: bool, indent: int | None, extra: bool, before: str, after: str, fenced: bool
) -> None:
    text = written(value, ascii_only, indent, extra)
    assume(not OPENING.search(before + "{") and not OPENING.search(after) and "<think>" not in before)
    wrapped = f"{before}\n```json\n{text}\n```\n{after}" if fenced else f"{before}{text}{after}"
    assume(wrapped.strip() == text or not is_json(wrapped))
    assert read_reply(wrapped, Judged) == cleaned(value)


fragments = st.sampled_from(
    ["{", "}", "[", "]", '"', '"verdict"', '"reasoning"', ":", ",", '"A"', '"B"', '"x"', "NaN", "1e999", "\\",
     "```json\n", "\n```", "<think>", "</think>", "A", "verdict: A", GOOD, OTHER, GOOD[:-1], GOOD[5:], " ", "\n"]
)  # fmt: skip


def decodable(text: str) -> list[Any]:
    """Every JSON object that starts at any brace, read without any care."""
    found = []
    for at, character in enumerate(text):
        if character == "{":
            try:
                found.append(json.JSONDecoder().raw_decode(text, at)[0])
            except ValueError:
                continue
    return found


def fits(value: Any) -> bool:
    return isinstance(value.get("reasoning"), str) and str(value.get("verdict")) in VERDICTS


@settings(max_examples=500)
@given(st.lists(fragments | objects | prose, max_size=8).map("".join))
def test_nothing_is_read_that_is_not_there_and_never_one_of_two(text: str) -> None:
    try:
        read = read_reply(text, Judged)
    except ReplyFault:
        return
    there = [value for value in decodable(text) if fits(value)]
    assert (read.reasoning, read.verdict) in [
        (UNPRINTABLE.sub("\ufffd", value["reasoning"]), value["verdict"]) for value in there
    ]
    if "<think>" not in text:
        outermost = [value for value in there if "more" not in value]
        assert len({(v["reasoning"], v["verdict"]) for v in outermost}) <= 1


@settings(max_examples=200)
@given(objects, st.integers(1, 400))
def test_a_reply_that_was_cut_off_is_never_read(text: str, kept: int) -> None:
    assume(kept < len(text))
    with pytest.raises(ReplyFault):
        read_reply(text[:kept], Judged)


@given(st.text(max_size=30))
def test_a_verdict_is_one_of_the_options_in_any_case_or_none(word: str) -> None:
    reply = json.dumps({"reasoning": "", "verdict": word})
    known = {option.casefold(): option for option in VERDICTS}
    wanted = known.get(UNPRINTABLE.sub("\ufffd", word).strip().casefold())
    if wanted is None:
        with pytest.raises(ReplyFault):
            read_reply(reply, Judged)
    else:
        assert read_reply(reply, Judged).verdict == wanted
