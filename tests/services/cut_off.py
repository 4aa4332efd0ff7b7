"""A Postgres whose connections can be cut at the worst moment: as a transaction commits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"

When = Literal["never", "before the commit arrives", "before its answer does"]


class Relay:
    """Stands between clients and a server's socket.

    Args:
        folder: of the server's socket.
        own: a folder for the socket of this one.
    """

    def __init__(self, folder: Path, own: Path) -> None:
        self.cut: When = "never"
        self.cuts = 0
        self._to, self._listener = str(folder / SOCKET), socket.socket(socket.AF_UNIX)
        self._listener.bind(str(own / SOCKET))
        self._listener.listen()
        self._open: list[socket.socket] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Relay while the block runs."""
        accepting = threading.Thread(target=self._accept, daemon=True)
        accepting.start()
        try:
            yield
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            accepting.join()
            for each in self._open:
                _close(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._to)
                self._open += [client, server]
                for one, other, watched in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._relay, args=(one, other, watched), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                cut = watched and self.cut != "never" and b"COMMIT" in data
                if cut:
                    self.cuts += 1
                    _close(one)
                if not (cut and self.cut == "before the commit arrives"):
                    other.sendall(data)
                if cut:
                    self.cut = "never"
                    break
        if not watched:
            _close(one)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
