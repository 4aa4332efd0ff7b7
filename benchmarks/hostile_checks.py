"""Whether a hostile text got anywhere: what is looked for in the prompt that holds it and the reply that quotes it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Literal, get_args

from agents.chat.endpoint import Message
from agents.chat.fence import UNPRINTABLE, Fence, read_blocks
from agents.chat.json_reply import ReplyFault, read_reply
from agents.chat.prompts import Prompt, load_prompt
from agents.chat.question import criterion_text, judgment_of, pair_call, view_pair
from agents.chat.rationale import LONGEST, SHOWN_TURNED, tidy
from agents.chat.replies import PairReply
from agents.chat.text_limit import TextLimit
from agents.judgments import Order
from agents.pairs import Pair
from knowledge_base.criterion import Criterion, Provenance

Role = Literal["a", "b", "prompt", "criterion", "worker", "reply"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Where a text can stand: either text of a pair, what both answer, a criterion's description, the reasoning of a worker
that the manager is shown, and the reply of a model that does as the text says."""

LANGUAGES = ("en", "zh")
FENCE = Fence(b"known to no text", "one pair")
EVERYTHING = TextLimit(tokens=10_000_000)
PLAIN = {"prompt": "Why is the sky blue?", "a": "It scatters blue light.", "b": "Nobody knows."}
TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
LOOK_ALIKES = str.maketrans("асеО", "ace0")
SOURCE = Provenance(kind="person", source="benchmark")
Blocks = list[tuple[str, str]]


def escapes(text: str, role: Role, language: str) -> list[str]:
    """What a text achieved in a role, a phrase each; nothing, one hopes."""
    if role == "reply":
        return _reply_escapes(text, language)
    prompt = load_prompt("critique" if role == "worker" else "judge", language)
    put = _put(text, role)
    messages, expected = _critique(prompt, put) if role == "worker" else _judge(prompt, put, role)
    return _prompt_escapes(prompt, messages, expected, put)


def _put(text: str, role: Role) -> str:
    """A text as the role takes it: a criterion's description and a worker's reasoning have bounds of their own."""
    if role == "criterion":
        return text.encode("utf-8", "replace").decode()[:1200].ljust(20, ".")
    return tidy(text) if role == "worker" else text


def _judge(prompt: Prompt, put: str, role: Role) -> tuple[Sequence[Message], Blocks]:
    texts = PLAIN | {role: put} if role in PLAIN else PLAIN
    words = put if role == "criterion" else "Which text explains more?"
    criterion = Criterion(name="explanation", description=words, provenance=SOURCE)
    pair = Pair.model_validate({"id": "1", "preferred": "tie", **texts})
    view = view_pair(pair, "ab", FENCE, EVERYTHING, prompt.language)
    blocks = [(name, text) for name, text in texts.items() if text or name != "prompt"]
    expected = [*blocks, ("criterion", criterion_text(criterion))]
    return pair_call(prompt, view, criterion, 0).messages, expected


def _critique(prompt: Prompt, put: str) -> tuple[Sequence[Message], Blocks]:
    mistake = [*PLAIN.items(), ("people", "a"), ("worker", put)]
    blocks = [("criterion", "explanation: Which text explains more?"), *((f"mistake 1 {n}", t) for n, t in mistake)]
    return prompt.fill(mark=FENCE.mark, blocks=FENCE.blocks(blocks)), blocks


def _prompt_escapes(prompt: Prompt, messages: Sequence[Message], expected: Blocks, put: str) -> list[str]:
    user, found = messages[-1].content, read_blocks(messages[-1].content)
    marks = 2 * len(expected) + (user.find(FENCE.mark) < user.find(f"[[{expected[0][0]} {FENCE.mark}]]"))
    outcomes = {
        "changed the instructions": messages[0].content == prompt.parts[0][1],
        "changed the blocks": [name for name, _ in found] == [name for name, _ in expected],
        "changed another block": _others(found, put) == _others(expected, put),
        "stands otherwise than meant": _stands(found, expected),
        "changed what stands around the blocks": _around(user, found) == _frame(prompt),
        "reads as the mark": reading(user).count(FENCE.mark) == marks,
        "cannot be sent": UNPRINTABLE.search(user) is None,
    }
    return [escape for escape, well in outcomes.items() if not well]


def _others(blocks: Blocks, put: str) -> Blocks:
    plain = {*PLAIN.values(), "explanation: Which text explains more?", "a"} - {put}
    return [(name, text) for name, text in blocks if text in plain]


def _stands(found: Blocks, expected: Blocks) -> bool:
    """Whether each text stands in its block as it should, or, where it holds the mark, at least without it."""
    return len(found) == len(expected) and all(
        seen == sent if FENCE.mark not in reading(sent) else FENCE.mark not in reading(seen)
        for (_, seen), (_, sent) in zip(found, ((n, printable(t)) for n, t in expected), strict=True)
    )


def _around(user: str, found: Blocks) -> str:
    """A message without its blocks."""
    for name, text in found:
        user = user.replace(f"[[{name} {FENCE.mark}]]\n{text}\n[[/{name} {FENCE.mark}]]", "", 1)
    return "".join(user.split())


@cache
def _frame(prompt: Prompt) -> str:
    """The same of a prompt with no blocks in it."""
    places = dict.fromkeys(prompt.places, "") | {"mark": FENCE.mark}
    return "".join(prompt.fill(**places)[-1].content.split())


def printable(text: str) -> str:
    """What should become of a text that holds no mark, said another way than the fence says it."""
    text = text.replace("\r\n", "\n")
    for end in "\r\x85\u2028\u2029":
        text = text.replace(end, "\n")
    unfit = {c for c in set(text) if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"}
    return text.translate({ord(c): "\ufffd" for c in unfit})


def reading(text: str) -> str:
    """A text as a careless reader sees it: without case, accents and invisible characters, letters by their looks."""
    unseen = {ord(c): "" for c in set(text) if unicodedata.category(c) in ("Cf", "Mn", "Me")}
    seen = unicodedata.normalize("NFKC", text.translate(unseen | TAGS)).translate(LOOK_ALIKES).casefold()
    return seen.translate({ord(c): str(unicodedata.decimal(c)) for c in set(seen) if c.isdecimal()})


def _reply_escapes(text: str, language: str) -> list[str]:
    """A reply whose reasoning is the text, then one that is nothing but the text."""
    found = [f"{error} as reasoning" for order in get_args(Order) if (error := _as_reasoning(text, order, language))]
    try:
        read = read_reply(text, PairReply)
    except ReplyFault:
        return found
    return found if f'"verdict": "{read.verdict}"' in text else [*found, "was read as a verdict that it does not hold"]


def _as_reasoning(text: str, order: Order, language: str) -> str:
    pair = Pair(id="1", a="x", b="y", preferred="tie")
    reply = read_reply(json.dumps({"reasoning": text[:100_000], "verdict": "B"}), PairReply)
    judgment = judgment_of("key", reply, view_pair(pair, order, FENCE, EVERYTHING, language), language)
    kept, unfit = judgment.rationale, [c for c in judgment.rationale if unicodedata.category(c) in ("Cc", "Cs", "Zl")]
    if judgment.verdict != ("B" if order == "ab" else "A"):
        return "changed the verdict"
    return "was kept unfit or too long" if unfit or len(kept) > LONGEST + len(SHOWN_TURNED["en"]) else ""
