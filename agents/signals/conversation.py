"""The manners of an answer in a conversation: greeting, refusing, apologising, praising, offering more help.

What raters of assistants like and dislike in these is described by Bai et al. 2022 (arXiv 2204.05862, refusals and
hedged helpfulness), Sharma et al. 2023 (arXiv 2310.13548, sycophancy) and Roettger et al. 2024 (XSTest, arXiv
2308.01263, exaggerated refusal). Phrase lists were written for this project, in English.
"""

from __future__ import annotations

import re

from agents.signals.lexicons import Phrases
from agents.signals.passage import Passage
from agents.signals.rates import per_100_words, phrase_rate
from agents.signals.signal import signal

_TURN = re.compile(
    r"^[ \t>*#_]*(?:human|user|assistant|system|bot|ai|chatgpt|customer|agent|interviewer|interviewee"
    r"|person [a-z1-9]|speaker [a-z1-9]|q|a)"
    r"[*_]*[ \t]*:[*_]*(?:[ \t]|$)|<\|(?:user|assistant|system|im_start)\|>",
    re.IGNORECASE | re.MULTILINE,
)
_QUESTION = re.compile(r"[?\uff1f\u061f][\s\"'\u201d\u2019)*_]*$")

_GREETING = Phrases(
    (
        "hello",
        "hi",
        "hey",
        "greetings",
        "dear",
        "welcome back",
        "good morning/afternoon/evening/day",
        "nice/pleased/glad/great to meet you",
        "how are you",
        "hope you're",
        "hope you are",
        "hope you are doing well",
        "hope this email/message finds you",
    )
)
_REFUSAL = Phrases(
    (
        "i can't/cannot/couldn't/won't help/assist/provide/answer/do/create/write/generate/comply/fulfill"
        "/support/engage/discuss",
        "i can not help/assist/provide/answer/do/create/write/generate/comply/fulfill",
        "i'm unable/not able to",
        "i am unable/not able to",
        "i'm not able to",
        "i am not able to",
        "i'm not comfortable",
        "i am not comfortable",
        "i'm not going to",
        "i am not going to",
        "i must decline/refuse",
        "i have to decline/refuse",
        "i won't be able to",
        "i will not be able to",
        "i'd rather not",
        "i would rather not",
        "i don't/do not feel comfortable",
        "i don't/do not have the ability/access/capability",
        "i do not have access",
        "i cannot/can't in good conscience",
        "as an ai language model i cannot/can't",
        "against my guidelines/programming/policy/principles",
        "it is/would not be appropriate for me",
        "not appropriate for me to",
        "can't/cannot be of assistance",
    )
)
_APOLOGY = Phrases(
    (
        "sorry",
        "i apologize/apologise",
        "we apologize/apologise",
        "my apologies/apology",
        "apologies",
        "my bad",
        "my mistake",
        "forgive me",
        "please excuse",
        "regret to",
        "unfortunately i/we",
    )
)
_SELF = Phrases(
    (
        "as an ai",
        "as an artificial intelligence",
        "as a large/language model",
        "as a language model",
        "i'm an ai",
        "i am an ai",
        "i'm a large/language model",
        "i am a large/language model",
        "i'm just/only an ai",
        "i am just/only an ai",
        "i'm just/only a language/computer/machine",
        "i am just/only a language/computer/machine",
        "i am/i'm an artificial intelligence",
        "my training data",
        "my knowledge cutoff",
        "my last/knowledge update",
        "i was trained/created/developed by",
        "i don't/do not have feelings/emotions/opinions/beliefs/consciousness",
        "i don't/do not have personal feelings/emotions/opinions/beliefs/experiences/preferences",
        "i don't/do not have real-time",
    )
)
_ACKNOWLEDGEMENT = Phrases(
    (
        "great/good/excellent/interesting/fantastic/wonderful/fascinating/fair/thoughtful question",
        "that's a great/good/excellent/interesting/fantastic/wonderful/fascinating/fair",
        "that is a great/good/excellent/interesting/fantastic/wonderful/fascinating/fair",
        "what a great/good/excellent/interesting/fantastic/wonderful/fascinating/fair",
        "sure",
        "certainly",
        "absolutely",
        "of course",
        "you're absolutely/completely/quite right",
        "you are absolutely/completely/quite right",
        "you're right",
        "you are right",
        "good/great point/catch/idea/job/work/thinking",
        "nice work/job/catch/one",
        "well done",
        "i understand",
        "i see",
        "i appreciate",
        "thank you",
        "thanks",
        "got it",
        "happy/glad to help",
        "no problem",
        "makes sense",
        "looks good",
        "lgtm",
    )
)
_OFFER = Phrases(
    (
        "let me know",
        "feel free",
        "do not hesitate",
        "don't hesitate",
        "if you have any/more/further/other/additional",
        "if you need/want any/more/further/help/me",
        "if you'd like",
        "if you would like",
        "would you like me/to/some/more/help",
        "do you want me",
        "i'd/i'll be happy/glad to",
        "i would/will be happy/glad to",
        "i'm happy/glad to",
        "i am happy/glad to",
        "i'm here to help",
        "i am here to help",
        "happy/glad to help/assist/elaborate/clarify/provide/explain",
        "how can/may i help/assist",
        "is there anything else",
        "anything else i can",
        "i hope this/that helps",
        "hope this/that/it helps",
        "shall i",
    )
)
_ADDRESSEES = Phrases(
    (
        "you/your/yours/yourself/yourselves",
        "you're/you'll/you've/you'd",
        "u/ur",
        "y'all",
        "ladies and gentlemen",
        "dear reader/readers",
        "folks/everyone/guys",
        "my friend/friends",
    )
)


