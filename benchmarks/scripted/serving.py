"""The scripted endpoint under uvicorn, in this thread or another: started and stopped at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from types import FrameType

import uvicorn

from benchmarks.scripted.server import ScriptedApp
from knowledge_base.errors import RunError

KEEP_ALIVE = 3600
"""Seconds for which an idle connection stays open: closing one under a client would be a fault nobody asked for."""

START_SECONDS = 15.0


class LoopbackServer(uvicorn.Server):
    """uvicorn's server without its clock: a tick a tenth of a second would delay each stop and cost each benchmark.

    Args:
        app: what it serves.
        ready: set once it accepts connections.
    """

    def __init__(self, app: ScriptedApp, ready: threading.Event) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                loop="auto",
                http="auto",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=KEEP_ALIVE,
            )
        )
        # Here and not when it serves: an import in another thread can wait for ever for one that is under way in this.
        self.config.load()
        self._ready = ready
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop; may be called from any thread, or a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)

    async def main_loop(self) -> None:
        """Wait to be stopped."""
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self._over.set)
        self._ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, answered or not, and end their tasks."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0.001)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End quietly; uvicorn would raise the signal again and print a traceback."""
        self.stop()


def listening(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A socket that is bound; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class ServerThread:
    """A server in a thread of its own, on a free port of the loopback address.

    Args:
        app: what it serves.
    """

    def __init__(self, app: ScriptedApp) -> None:
        self._ready = threading.Event()
        self._server = LoopbackServer(app, self._ready)
        self._socket = listening()
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=f"scripted endpoint {self.port}", daemon=True)

    def start(self) -> None:
        """Return once it accepts connections.

        Raises:
            RunError: it did not start.
        """
        self._thread.start()
        self._ready.wait(START_SECONDS)
        if not self._server.started:
            self.stop()
            raise RunError(f"the scripted endpoint did not start on port {self.port}; see the log")

    def stop(self) -> None:
        """Return once it is gone."""
        self._server.stop()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ready.set()
