"""What a simulated judge says before its verdict: some 25 words, as long as a model's, that fit the verdict."""

from __future__ import annotations

from benchmarks.world.chance import uniform
from benchmarks.world.pointing import point

BETTER = (
    "Text {x} dwells on {subject} in several places and makes something of it, while text {y} touches on it once and "
    "moves on, so text {x} does better.",
    "As for {subject}, text {x} has passages that a reader would point to. In text {y} there is little of the kind "
    "that the criterion asks for.",
    "The criterion asks about {subject}. Text {x} delivers more of it from beginning to end; text {y} does so only "
    "here and there, and less firmly.",
)
EVEN = (
    "Both texts do about the same as far as {subject} is concerned; text A has it early, text B towards the end, and "
    "neither goes further than the other.",
    "Going by {subject} alone, text A and text B come out level: what one gains in the first lines the other makes up "
    "for later on.",
)
LOST = (
    "It is hard to say what {subject} would look like in these texts. Text A and text B differ, but nothing in them "
    "settles it either way.",
    "The criterion speaks of {subject} and leaves open what to look for, so that neither text A nor text B can be put "
    "first with any confidence.",
)
ABSENT = (
    "Neither text A nor text B has anything to do with {subject}, and what they were asked does not call for it, so "
    "the criterion finds nothing to compare.",
)
TEMPLATES = {"A": BETTER, "B": BETTER, "equal": EVEN, "unsure": LOST, "not applicable": ABSENT}
ONE = {
    "yes": "As for {subject}, the text has several passages that a reader would point to, and it keeps them up from "
    "the first lines to the last.",
    "no": "As for {subject}, the text touches on it in passing at most and then moves on, so that it does not do what "
    "the criterion asks for.",
    "unsure": "The text does something as far as {subject} is concerned, but not enough to be counted on, and it could "
    "be read either way.",
}


def rationale(words: str, verdict: str, *texts: str) -> str:
    """The reasoning behind a verdict on two texts."""
    templates = TEMPLATES[verdict]
    template = templates[int(uniform("rationale", words, verdict, *texts) * len(templates))]
    x, y = ("B", "A") if verdict == "B" else ("A", "B")
    return template.format(x=x, y=y, subject=subject(words))


def rationale_one(words: str, verdict: str) -> str:
    """The reasoning behind a verdict on one text."""
    return ONE[verdict].format(subject=subject(words))


def subject(words: str) -> str:
    """What a criterion is about: the concepts it names, or its name."""
    concepts = point(words).concepts[:2]
    return " and ".join(concepts) if concepts else words.partition(":")[0].strip().lower() or "this"
