"""What the commands of the roles do: in this process where one is wanted, else in several that it keeps running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from knowledge_base.errors import InputError
from services.roles.ending import Ending, leave
from services.roles.members import api_members, worker_members
from services.roles.settings import roles_of
from services.roles.supervisor import Supervisor
from services.settings import PREFIX, Settings, load_settings
from services.telemetry.logs import configure_logs, log
from services.workforce import environment_of


def run_worker(processes: int, jobs: int) -> None:
    """Work in this process, or keep several working.

    Raises:
        InputError: no Redis server is named.
    """
    settings = _served(load_settings())
    if processes == 1:
        from services.worker_main import main

        main(["--health", "--jobs", str(jobs)])
        leave()
    configure_logs(settings, "worker")
    ending = _ending(settings)
    with Supervisor(worker_members(processes, jobs), environment_of(settings), ending.grace) as supervisor:
        supervisor.keep(ending, _unsaid)


def run_scheduler() -> None:
    """Schedule in this process.

    Raises:
        InputError: no Redis server is named.
    """
    from services.roles.scheduling import main

    _served(load_settings())
    main([])
    leave()


def run_api(host: str | None, port: int | None, processes: int) -> None:
    """Serve in this process, or keep several serving.

    Raises:
        InputError: no Redis server is named, or the address cannot be had or would be open without keys.
    """
    from services.roles import serving

    settings = load_settings(**_given(api_host=host, api_port=port))
    serving.ready_to_serve(settings)
    configure_logs(settings, "api")
    ending = _ending(settings)
    with serving.listen(settings.api_host, settings.api_port) as listening:
        log(__name__).info("serving", address=f"{serving.address_of(listening)}/v1", processes=processes)
        if processes == 1:
            serving.serve(settings, listening, ending)
            leave()
        with Supervisor(api_members(processes, listening), environment_of(settings), ending.grace) as supervisor:
            supervisor.keep(ending, _unsaid)


def run_up(host: str | None, port: int | None, workers: int | None, api_processes: int) -> None:
    """Run everything on this machine.

    Raises:
        InputError: see `run_everything`.
    """
    from services.doctor import demand
    from services.roles.everything import run_everything

    settings = load_settings(**_given(api_host=host, api_port=port, workers=workers))
    demand(settings)
    configure_logs(settings, "up")
    run_everything(settings, api_processes, _ending(settings), typer.echo)


def _ending(settings: Settings) -> Ending:
    ending = Ending(roles_of(settings).grace_seconds)
    ending.install()
    return ending


def _served(settings: Settings) -> Settings:
    if settings.embedded:
        raise InputError(
            f"{PREFIX}REDIS_URL is empty; set it to the server that all roles use, or run `touchstone up`, which "
            "brings its own"
        )
    return settings


def _given(**values: Any) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _unsaid(_line: str) -> None:
    """The log has it."""
