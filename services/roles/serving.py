"""The API server: `python -m services.roles.serving`. uvicorn, told how to end and how to share an address."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import uvicorn

from knowledge_base.errors import InputError
from services.roles.ending import Ending, leave
from services.roles.settings import roles_of
from services.settings import PREFIX, Settings, load_settings
from services.telemetry.logs import configure_logs
from services.tethered import tether

BACKLOG = 2048


def serve(settings: Settings, listening: socket.socket, ending: Ending) -> None:
    """Serve the API on a socket that listens, until asked to end; requests under way are answered first."""
    from services.api.app import application

    app = application(settings, preload=True)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=max(1, round(ending.grace)),
        proxy_headers=False, server_header=False, date_header=True, lifespan="on", timeout_keep_alive=30,
    )  # fmt: skip
    Server(config, app, ending).run(sockets=[listening])


class Server(uvicorn.Server):
    """uvicorn's, ended by `Ending`, and with streams that would never end told to."""

    def __init__(self, config: uvicorn.Config, app: Any, ending: Ending) -> None:
        super().__init__(config)
        self._app, self._ending = app, ending

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are `Ending`'s; uvicorn would send them to this process once more when it has ended in order."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether to end."""
        self.should_exit = self.should_exit or self._ending.asked
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of events, whose readers connect again, and then as uvicorn does."""
        hub = getattr(self._app.state, "hub", None)
        if hub is not None:
            await hub.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, for one process or several that inherit it.

    Raises:
        InputError: the address cannot be had.
    """
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = stack.enter_context(socket.socket(found[0], socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(found[4])
            listening.listen(BACKLOG)
        except OSError as error:
            remedy = f"set {PREFIX}API_HOST and {PREFIX}API_PORT to an address of this machine that is free"
            raise InputError(f"cannot listen on {host} port {port} ({error.strerror or error}); {remedy}") from error
        listening.setblocking(False)
        stack.pop_all()
        return listening


def address_of(listening: socket.socket) -> str:
    """The URL at which a socket is reached."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def ready_to_serve(settings: Settings) -> None:
    """Make sure that the server may listen where it is to, and that its database is there.

    Raises:
        InputError: the settings would open it to others without keys, or name no Redis server.
    """
    from contextlib import closing

    from services.access.binding import check_bind
    from services.database import Database

    if settings.embedded:
        raise InputError(
            f"{PREFIX}REDIS_URL is empty; set it to the server that workers use, or run `touchstone up`, which brings "
            "its own"
        )
    with closing(Database(settings.database).create()) as database:
        check_bind(settings, database)


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="process to die with (0: none)")
    parser.add_argument("--socket", type=int, default=-1, help="inherited socket that listens (-1: make one)")
    given = parser.parse_args(arguments)
    if given.parent:
        tether(given.parent)
    settings = load_settings()
    ending = Ending(roles_of(settings).grace_seconds)
    ending.install()
    configure_logs(settings, "api")
    if given.socket < 0:
        ready_to_serve(settings)
    inherited = given.socket >= 0
    listening = socket.socket(fileno=given.socket) if inherited else listen(settings.api_host, settings.api_port)
    with suppress(KeyboardInterrupt), listening:
        serve(settings, listening, ending)


if __name__ == "__main__":
    main()
    leave()
