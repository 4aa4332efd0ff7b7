"""Bodies that are files: written to disk as they come, whatever their size, and gone when the request is."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from knowledge_base.errors import InputError
from services.annotation.spool import PREFIX

PAIRS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""Endings of files of pairs."""

AS_FORM = "send the file itself as the body (curl --data-binary @file), not as a form"

FileName = Annotated[
    str,
    Query(
        max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$", examples=["pairs.jsonl"],
        description="What the file is called: for messages, and its ending says how it is read.",
    ),
]  # fmt: skip


class Received(NamedTuple):
    """A file that was the body of a request, and its digest (sha256)."""

    path: Path
    digest: str


@asynccontextmanager
async def received(
    request: Request, name: str, folder: Path | None, endings: tuple[str, ...] = PAIRS
) -> AsyncIterator[Received]:
    """The body of a request as a file of this name, in a folder of its own that ends with the block.

    Args:
        request: whose body is read.
        name: what its owner calls it.
        folder: where the folder is made; None: where the system has its temporary files.
        endings: those that the name may have.

    Raises:
        InputError: the body is a form or empty, or the name's ending is none that is read.
    """
    if is_form(request.headers.get("content-type", "")):
        raise InputError(AS_FORM)
    if not name.lower().endswith(endings):
        raise InputError(f"filename is {name!r}; give one that ends in {', '.join(endings[:-1])} or {endings[-1]}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as made:
        path, seen = Path(made) / _harmless(name), hashlib.sha256()
        with path.open("wb") as file:
            async for part in request.stream():
                seen.update(part)
                await run_in_threadpool(file.write, part)
        if not path.stat().st_size:
            raise InputError(f"the body is empty; {AS_FORM}")
        yield Received(path, seen.hexdigest())


def is_form(kind: str) -> bool:
    """Whether a Content-Type is of a form with files in it; curl calls what is no form `x-www-form-urlencoded`, too."""
    return kind.strip().lower().startswith("multipart/")


def _harmless(name: str) -> str:
    """The name as far as a file system may see it: messages then name the file as its owner does."""
    return re.sub(r"[^A-Za-z0-9._ -]|^[.]", "_", name[-100:])
