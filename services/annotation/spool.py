"""A user's file taken in: copied whole to a place of our own before it is read, bounded, and gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from knowledge_base.errors import InputError

ENDINGS = {"jsonl": ".jsonl", "json": ".jsonl", "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet"}
"""What a file of each kind is called while it is read."""

PREFIX = "touchstone-upload-"
"""How the folders are called that files lie in while they are read."""

LEFT_SECONDS = 86400.0
"""Age at which such a folder is surely nobody's any more."""

_PACKED = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip, as spreadsheets are", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz",
}  # fmt: skip
"""How packed files begin, whatever they are called; none of these bytes begins a file of text."""

_CHUNK = 1 << 20
_NAME = 80


@contextmanager
def spooled(source: Path | BinaryIO, name: str, kind: str, most: int, folder: Path | None) -> Iterator[Path]:
    """The file in a folder of its own that ends with the block.

    Args:
        source: a path, or an open stream of bytes.
        name: what its owner calls it; folders in it are left out, and it never decides where anything is written.
        kind: one of `ENDINGS`; empty: told by the name's ending and the content.
        most: most bytes that are taken in.
        folder: where the folder is made; None: where the system has its temporary files.

    Raises:
        InputError: the kind is unknown, the file cannot be read, is empty or too large, or there is no room for it.
    """
    called = _called(name, kind)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as place:
        path = Path(place) / called
        try:
            _copy(source, path, called, most)
        except OSError as error:
            raise InputError(
                f"{called} could not be taken in ({error.strerror}); free some space or try again"
            ) from None
        yield path


def left_behind(folder: Path | None, before: float) -> list[Path]:
    """Folders of uploads whose process was killed: none has been touched since a moment (seconds since the epoch).

    Args:
        folder: where they were made; None: where the system has its temporary files. Others use that, too: only
            folders of this user's that are called so are told of, and nothing that a link leads to.
    """
    place = folder or Path(tempfile.gettempdir())
    found: list[Path] = []
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_old(entry, before):
                found.append(Path(entry.path))
    return sorted(found)


def remove_left_behind(folder: Path | None, before: float) -> int:
    """Remove them, as far as they can be; returns how many are gone. Two may do so at once."""
    left = left_behind(folder, before)
    for place in left:
        # Goes by open folders, so that no link put in the place of one leads it elsewhere.
        shutil.rmtree(place, ignore_errors=True)
    return sum(not place.exists() for place in left)


def _is_old(entry: os.DirEntry[str], before: float) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mtime < before


def refuse_packed(path: Path) -> None:
    """Nothing is unpacked here, where a kilobyte may hold gigabytes.

    Raises:
        InputError: the file is packed.
    """
    with path.open("rb") as file:
        start = file.read(8)
    for begins, kind in _PACKED.items():
        if start.startswith(begins):
            raise InputError(f"{path.name} is packed ({kind}); unpack it, or save it as JSON lines, CSV or Parquet")


def _called(name: str, kind: str) -> str:
    """A harmless file name with the ending that says how the file is read."""
    if kind and kind not in ENDINGS:
        raise InputError(f"the format is {kind[:40]!r}; use one of {', '.join(ENDINGS)}, or leave it out")
    last = PurePosixPath(name.replace("\\", "/").replace("\x00", "")).name
    safe = re.sub(r"[^A-Za-z0-9._ -]", "_", last).lstrip(". ")[-_NAME:] or "pairs"
    return safe if not kind or safe.lower().endswith(ENDINGS[kind]) else f"{safe}{ENDINGS[kind]}"


def _copy(source: Path | BinaryIO, path: Path, called: str, most: int) -> None:
    if isinstance(source, Path):
        if not source.is_file():
            raise InputError(f"{source} is no file; give the path of a file that can be read")
        with source.open("rb") as stream:
            _copy(stream, path, called, most)
        return
    with path.open("wb") as file:
        while part := source.read(min(_CHUNK, most + 1 - file.tell())):
            file.write(part)
            if file.tell() > most:
                raise InputError(f"{called} has more than {most:,} bytes; split it, or raise TOUCHSTONE_UPLOAD_BYTES")
        if not file.tell():
            raise InputError(f"{called} is empty; give at least one pair")
