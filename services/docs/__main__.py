"""`python -m services.docs [--check]`: write the generated pages, or fail where one is stale."""

from __future__ import annotations

import argparse
from pathlib import Path

from services.docs.pages import stale, write

FOLDER = Path(__file__).resolve().parents[2] / "docs"


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or only look; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages are")
    chosen = parser.parse_args(arguments)
    names = stale(chosen.folder) if chosen.check else write(chosen.folder)
    for name in names:
        print(f"docs/{name} is stale; run `make docs`" if chosen.check else f"written: docs/{name}")
    return 1 if chosen.check and names else 0


if __name__ == "__main__":
    raise SystemExit(main())
