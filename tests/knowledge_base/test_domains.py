"""Recognising a domain: right on texts of every kind, from few of them, and the same in any order."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import domains
from knowledge_base.criterion import DOMAINS, Domain
from knowledge_base.domains import DomainGuess, recognise_domain

HUMAN_PAIRS = Path(__file__).parents[3] / "shared" / "data"

HOW_TO = {
    "How do I stop my glasses from fogging up?": [
        "Wash the lenses with soapy water and let them air dry; the thin film keeps fog from forming.",
        "Fold a tissue and put it under the top edge of your scarf.",
    ],
    "How long should I boil an egg?": [
        "For a soft yolk 6 minutes, for a hard one 10 to 12. Start timing when the water boils again.",
        "It depends on how you like it.",
    ],
    "Why does my dog eat grass?": [
        "Dogs eat grass out of boredom, an upset stomach, or because they like it. See a vet if yours vomits often.",
        "Mine does that too, it's normal.",
    ],
    "How can I save money on groceries?": [
        "Plan your meals for the week, make a list and stick to it. Compare unit prices and freeze leftovers.",
        "There are many ways to save money on groceries. Firstly, it is important to consider budgeting.",
    ],
    "How do I reset my router?": [
        "Hold the small button on the back for ten seconds until the lights blink, then set it up again.",
        "Unplug it, wait 30 seconds, and plug it in again.",
    ],
}
FUNCTIONS = [
    "def clamp(value, low, high):\n    return max(low, min(high, value))\n",
    'def words(text):\n    """Split a text into words.\n\n    Returns a list, empty for an empty text.\n    """\n'
    "    return text.split()\n",
    "def gcd(a, b):\n    # Euclid\n    while b:\n        a, b = b, a % b\n    return a\n",
    "def flatten(nested):\n    for item in nested:\n        if isinstance(item, list):\n"
    "            yield from flatten(item)\n        else:\n            yield item\n",
    "import json\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n",
]
PAGES = [
    "Bluebird Bakery has been baking in Portsmouth since 1962. Visit us at 14 High Street. Opening hours: Mon-Sat 7-4.",
    "The Battle of Lissa took place on 20 July 1866 in the Adriatic Sea. It was a victory for the Austrian fleet.",
    "Industrial output rose by 2.9 percent in October, the statistics office said on Friday. Read more.",
    "Photo gallery. Login. Register. Terms and Conditions. Copyright 2014. All rights reserved.",
    "Apartment for rent: two bedrooms, balcony, near the park. 900 per month plus utilities. No pets.",
    "Dr. Helen Okafor is Professor of Chemistry. Her research interests include catalysis. PhD 1998.",
]
DEBATE = [
    "Animal testing should be banned since it makes sentient creatures suffer and its results rarely hold for humans.",
    "Without animal testing we would have no vaccines; the benefit to millions outweighs the harm.",
    "gun control doesnt work, criminals will always find guns anyway",
    "Social media brings people together and lets the oppressed speak, thus it does more good than harm.",
]
STORIES = [
    "She folded the map along its old creases and said nothing. Below them the valley was filling with smoke.",
    "The year my brother stopped speaking, my father built a boat in the garage that was too wide for the door.",
    '"They won\'t come," said Ilse, and she lit the lamp all the same.',
]
COMMENTS = [
    "Could we move this check into the constructor? It is repeated in three methods.",
    "Unused import.",
    "nit: `count` is a better name than `c` here, and please add a test for zero.",
    "This breaks the old callers, since the default value of the parameter has changed.",
]
SAMPLES: dict[str, tuple[list[str], list[str], Domain]] = {
    "how-to answers": ([text for texts in HOW_TO.values() for text in texts], list(HOW_TO), "answers"),
    "Python functions": (FUNCTIONS, [], "code"),
    "Python functions for a task": (FUNCTIONS, ["Write a function that clamps a number to a range."], "code"),
    "web pages": (PAGES, [], "web"),
    "arguments": (DEBATE, ["Should animal testing be banned?"], "argument"),
    "arguments without their question": (DEBATE, [], "argument"),
    "stories": (STORIES, ["Write the opening of a story about a family."], "creative"),
    "stories without their prompt": (STORIES, [], "creative"),
    "review comments": (COMMENTS, ["@@ -1,3 +1,4 @@ def f(a):\n-    return a\n+    return a + 1"], "review"),
    "review comments without their diff": (COMMENTS, [], "review"),
    "functions written for a diff": (FUNCTIONS, ["diff --git a/f.py b/f.py\n+def clamp(): ..."], "code"),
}
DESCRIPTIONS: dict[str, Domain] = {
    "Which of two review comments on a pull request is more useful?": "review",
    "Short stories rated by novelists": "creative",
    "Documents from a web crawl, for pretraining": "web",
    "Python solutions to programming problems": "code",
    "Which essay is more persuasive?": "argument",
    "Which response of the chatbot is more helpful?": "answers",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_sample_of_each_kind_is_recognised(kind: str) -> None:
    texts, prompts, expected = SAMPLES[kind]
    assert recognise_domain(texts, prompts).domain == expected


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_a_description_alone_is_enough(description: str) -> None:
    assert recognise_domain([], [], description).domain == DESCRIPTIONS[description]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_single_function_is_recognised(function: str) -> None:
    assert recognise_domain([function], []).domain == "code"


def development(name: str) -> list[dict[str, str]]:
    """The rows of a file of human pairs that are open to development: two fifths of the groups, by hash."""
    path = HUMAN_PAIRS / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"{name}.jsonl is not beside the project")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if int(hashlib.sha256(row["group"].encode()).hexdigest(), 16) % 5 in (0, 1)]


@pytest.mark.parametrize("size", [5, 40])
@pytest.mark.parametrize(
    ("name", "expected"), [("lamp_pref", "creative"), ("ukp_convarg1", "argument"), ("crscore", "review")]
)
def test_pairs_that_people_compared_are_recognised(name: str, expected: Domain, size: int) -> None:
    rows = random.Random(size).sample(development(name), size)
    texts = [row[side] for row in rows for side in ("a", "b")]
    assert recognise_domain(texts, [row["prompt"] for row in rows]).domain == expected
    assert recognise_domain(texts, []).domain == expected


def test_a_diff_as_the_prompt_makes_short_remarks_a_review() -> None:
    remarks = ["Looks fine.", "I do not like this.", "Why?"]
    diff = "@@ -4,2 +4,2 @@ recipe\n-two eggs\n+three eggs"
    assert recognise_domain(remarks, [diff]).domain == "review"
    assert recognise_domain(remarks, ["two eggs, three eggs"]).domain != "review"


def test_programs_are_code_whatever_their_strings_speak_of() -> None:
    tale = [f'print("{line}")' for line in STORIES[0].split(". ")]
    assert recognise_domain(["\n".join(tale)], []).domain == "code"


def test_prose_about_programs_is_a_review_only_if_it_answers_no_question() -> None:
    about_code = ["To reverse a string, use slicing with a step of minus one.", "Call reversed and join the letters."]
    assert recognise_domain(about_code, ["How do I reverse a string?"]).domain in {"answers", "code"}
    assert recognise_domain(about_code, ["@@ -1 +1 @@\n-s = f(s)\n+s = s[::-1]"]).domain == "review"


def test_an_answer_around_a_block_of_code_is_about_code() -> None:
    answer = "You can slice the string, which is short and fast:\n\n```python\ntext[::-1]\n```\n\nHope that helps."
    assert recognise_domain([answer], ["How do I reverse a string?"]).domain == "code"


def test_a_page_that_answers_a_prompt_is_no_web_page() -> None:
    kestrel = ["The kestrel is a bird of prey of the falcon family, 32 to 39 cm long, widespread in Europe and Asia."]
    assert recognise_domain(kestrel, []).domain == "web"
    assert recognise_domain(kestrel, ["What is a kestrel?"]).domain == "answers"


def test_a_description_can_settle_what_the_texts_leave_open() -> None:
    texts = ["Yes, I agree with that.", "No, I do not think so."]
    open_guess = recognise_domain(texts, [])
    told = recognise_domain(texts, [], "Which of two arguments in a debate is more convincing?")
    assert told.domain == "argument"
    assert told.probabilities["argument"] > open_guess.probabilities["argument"]


@pytest.mark.parametrize(("texts", "prompts"), [([], []), (["", " \n"], [""])])
def test_with_nothing_to_go_on_all_domains_are_as_likely(texts: list[str], prompts: list[str]) -> None:
    guess = recognise_domain(texts, prompts)
    assert guess.domain == "web"
    assert list(guess.probabilities.values()) == pytest.approx([1 / 6] * 6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=50), max_size=4), st.lists(st.text(max_size=50), max_size=2), st.text(max_size=30))
def test_any_texts_give_probabilities_that_sum_to_one(texts: list[str], prompts: list[str], description: str) -> None:
    guess = recognise_domain(texts, prompts, description)
    assert list(guess.probabilities) == list(DOMAINS)
    assert sum(guess.probabilities.values()) == pytest.approx(1)
    assert guess.probabilities[guess.domain] == pytest.approx(max(guess.probabilities.values()))


@settings(max_examples=10, deadline=None)
@given(st.permutations(PAGES + STORIES), st.permutations(list(HOW_TO)))
def test_the_order_of_texts_and_prompts_does_not_matter(texts: list[str], prompts: list[str]) -> None:
    assert recognise_domain(texts, prompts) == recognise_domain(PAGES + STORIES, list(HOW_TO))


def test_repeated_texts_count_once() -> None:
    assert recognise_domain(PAGES + [DEBATE[0]] * 50, []) == recognise_domain([*PAGES, DEBATE[0]], [])


def test_a_large_sample_is_cut_to_the_same_texts_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "SAMPLE", 4)
    texts = [f"Story number {n}." for n in range(20)]
    assert domains._sample(texts) == domains._sample(texts[::-1])
    assert len(domains._sample(texts)) == 4


def test_giant_hostile_texts_are_read_only_at_their_start() -> None:
    giant = ["{" * 2_000_000, "'''" + "a(" * 1_000_000, "\ud800" * 100_000]
    assert isinstance(recognise_domain(giant, ["@@" * 1_000_000]), DomainGuess)


@pytest.mark.parametrize(
    "text",
    [
        'def f():\n    """Words and words.\n\n    More words, and still more words.\n    """\n    return 1',
        "#include <stdio.h>\nint main(void) {\n  return 0;\n}",
        "SELECT name\nFROM people;",
        "let x = 1;",
    ],
)
def test_programs_look_like_code(text: str) -> None:
    assert domains._is_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "If you import goods, return them.",
        "A poem\nof lines\nwithout stops",
        "# Heading\n\nWords.",
        "'''never closed",
    ],
)
def test_prose_does_not_look_like_code(text: str) -> None:
    assert not domains._is_code(text)


def test_prototypes_cover_every_domain_and_repeat_nothing() -> None:
    texts = [text for domain in DOMAINS for text in domains._prototypes()[domain].texts]
    assert len(texts) == len(set(texts))
    assert all(7 <= len(domains._prototypes()[domain].texts) <= 10 for domain in DOMAINS)
    assert all(domains._prototypes()[domain].prompts for domain in DOMAINS if domain != "web")
