"""Short digests of source files, so that changed code never passes for the code that answered before."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

KINDS = {".py", ".txt", ".yaml"}


@lru_cache(maxsize=64)
def source_digest(*places: Path) -> str:
    """12 hex digits over these files, and over every source and data file in these folders and below."""
    digest = hashlib.sha256()
    for place in places:
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in KINDS]
        for path in sorted(files):
            digest.update(path.relative_to(place.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
