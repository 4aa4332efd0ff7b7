"""What containers are started with is valid, safe and exists. There is no Docker here: see test_deployment_roles.py,
which starts the same commands with the same environment as processes of this machine."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from typing import Any

import jsonschema_rs
import pytest

from services.settings import PREFIX, Settings
from tests.compose_file import ROOT, filled, raw, variables

SECRETS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "TOUCHSTONE_KEY_PEPPER", "TOUCHSTONE_WEBHOOK_SECRET"}
GIVEN = dict.fromkeys(SECRETS, "0123456789abcdef0123456789abcdef")
OURS = ("migrate", "api", "worker", "scheduler", "touchstone")
LASTING = ("redis", "postgres", "api", "worker", "scheduler", "model")

COMPOSE = raw()
SERVICES: dict[str, Any] = COMPOSE["services"]


def example() -> dict[str, str]:
    """Variables that the example of an environment file names, those in comments included."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", text, flags=re.MULTILINE)
    return dict(found)


def test_the_file_is_one_by_the_specification() -> None:
    schema = json.loads((ROOT / "tests" / "compose-spec.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    assert [f"{e.instance_path}: {e.message}" for e in validator.iter_errors(filled(GIVEN))] == []
    broken = {**COMPOSE, "services": {"x": {"image": "i", "restrat": "always"}}}
    assert list(validator.iter_errors(broken)), "the schema refuses what it does not know"


def test_secrets_are_required_and_have_no_default() -> None:
    required = {name for name, how, _ in variables(COMPOSE) if how == ":?"}
    assert required == SECRETS
    assert all(how == ":?" for name, how, _ in variables(COMPOSE) if name in SECRETS)
    for missing in SECRETS:
        with pytest.raises(LookupError, match=r"see \.env\.example"):
            filled({name: value for name, value in GIVEN.items() if name != missing})


def test_no_default_of_a_variable_is_a_secret() -> None:
    secret = re.compile("KEY|SECRET|PASSWORD|PEPPER|TOKEN")
    others = [(name, default) for name, _, default in variables(COMPOSE) if name not in SECRETS]
    assert [name for name, default in others if secret.search(name) and default] == []


def test_the_example_of_the_environment_names_every_variable_and_no_other() -> None:
    assert set(example()) == {name for name, _, _ in variables(COMPOSE)}
    assert {name for name in SECRETS if example()[name]} == set(), "secrets are the reader's own"


def test_every_image_is_pinned_to_a_version() -> None:
    from_dockerfile = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    images = [service["image"] for service in SERVICES.values()] + from_dockerfile
    assert len(images) == len(SERVICES) + 2
    pinned = re.compile(r":(\d+\.\d+[\w.-]*|server-b\d+)$")
    assert [i for i in images if not pinned.search(i)] == []
    assert len(set(from_dockerfile)) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_little_to_break_with(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
    user = service.get("user", "1000:1000")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert any(t.startswith("/tmp") for t in service["tmpfs"]), "a root that is read-only needs a place for files"
    assert {"max-size", "max-file"} == set(service["logging"]["options"])


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_looked_at_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert {"cpus", "memory"} == set(service["deploy"]["resources"]["limits"])
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True


@pytest.mark.parametrize("name", ["migrate", "touchstone"])
def test_what_is_done_once_is_not_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


def test_the_image_runs_as_nobody_in_particular() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last = dockerfile[dockerfile.rindex("FROM") :]
    assert re.findall(r"^USER (.+)$", last, flags=re.MULTILINE) == ["1000:1000"]
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert not re.search(r"ADD |curl|--privileged|chmod 777", dockerfile)
    assert "STOPSIGNAL SIGTERM" in last


def test_the_image_runs_what_its_first_stage_installed() -> None:
    _, first, last = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    [folder] = re.findall(r"python -m venv (\S+)", first)
    assert f"COPY --from=build {folder} {folder}\n" in last
    assert f"PATH={folder}/bin:$PATH" in last


def test_only_the_api_is_reached_from_outside_and_only_from_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"api": ["127.0.0.1:${TOUCHSTONE_PORT:-8400}:8400"]}
    assert [n for n, network in COMPOSE["networks"].items() if network.get("internal")] == ["data"]
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["data"]


def test_tables_are_there_before_anything_uses_them() -> None:
    for name in ("api", "worker", "scheduler", "touchstone"):
        needed = SERVICES[name]["depends_on"]
        assert needed["migrate"] == {"condition": "service_completed_successfully"}
        assert needed["postgres"] == needed["redis"] == {"condition": "service_healthy"}


def test_a_container_is_given_more_time_to_end_than_its_job() -> None:
    for name in ("api", "worker", "scheduler"):
        service = SERVICES[name]
        grace = float(service["environment"]["TOUCHSTONE_GRACE_SECONDS"])
        assert float(service["stop_grace_period"].removesuffix("s")) >= grace + 10


def test_every_setting_is_one_that_there_is_and_every_command_as_well() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= known, name
    for command in {SERVICES[name]["command"][0] for name in OURS if "command" in SERVICES[name]}:
        assert find_spec(f"services.cli.{command}") is not None
    assert [SERVICES[n]["healthcheck"]["test"] for n in ("api", "worker", "scheduler")] == [
        ["CMD", "touchstone", "health", role] for role in ("api", "worker", "scheduler")
    ]


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_ones_that_a_command_accepts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in filled(GIVEN)["services"][name]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    assert not settings.embedded
    assert settings.database.startswith("postgresql+psycopg://touchstone:0123")
    assert settings.public == (name == "api")
    assert (settings.workers == 0) == (name == "touchstone")


def test_all_roles_judge_by_the_same_models() -> None:
    models = [
        {k: v for k, v in SERVICES[name]["environment"].items() if k.endswith(("_MODEL", "R_BASE_URL"))}
        for name in OURS
    ]
    assert all(m == models[0] for m in models)
    assert len(models[0]) == 4


def test_volumes_and_networks_that_are_named_are_there() -> None:
    for service in SERVICES.values():
        mounted = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {v for v in mounted if not v.startswith(".")} <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_every_file_the_image_is_built_from_reaches_the_builder() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, flags=re.MULTILINE)
    copied = [name for line in lines for name in line.split()[:-1]]
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(copied) == sorted(let_through)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_specification_is_told_where_it_comes_from() -> None:
    told = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "compose-spec.json" in told
    assert "Apache License 2.0" in told
