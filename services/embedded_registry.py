"""What running commands have started, on disk, so that the next start can end what a killed one left behind.

One JSON file for each command under `home/embedded`. Everything in it is checked before it is acted on: a process by
its start time as well as its id, a folder by its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.processes import Mark, end

FOLDER_PREFIX = "touchstone-"
END_GRACE = 1.0
"""Seconds that leftovers of a dead command are given to end by themselves."""


def transport_of(redis_url: str) -> str:
    """A short name (8 hex digits) for a Redis server, carried in job ids: a job can only be alive on its own server."""
    return hashlib.sha256(redis_url.encode()).hexdigest()[:8]


@dataclass
class Instance:
    """One command's own server and workers.

    Attributes:
        transport: see `transport_of`.
        owner: the command's process.
        folder: where socket and logs are; removed at the end.
        children: server and workers.
    """

    transport: str
    owner: Mark
    folder: Path
    children: list[Mark] = field(default_factory=list)


class Registry:
    """The records under a home folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "embedded"

    def write(self, instance: Instance) -> None:
        """Record an instance, replacing what was recorded of it; a reader sees the old record or the new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        body = {
            "transport": instance.transport,
            "owner": instance.owner.as_json(),
            "folder": str(instance.folder),
            "children": [c.as_json() for c in instance.children],
        }
        draft = self._path(instance.transport).with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(body))
        draft.replace(self._path(instance.transport))

    def remove(self, instance: Instance) -> None:
        """Forget an instance."""
        self._path(instance.transport).unlink(missing_ok=True)

    def instances(self) -> list[Instance]:
        """All that are recorded; a file that cannot be read is passed over."""
        found = (_read(path) for path in sorted(self._folder.glob("*.json")))
        return [instance for instance in found if instance is not None]

    def lives(self, transport: str) -> bool:
        """Whether the command behind this transport is recorded and may still run."""
        return any(i.transport == transport and not i.owner.dead for i in self.instances())

    def clean(self) -> int:
        """End and remove what commands that run no more left behind; returns how many commands that were."""
        stale = [i for i in self.instances() if i.owner.dead]
        for instance in stale:
            end(instance.children, END_GRACE)
            remove_folder(instance.folder)
            self.remove(instance)
        return len(stale)

    def _path(self, transport: str) -> Path:
        return self._folder / f"{transport}.json"


def remove_folder(folder: Path) -> None:
    """Remove an instance's folder, and never any other."""
    if folder.name.startswith(FOLDER_PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> Instance | None:
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        children = [Mark(**c) for c in body["children"]]
        return Instance(str(body["transport"]), Mark(**body["owner"]), Path(body["folder"]), children)
    except (OSError, ValueError, KeyError, TypeError):
        return None
