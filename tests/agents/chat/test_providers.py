"""Names of providers, and what is said where a package is missing."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.langchain_model import open_model
from agents.chat.providers import openai_format, provider_of
from knowledge_base.errors import InputError


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("openai:gpt-5-mini", "openai", "gpt-5-mini"),
        ("OpenAI:my/Model-7B", "openai", "my/Model-7B"),
        ("ollama:llama3:8b", "ollama", "llama3:8b"),
        ("google-genai:gemini", "google_genai", "gemini"),
        ("openai:ft:gpt-5:org::id", "openai", "ft:gpt-5:org::id"),
    ],
)
def test_a_name_is_split_at_its_first_colon(name: str, provider: str, model: str) -> None:
    assert provider_of(name) == (provider, model)


@pytest.mark.parametrize(
    ("provider", "package", "remedy"),
    [
        ("anthropic", "langchain_anthropic", r"pip install 'touchstone-criteria\[anthropic\]'"),
        ("google_genai", "langchain_google_genai", r"pip install 'touchstone-criteria\[google\]'"),
        ("ollama", "langchain_ollama", r"pip install 'touchstone-criteria\[ollama\]'"),
        ("cohere", "langchain_cohere", "pip install langchain langchain-cohere"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, provider: str, package: str, remedy: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    _forget_imports()
    with pytest.raises(InputError, match=remedy):
        open_model(f"{provider}:m")


def _forget_imports() -> None:
    """LangChain keeps the classes that it has imported once."""
    import langchain.chat_models.base

    for kept in vars(langchain.chat_models.base).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


def test_an_unknown_provider_is_refused_with_examples() -> None:
    with pytest.raises(InputError, match="there is no provider 'opnai'; write openai:"):
        open_model("opnai:gpt-5")


@pytest.mark.parametrize(
    ("name", "words"),
    [("opnai:gpt-5", "only LangChain may know 'opnai'; pip install langchain, or write openai:"),
     ("anthropic:m", r"touchstone-criteria\[anthropic\]")],
)  # fmt: skip
def test_without_langchain_the_remedy_is_to_install_it(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    monkeypatch.setitem(sys.modules, "langchain", None)
    with pytest.raises(InputError, match=words):
        open_model(name)


def test_what_a_provider_says_about_its_parameters_is_passed_on_without_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import langchain.chat_models

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ValueError(f"no temperature with {kwargs['api_key']}")

    monkeypatch.setattr(langchain.chat_models, "init_chat_model", refuse)
    with pytest.raises(InputError, match=r"cannot be opened: no temperature with \[key\]"):
        open_model("anthropic:m", api_key="hunter2222")


@given(st.text(max_size=100))
def test_a_schema_has_a_name_that_endpoints_take(title: str) -> None:
    name = openai_format({"title": title})["json_schema"]["name"]
    assert 1 <= len(name) <= 64
    assert all(c.isascii() and (c.isalnum() or c == "_") for c in name)