@signal(unit="turns", source="this project")
def turn_count(passage: Passage) -> float:
    """Speaker labels at the start of a line (`Human:`, `Assistant:`, `Q:`) and chat-template marks."""
    return float(len(_TURN.findall(passage.text)))


@signal(unit="per 100 words", source="this project", scope="english")
def greeting_rate(passage: Passage) -> float:
    """Greetings (`hello`, `good morning`, `hope you are doing well`), per 100 words."""
    return phrase_rate(passage, _GREETING)


@signal(unit="0 or 1", high=1.0, source="this project")
def closing_question(passage: Passage) -> float:
    """1 if the text ends in a question, in any script."""
    return float(bool(_QUESTION.search(passage.text[-400:].rstrip())))


@signal(unit="per 100 words", source="Roettger et al. 2024, XSTest; Bai et al. 2022", scope="english")
def refusal_rate(passage: Passage) -> float:
    """Phrases that refuse (`I can't help`, `I'm not able to`, `I must decline`), per 100 words."""
    return phrase_rate(passage, _REFUSAL)


@signal(unit="per 100 words", source="this project", scope="english")
def apology_rate(passage: Passage) -> float:
    """Apologies (`sorry`, `I apologize`, `my mistake`), per 100 words."""
    return phrase_rate(passage, _APOLOGY)


@signal(unit="per 100 words", source="this project", scope="english")
def self_reference_rate(passage: Passage) -> float:
    """Phrases in which a model speaks of itself as one (`as an AI`, `my training data`), per 100 words."""
    return phrase_rate(passage, _SELF)


@signal(unit="per 100 words", source="Sharma et al. 2023, Towards Understanding Sycophancy", scope="english")
def acknowledgement_rate(passage: Passage) -> float:
    """Phrases that greet what was said (`great question`, `sure`, `good catch`, `I understand`), per 100 words."""
    return phrase_rate(passage, _ACKNOWLEDGEMENT)


@signal(unit="per 100 words", source="this project", scope="english")
def offer_rate(passage: Passage) -> float:
    """Offers of more help (`let me know`, `feel free`, `would you like me to`), per 100 words."""
    return phrase_rate(passage, _OFFER)


@signal(unit="per 100 words", source="Biber 1988 (second-person pronouns)", scope="english")
def addressee_rate(passage: Passage) -> float:
    """Words that address the reader (`you`, `your`, `folks`, `dear reader`), per 100 words."""
    return per_100_words(_ADDRESSEES.count(passage.lower_words), passage)
