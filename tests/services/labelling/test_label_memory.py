"""25,000 pairs of some 60 MB of text are labelled in memory that does not grow with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAIRS = 25_000

SCRIPT = """
import json, random, resource, sys
from pathlib import Path
from workbench import bench
from labelling_bench import created, letter_set, sweep, work_off_chunks
from services.labelling.output import Outputs, write_outputs
from services.labelling.register import load_labelling

folder, count = Path(sys.argv[1]), int(sys.argv[2])

def file(name, pairs):
    rng = random.Random(0)
    with (folder / name).open("w") as out:
        for i in range(pairs):
            a, b = (f"{rng.getrandbits(64):016x} " * 70 for _ in "ab")
            out.write(json.dumps({"id": str(i), "a": a, "b": b, "prompt": f"question {i}"}) + chr(10))
    return folder / name

def label(deployment, path):
    labelling = created(deployment, path, criteria_set=letter_set({"a": 1.0}))
    sweep(deployment, labelling)
    done = work_off_chunks(deployment)
    found = load_labelling(deployment.database, labelling)
    write_outputs(deployment.database, found, Outputs(folder / "labels.parquet", folder / "trl.jsonl"))
    return done

small, large = file("small.jsonl", 1000), file("large.jsonl", count)
with bench(folder) as deployment:
    label(deployment, small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = label(deployment, large)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"done": done, "grown": (after - before) / 1024, "size": large.stat().st_size / 1e6}))
"""


def test_memory_does_not_grow_with_the_file(place: Path) -> None:
    paths = os.pathsep.join(str(Path(__file__).parents[n]) for n in (1, 3))
    command = [sys.executable, "-c", SCRIPT, str(place), str(PAIRS)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["done"] == PAIRS
    assert found["size"] > 55
    assert found["grown"] < 30, "megabytes; the texts alone would be twice that"
