"""The server listens beyond this machine only where that is wanted and an admin key works."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from knowledge_base.errors import InputError
from services.access.binding import check_bind
from services.access.keys import create_key, revoke_key
from services.access.settings import AccessSettings
from services.database import Database


def settings(**given: object) -> AccessSettings:
    return AccessSettings.model_validate(given)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_this_machine_needs_no_key(database: Database, host: str) -> None:
    check_bind(settings(api_host=host), database)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "touchstone.example", "127.0.0.1.evil.example"])
def test_other_machines_need_the_wish_and_an_admin_key(database: Database, host: str) -> None:
    with pytest.raises(InputError, match=r"TOUCHSTONE_API_HOST is .*--scope admin.*TOUCHSTONE_PUBLIC=true"):
        check_bind(settings(api_host=host), database)
    with pytest.raises(InputError, match="no admin key works"):
        check_bind(settings(api_host=host, public=True), database)
    create_key(database, "x", ["run", "approve"])
    with pytest.raises(InputError, match="no admin key works"):
        check_bind(settings(api_host=host, public=True), database)
    create_key(database, "x", ["admin"])
    check_bind(settings(api_host=host, public=True), database)
    with pytest.raises(InputError, match="TOUCHSTONE_PUBLIC"):
        check_bind(settings(api_host=host), database)


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_an_admin_key_that_has_ended_counts_for_nothing(database: Database, ended: str) -> None:
    made = create_key(database, "x", ["admin"], expires_in=1e-3 if ended == "expired" else None)
    if ended == "revoked":
        revoke_key(database, made.key.id)
    with pytest.raises(InputError, match="no admin key works"):
        check_bind(settings(public=True), database)


def test_networks_of_proxies_are_read_and_faulty_ones_explained() -> None:
    assert [str(n) for n in settings(trusted_proxies="10.0.0.0/8, ::1").proxies] == ["10.0.0.0/8", "::1/128"]
    for wrong in ("10.0.0.1/8", "example.com", "10.0.0.0/33"):
        with pytest.raises(ValidationError, match=r"write networks such as 10\.0\.0\.0/8"):
            settings(trusted_proxies=wrong)


def test_a_pepper_stands_in_no_representation() -> None:
    assert "hot" not in repr(settings(key_pepper="hot")) + str(settings(key_pepper="hot").model_dump_json())
