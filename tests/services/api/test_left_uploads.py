"""An API that starts clears away what one that was killed had taken in."""

from __future__ import annotations

import os
import time
from pathlib import Path

from fastapi.testclient import TestClient
from workbench import bench

from services.annotation.spool import LEFT_SECONDS, PREFIX
from services.api.app import application


def test_uploads_of_a_killed_server_go_when_another_starts(place: Path) -> None:
    spool = place / "spool"
    old, new = spool / f"{PREFIX}old", spool / f"{PREFIX}new"
    for each, age in ((old, 2 * LEFT_SECONDS), (new, 60.0)):
        each.mkdir(parents=True)
        os.utime(each, (time.time() - age, time.time() - age))
    with (
        bench(place, upload_folder=str(spool)) as deployment,
        TestClient(application(deployment.settings)),
    ):
        assert [p.name for p in spool.iterdir()] == [new.name]
