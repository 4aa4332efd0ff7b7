"""Cutting texts into words, sentences and paragraphs, and knowing what kind of text it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import LIMIT, Passage

ANY_TEXT = st.text(st.characters(), max_size=300)


def test_the_text_is_measured_up_to_the_limit() -> None:
    assert len(Passage("ab " * LIMIT).text) == LIMIT


def test_nul_bytes_are_dropped_and_lone_surrogates_replaced() -> None:
    assert Passage("a\x00b \ud800c").text == "ab \ufffdc"


def test_windows_line_ends_count_as_line_ends() -> None:
    assert Passage("one\r\ntwo\rthree").lines == ["one", "two", "three"]


def test_the_hash_depends_on_where_the_prompt_ends() -> None:
    assert Passage("bc", "a").hash != Passage("c", "ab").hash
    assert Passage("bc", "a").hash == Passage("bc", "a").hash
    assert len(Passage("\ud800").hash) == 16


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop the well-known train.", ["Don't", "stop", "the", "well-known", "train"]),
        ("It cost 1,250.75 dollars in 2019", ["It", "cost", "1,250.75", "dollars", "in", "2019"]),
        ("caf\u00e9 na\u00efve \u00fcber", ["caf\u00e9", "na\u00efve", "\u00fcber"]),
        ("they\u2019re here", ["they\u2019re", "here"]),
        ("a\u2014b", ["a", "b"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e",
         ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092d\u093e\u0937\u093e"]),
        ("\U0001f600 !!! ...", []),
        ("", []),
    ],
)  # fmt: skip
def test_words_are_cut_in_any_spaced_script(text: str, words: list[str]) -> None:
    assert Passage(text).words == words


def test_chinese_is_cut_into_words_not_characters_or_clauses() -> None:
    words = Passage("\u6211\u559c\u6b22\u5403\u82f9\u679c\uff0c\u56e0\u4e3a\u5b83\u4eec\u5f88\u751c\u3002").words
    assert "\u82f9\u679c" in words
    assert "\u56e0\u4e3a" in words
    assert 7 <= len(words) <= 10


def test_japanese_and_korean_are_cut_into_words() -> None:
    assert "\u30ea\u30f3\u30b4" in Passage("\u79c1\u306f\u30ea\u30f3\u30b4\u304c\u597d\u304d\u3067\u3059\u3002").words
    assert len(Passage("\ub098\ub294 \uc0ac\uacfc\ub97c \uc88b\uc544\ud569\ub2c8\ub2e4.").words) >= 4


def test_latin_words_inside_chinese_stay_whole() -> None:
    assert "Python3" in Passage("\u6211\u4eec\u4f7f\u7528Python3\u7f16\u5199\u4ee3\u7801").words


def test_lower_words_have_straight_apostrophes() -> None:
    assert Passage("Don\u2019t SHOUT").lower_words == ["don't", "shout"]


def test_content_words_leave_function_words_out() -> None:
    assert Passage("The cat sat on the mat because it was warm").content_words == ["cat", "sat", "mat", "warm"]


def test_fenced_code_and_addresses_are_no_prose() -> None:
    passage = Passage("Use this:\n```python\nfor secret in range(3): pass\n```\nSee https://example.org/page now.")
    assert passage.words == ["Use", "this", "See", "now"]
    assert "secret" in passage.text


def test_a_text_of_nothing_but_fenced_code_keeps_its_words() -> None:
    assert "answer" in Passage("```\nanswer = 42\n```").words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met J. K. Rowling at 3.5 p.m. sharp. They left.",
         ["Dr. Smith met J. K. Rowling at 3.5 p.m. sharp.", "They left."]),
        ('"What?" he said. "No!" she cried.', ['"What?" he said.', '"No!" she cried.']),
        ("Well... maybe not. Fine.", ["Well... maybe not.", "Fine."]),
        ("i think so. it is good.", ["i think so.", "it is good."]),
        ("That is wrong.It is right", ["That is wrong.", "It is right"]),
        ("\u4f60\u597d\u3002\u4f60\u5462\uff1f\u597d\uff01",
         ["\u4f60\u597d\u3002", "\u4f60\u5462\uff1f", "\u597d\uff01"]),
        ("\u092f\u0939 \u0905\u091a\u094d\u091b\u093e \u0939\u0948\u0964 \u0939\u093e\u0901\u0964",
         ["\u092f\u0939 \u0905\u091a\u094d\u091b\u093e \u0939\u0948\u0964", "\u0939\u093e\u0901\u0964"]),
        ("Title\n- first point\n- second point", ["Title", "- first point", "- second point"]),
        ("\u2026 !!! \n ---", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert Passage(text).sentences == sentences


def test_hard_wrapped_lines_are_joined_into_one_sentence() -> None:
    text = "This is a long line of an old mail that was wrapped by hand\nand so carries on here without a pause."
    assert len(Passage(text).sentences) == 1


def test_sentence_words_match_sentences() -> None:
    assert Passage("I ran. You hid.").sentence_words == [["I", "ran"], ["You", "hid"]]
    assert Passage("I ran. You hid.").lower_sentence_words == [["i", "ran"], ["you", "hid"]]


def test_every_word_of_a_sentence_has_a_tag() -> None:
    passage = Passage("She quickly closed the wooden door. Rain fell.")
    assert [len(tags) for tags in passage.sentence_tags] == [len(words) for words in passage.sentence_words]


def test_paragraphs_are_parted_by_blank_lines() -> None:
    assert Passage("one\nstill one\n\n  \ntwo").paragraphs == ["one\nstill one", "two"]


def test_finished_lines_are_paragraphs_when_there_are_no_blank_lines() -> None:
    assert Passage("One is done.\nTwo is done.").paragraphs == ["One is done.", "Two is done."]
    assert len(Passage("A verse without\nan end").paragraphs) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Rename this variable please",
        "LGTM",
        "missing null check",
        "nit: use fooBar here",
        "Why was this removed?",
        "Dogs bark loudly",
        "The quick brown fox jumps over the lazy dog.",
        "We should go to El Paso in the spring, said la Mer.",
        "BOOKZ SUCK BECAUSE it iz harder To SPELL",
        "tv is better cuz u dont have 2 read",
    ],
)
def test_short_and_careless_english_is_english(text: str) -> None:
    assert Passage(text).is_english


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "12345 67",
        "\U0001f600\U0001f600",
        "\u6211\u559c\u6b22\u5403\u82f9\u679c",
        "\u042f \u043b\u044e\u0431\u043b\u044e \u044f\u0431\u043b\u043e\u043a\u0438",
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
        "Le chat est sur la table",
        "J'aime les pommes et les poires",
        "Ich mag Hunde",
        "Der Hund ist gro\u00df und die Katze ist klein.",
        "El perro come mucho",
        "me gusta la comida",
        "Mi piace la pizza",
        "Jag \u00e4lskar hundar",
        "Kot je ryb\u0119 i nie chce wody",
    ],
)
def test_other_languages_and_wordless_texts_are_not_english(text: str) -> None:
    assert not Passage(text).is_english


def test_case_is_known_by_script() -> None:
    assert Passage("hello").has_case
    assert Passage("\u043f\u0440\u0438\u0432\u0435\u0442").has_case
    assert not Passage("\u4f60\u597d\u4e16\u754c").has_case
    assert not Passage("123 !").has_case


@pytest.mark.parametrize(
    "text",
    [
        "Try this:\n```\nx\n```",
        "def f(x):\n    return x + 1\n",
        "int main(void) {\n  return 0;\n}\n",
        "const a = 1;\nlet b = 2;\n",
        "print(x)",
    ],
)
def test_code_is_known(text: str) -> None:
    assert Passage(text).looks_like_code


@pytest.mark.parametrize(
    "text",
    ["", "I like tea.", "For me, tea is best: it is warm.\nTry it.", "If you go, I go.\nWhile we wait, sing."],
)
def test_prose_is_no_code(text: str) -> None:
    assert not Passage(text).looks_like_code


def test_the_prompt_is_a_passage_of_its_own() -> None:
    assert Passage("answer", "What is it?").prompt_passage.words == ["What", "is", "it"]
    assert Passage("answer").prompt_passage.words == []


def test_scopes_follow_what_the_text_is() -> None:
    passage = Passage("A plain sentence about the weather.", "Tell me")
    assert [passage.in_scope(scope) for scope in ("any", "english", "cased", "prompt", "code")] == [True] * 4 + [False]
    assert not Passage("text", " \n").in_scope("prompt")


def test_an_unknown_scope_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="scope 'klingon' is unknown"):
        Passage("x").in_scope("klingon")


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT)
def test_any_text_can_be_cut(text: str) -> None:
    passage = Passage(text)
    assert all(word and not word.isspace() for word in passage.words)
    assert all(any(map(str.isalnum, sentence)) for sentence in passage.sentences)
    assert all(passage.sentence_words)
    assert all(paragraph == paragraph.strip() != "" for paragraph in passage.paragraphs)
    assert len(passage.lower_words) == len(passage.words)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["We ran home", "The rain fell hard", "Nobody came"]), min_size=1, max_size=8))
def test_finished_sentences_are_counted_exactly(parts: list[str]) -> None:
    assert Passage(". ".join(parts) + ".").sentences == [part + "." for part in parts]


def test_cutting_is_the_same_every_time() -> None:
    text = "\u6211\u559c\u6b22\u5403\u82f9\u679c and tea. Dr. Who ran... away!\n- so\n- what"
    one, two = Passage(text), Passage(text)
    assert (one.words, one.sentences, one.paragraphs) == (two.words, two.sentences, two.paragraphs)
