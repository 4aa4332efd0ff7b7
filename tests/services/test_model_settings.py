"""What is said of models is checked before a call is paid for, reaches every process whole, and shows no key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agents.chat import prompts
from knowledge_base.errors import InputError
from services.budget import Budget
from services.model_settings import Endpoint
from services.prices import Price
from services.settings import Settings, load_settings

KEY = "sk-very-secret-1234"
PRICES = '{"openai:a": {"prompt": 0.5, "cached": 0.1, "completion": 1.5}, "openai:b": {"prompt": 1, "completion": 2}}'


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TOUCHSTONE_{name.upper()}", raising=False)
    for language in ("en", "zh"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "judge.md").write_text("=== user\n{{a}}", encoding="utf-8")
    monkeypatch.setattr(prompts, "FOLDER", tmp_path)


def given_by_variables(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"TOUCHSTONE_{name.upper()}", value)
    return load_settings()


def test_without_any_variable_no_model_is_used_and_nothing_is_limited() -> None:
    settings = load_settings()
    assert settings.endpoints == settings.worker_endpoints == ()
    assert settings.strong_endpoint is None
    assert settings.budget == Budget()
    assert settings.price_table == {}
    with pytest.raises(InputError, match="TOUCHSTONE_MANAGER_MODEL is empty"):
        _ = settings.manager_endpoint


def test_models_are_read_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given_by_variables(
        monkeypatch,
        manager_model="openai:big",
        manager_base_url="https://big/v1",
        manager_api_key=KEY,
        manager_parameters='{"temperature": 1, "extra_body": {"top_k": 5}}',
        worker_model="openai:small:4b",
        worker_base_url="http://127.0.0.1:8000/v1",
        worker_parameters='{"temperature": 0}',
        strong_model="anthropic:strong",
        strong_api_key="other",
    )
    manager = settings.manager_endpoint
    assert (manager.model, manager.base_url, manager.key) == ("openai:big", "https://big/v1", KEY)
    assert manager.parameters == {"temperature": 1, "extra_body": {"top_k": 5}}
    assert settings.worker_endpoints == (
        Endpoint("openai:small:4b", "http://127.0.0.1:8000/v1", "", {"temperature": 0}),
    )
    assert settings.strong_endpoint == Endpoint("anthropic:strong", "", "other", {"temperature": 0})
    assert [e.model for e in settings.endpoints] == ["openai:big", "openai:small:4b", "anthropic:strong"]


def test_a_manager_that_is_not_named_is_the_first_worker_with_parameters_of_its_own() -> None:
    settings = load_settings(
        worker_model="openai:a, openai:b", worker_base_url="http://a,http://b", worker_api_key=" one, two ",
        worker_parameters={"temperature": 0}, manager_parameters={"temperature": 1},
    )  # fmt: skip
    assert settings.manager_endpoint == Endpoint("openai:a", "http://a", "one", {"temperature": 1})


def test_a_panel_shares_one_address_and_key_or_has_one_each() -> None:
    shared = load_settings(worker_model="openai:a,openai:b", worker_base_url="http://x", worker_api_key=KEY)
    assert [(e.base_url, e.key) for e in shared.worker_endpoints] == [("http://x", KEY)] * 2
    own = load_settings(
        worker_model=" openai:a , openai:b ", worker_base_url="http://x, http://y", worker_api_key="k,l"
    )
    assert [(e.model, e.base_url, e.key) for e in own.worker_endpoints] == [
        ("openai:a", "http://x", "k"),
        ("openai:b", "http://y", "l"),
    ]
    none = load_settings(worker_model="openai:a,openai:b")
    assert [(e.base_url, e.key) for e in none.worker_endpoints] == [("", "")] * 2


def test_calls_to_one_place_share_limits_whatever_the_model_and_the_key() -> None:
    one = Endpoint("openai:a", "http://x/v1", "k")
    assert one.place == Endpoint("openai:b", "http://x/v1/", "l").place
    assert one.place != Endpoint("openai:a", "http://y/v1", "k").place
    assert Endpoint("openai:a").place == Endpoint("openai:b").place != Endpoint("anthropic:a").place


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("MANAGER_MODEL", "gpt", "provider:model"),
        ("MANAGER_MODEL", "openai:a,openai:b", "only workers may be several"),
        ("WORKER_MODEL", "openai:", "provider:model"),
        ("WORKER_MODEL", "openai:a,b", "provider:model"),
        ("WORKER_MODEL", "openai:a,openai:a", "TOUCHSTONE_WORKER_SAMPLES"),
        ("STRONG_MODEL", ":a", "provider:model"),
        ("MANAGER_BASE_URL", "localhost:8000", "http://"),
        ("MANAGER_BASE_URL", "http://a,http://b", "only workers may be several"),
        ("WORKER_BASE_URL", "http://a,ftp://b", "http://"),
        ("STRONG_BASE_URL", "file:///etc/passwd", "http://"),
        ("STRONG_BASE_URL", "http://", "http://"),
        ("MANAGER_PARAMETERS", "temperature=0", "JSON object"),
        ("WORKER_PARAMETERS", "[1]", "JSON object"),
        ("WORKER_PARAMETERS", '{"top_p": NaN}', "NaN is no JSON"),
        ("WORKER_PARAMETERS", '{"model": "x"}', "leave model out"),
        ("WORKER_SAMPLES", "0", "greater"),
        ("WORKER_SAMPLES", "17", "less"),
        ("CRITERIA_PER_CALL", "65", "less"),
        ("LANGUAGE", "../en", "pattern"),
        ("TEXT_TOKENS", "63", "greater"),
        ("TRUNCATION", "tail", "head-tail"),
        ("STRUCTURED_OUTPUT", "yes", "always"),
        ("IN_FLIGHT", "4097", "less"),
        ("REQUESTS_PER_MINUTE", "-1", "greater"),
        ("TOKENS_PER_MINUTE", "many", "integer"),
        ("CALL_TRIES", "0", "greater"),
        ("TIMEOUT_SECONDS", "nan", "3600"),
        ("PRICES", "free", "JSON object"),
        ("PRICES", '{"a": {"prompt": 1, "completion": 1}}', "provider:model"),
        ("BUDGET_CALLS", "-1", "greater"),
        ("BUDGET_COST", "inf", "finite"),
        ("CURRENCY", "", "at least 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(f"TOUCHSTONE_{name}", value)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"TOUCHSTONE_{name} is {value!r}; ")
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ({"prompt": -1, "completion": 1}, "TOUCHSTONE_PRICES['openai:a']['prompt'] is -1; "),
        ({"prompt": 1}, "TOUCHSTONE_PRICES['openai:a']['completion'] is "),
        ({"prompt": 1, "completion": 1, "input": 2}, "TOUCHSTONE_PRICES['openai:a']['input'] is 2; "),
        (3, "TOUCHSTONE_PRICES['openai:a'] is 3; "),
    ],
)
def test_a_wrong_price_is_named_with_its_model(monkeypatch: pytest.MonkeyPatch, price: object, told: str) -> None:
    monkeypatch.setenv("TOUCHSTONE_PRICES", json.dumps({"openai:a": price}))
    with pytest.raises(InputError) as caught:
        load_settings()
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize("name", ["BASE_URL", "API_KEY"])
def test_a_panel_needs_one_of_each_or_one_for_all(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(InputError) as caught:
        given_by_variables(
            monkeypatch, worker_model="openai:a,openai:b,openai:c", **{f"worker_{name}": f"http://{KEY},http://b"}
        )
    assert str(caught.value).startswith(f"TOUCHSTONE_WORKER_{name} names 2, but TOUCHSTONE_WORKER_MODEL names 3")
    assert KEY not in str(caught.value)


def test_a_language_without_prompts_is_refused_where_a_model_would_read_them() -> None:
    assert load_settings(language="fr").language == "fr", "nobody reads prompts here"
    with pytest.raises(InputError, match="TOUCHSTONE_LANGUAGE is 'fr'; there are prompts in en and zh"):
        load_settings(language="fr", worker_model="openai:a")
    assert load_settings(language="zh", worker_model="openai:a").language == "zh"


def test_texts_that_never_fit_into_the_context_are_refused() -> None:
    with pytest.raises(InputError, match=r"TOUCHSTONE_CONTEXT_TOKENS is 4096.*8124.*TOUCHSTONE_TEXT_TOKENS"):
        load_settings(worker_model="openai:a", context_tokens=4096)
    assert load_settings(worker_model="openai:a", context_tokens=4096, text_tokens=600).text_tokens == 600


def test_a_budget_in_money_needs_the_price_of_every_model_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_PRICES", PRICES)
    both = load_settings(budget_cost=5, worker_model="openai:a", manager_model="openai:b")
    assert both.budget == Budget(cost=5)
    for more in ({"manager_model": "openai:c"}, {"strong_model": "openai:c"}, {"worker_model": "openai:a,openai:c"}):
        with pytest.raises(InputError, match=r"openai:c has no price; add it to TOUCHSTONE_PRICES"):
            load_settings(**{"budget_cost": 5, "worker_model": "openai:a", **more})
    assert load_settings(worker_model="openai:c").budget_cost == 0
    with pytest.raises(InputError, match="openai:c has no price"):
        load_settings(worker_model="openai:c").demand_prices()


def test_prices_and_budgets_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given_by_variables(monkeypatch, prices=PRICES, budget_calls="100", budget_tokens="5", budget_cost="0")
    assert settings.price_table["openai:a"] == Price(prompt=0.5, cached=0.1, completion=1.5)
    assert settings.price_table["openai:b"].cached is None
    assert settings.budget == Budget(calls=100, tokens=5)


def full() -> dict[str, Any]:
    """Every kind of setting, none at its default."""
    return {
        "manager_model": "openai:a", "manager_api_key": KEY, "manager_parameters": {"stop": ["\n", "ünï"], "n": None},
        "worker_model": "openai:a,openai:b", "worker_base_url": "http://x,http://y", "worker_api_key": f"{KEY},other",
        "worker_parameters": {"a": {"b": [1, 2.5, True, "x"]}}, "strong_model": "openai:b", "strong_api_key": KEY,
        "prices": json.loads(PRICES), "budget_cost": 0.1, "timeout_seconds": 1 / 3, "truncation": "head",
    }  # fmt: skip


def test_another_process_builds_the_same_settings_with_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(**full())
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    again = load_settings()
    assert again == settings
    assert [e.key for e in again.worker_endpoints] == [KEY, "other"]


def test_a_real_process_reads_what_it_is_given() -> None:
    settings = load_settings(**full() | {"language": "en"})
    code = (
        "from services.settings import Settings; s = Settings(); "
        "print(s.worker_api_key.get_secret_value(), s.manager_parameters, s.price_table['openai:a'].cached)"
    )
    told = {**os.environ, **settings.environment(), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{KEY},other {full()['manager_parameters']} 0.1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.text("abcdefghij_", min_size=1, max_size=9)
without_nul = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=st.dictionaries(names, json_values, max_size=4), key=without_nul)
def test_any_parameters_and_keys_survive_the_way_to_another_process(parameters: dict[str, Any], key: str) -> None:
    settings = load_settings(worker_parameters=parameters, manager_api_key=key)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.environment().items():
            patched.setenv(name, value)
        assert load_settings() == settings


def test_keys_are_shown_nowhere() -> None:
    settings = load_settings(**full())
    shown = [str(settings), repr(settings), settings.model_dump_json(), repr(settings.model_dump()),
             repr(settings.endpoints), str(settings.worker_endpoints[0])]  # fmt: skip
    assert [text for text in shown if KEY in text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MANAGER_BASE_URL", f"http://me:{KEY}@host/v1"),
        ("WORKER_PARAMETERS", json.dumps({"api_key": KEY})),
        ("REDIS_URL", f"http://me:{KEY}@host"),
        ("DATABASE_URL", f"mysql://me:{KEY}@host"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TOUCHSTONE_{name}", value)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"TOUCHSTONE_{name} is ")
    assert KEY not in str(caught.value)
