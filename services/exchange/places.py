"""Where exports may be written: never over a file that somebody has, unless they say so."""

from __future__ import annotations

from pathlib import Path

from knowledge_base.errors import InputError


def check_place(out: Path, reads: tuple[Path, ...] = (), *, force: bool = False) -> None:
    """Make sure that `out` may be written.

    Args:
        out: the file.
        reads: files that are read and must not be written over, even with `force`.
        force: replace a file that is there.

    Raises:
        InputError: it is a folder, one of `reads`, in a place that is no folder, or there already.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder; give the name of a file")
    if out.exists() and any(path.exists() and out.samefile(path) for path in reads):
        raise InputError(f"{out} is a file that is read; give another name to write to")
    taken = next((p for p in out.parents if p.exists() and not p.is_dir()), None)
    if taken is not None:
        raise InputError(f"{taken} is a file, so {out} cannot be in it; give another --out")
    if out.exists() and not force:
        raise InputError(f"{out} exists; give another name, or --force to replace it")
