"""Files that are replaced whole or not at all: a reader never sees half of one, a full disk never costs the old one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from knowledge_base.errors import InputError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path` through a neighbour that is then renamed; lone surrogates become `?`.

    Raises:
        InputError: the place cannot be written to.
    """
    write_texts({path: text})


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write several files: all are on disk before the first takes its place. Raises as `write_text`."""
    staged: dict[str, Path] = {}
    path = Path()
    try:
        for path, text in texts.items():
            staged[_stage(path, text.encode("utf-8", "replace"))] = path
        for temporary, path in staged.items():
            os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    finally:
        for temporary in staged:
            Path(temporary).unlink(missing_ok=True)


def _stage(path: Path, content: bytes) -> str:
    """Write the content to a new file beside `path`; returns its name. Leaves nothing behind if that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
