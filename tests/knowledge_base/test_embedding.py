"""Embedding: unit vectors that depend on the text alone, from weights that were checked, with nothing fetched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import embedding
from knowledge_base.embedding import dimension, embed, embedder_fingerprint, preload, set_threads, use_model
from knowledge_base.errors import InputError, IntegrityError
from knowledge_base.model_files import DEFAULT_MODEL, check_safe, check_weights, model_folder

FORKING = """
import os, socket
def refuse(*args): raise AssertionError("something reached for the network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from knowledge_base.embedding import embed, preload
preload()
child = os.fork()
if child == 0:
    os._exit(0 if embed(["a forked worker"]).shape == (1, 384) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def own_model() -> Iterator[None]:
    """Lets a test choose another model and puts the one in use back."""
    before = embedding._current
    yield
    embedding._current = before


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    """A folder with the default model under another name, its weights linked."""
    source = model_folder(DEFAULT_MODEL)
    for path in (p for p in source.rglob("*") if p.is_file()):
        target = tmp_path / "model" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            target.symlink_to(path)
        else:
            target.write_bytes(path.read_bytes())
    return tmp_path / "model"


def test_vectors_have_one_row_a_text_and_length_one() -> None:
    vectors = embed(["clear writing", "", "a \ud800 lone surrogate", "\x00\u200b", "word " * 5000])
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_no_texts_give_no_rows_of_the_right_width() -> None:
    assert embed([]).shape == (0, dimension())


def test_one_text_instead_of_a_sequence_is_refused() -> None:
    with pytest.raises(TypeError, match=r"pass \[text\]"):
        embed("not a list")


def test_texts_of_like_meaning_lie_nearer_than_others() -> None:
    asked, like, unlike = embed(["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose."])
    assert asked @ like > asked @ unlike + 0.3


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_vector_is_the_same_to_the_last_bit_in_any_company(texts: list[str], random: object) -> None:
    together = embed(texts)
    embedding._current.vectors.clear()
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis hands a random.Random
    apart = {at: embed([texts[at]])[0] for at in order}
    assert all(apart[at].tobytes() == together[at].tobytes() for at in order)


def test_a_text_seen_before_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(["seen before"])
    monkeypatch.setattr(embedding, "_encode", lambda *_: pytest.fail("encoded twice"))
    assert embed(["seen before", "seen before"]).shape == (2, 384)


def test_memory_is_bounded_and_drops_what_was_used_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "REMEMBERED", 3)
    embedding._current.vectors.clear()
    encoded: list[str] = []
    real = embedding._encode

    def spy(model: Any, text: str) -> Any:
        encoded.append(text)
        return real(model, text)

    monkeypatch.setattr(embedding, "_encode", spy)
    for text in ["one", "two", "three", "one", "four", "one", "two"]:
        embed([text])
    assert encoded == ["one", "two", "three", "four", "two"]
    assert len(embedding._current.vectors) == 3


def test_vectors_handed_out_cannot_spoil_the_memory() -> None:
    first = embed(["kept clean"])
    expected = first.copy()
    first[:] = 0
    assert np.array_equal(embed(["kept clean"]), expected)


def test_only_the_opening_of_a_giant_text_is_read() -> None:
    opening = "word " * (embedding.MOST_CHARACTERS // 5)
    assert np.array_equal(embed([opening])[0], embed([opening + "tail " * 200_000])[0])


def test_the_fingerprint_names_the_model_and_is_stable() -> None:
    assert embedder_fingerprint().startswith("all-MiniLM-L6-v2@")
    assert embedder_fingerprint() == embedder_fingerprint()


@pytest.mark.usefixtures("own_model")
def test_another_model_has_its_own_fingerprint_and_memory(copied_model: Path) -> None:
    official, vector = embedder_fingerprint(), embed(["shared words"])
    (copied_model / "sentence_bert_config.json").write_text('{"max_seq_length": 4, "do_lower_case": false}')
    use_model(str(copied_model))
    assert embedder_fingerprint().split("@")[1] != official.split("@")[1]
    assert np.allclose(embed(["shared words"]), vector, atol=1e-5)
    assert np.array_equal(embed(["a b c d e f g h"]), embed(["a b c d x y z"]))


@pytest.mark.usefixtures("own_model")
def test_a_model_that_is_not_here_is_refused_with_a_remedy_and_changes_nothing() -> None:
    before = embedder_fingerprint()
    with pytest.raises(InputError, match="not on this machine; give a folder"):
        use_model("nobody/no-such-model")
    assert embedder_fingerprint() == before


def test_weights_that_were_changed_are_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the official weights")
    with pytest.raises(IntegrityError, match=r"sha256 [0-9a-f]{64}, expected 53aa.*pip install --force-reinstall"):
        check_weights(tmp_path / "model.safetensors", "53aa")


def test_weights_that_are_missing_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="are missing; reinstall it"):
        check_weights(tmp_path / "model.safetensors", "53aa")


def test_a_default_model_with_foreign_weights_is_never_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "foreign_package" / "model"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "model.safetensors").write_bytes(b"foreign")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("knowledge_base.model_files._PACKAGE", "foreign_package")
    with pytest.raises(IntegrityError, match="expected 53aa51172d142c89"):
        embedding._Model(DEFAULT_MODEL).load()


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge_base.model_files._PACKAGE", "no_such_package_here")
    with pytest.raises(IntegrityError, match="no_such_package_here is not installed; reinstall it"):
        model_folder(DEFAULT_MODEL)


def test_a_model_kept_as_a_pickle_is_refused(copied_model: Path) -> None:
    (copied_model / "2_Dense").mkdir()
    (copied_model / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match=r"pytorch_model\.bin is a pickle; convert"):
        check_safe(copied_model)


def test_a_model_that_brings_code_is_refused(copied_model: Path) -> None:
    (copied_model / "modules.json").write_text(json.dumps([{"type": "custom_module.Runs"}]))
    with pytest.raises(InputError, match=r"brings its own code \(custom_module\.Runs\)"):
        check_safe(copied_model)


@pytest.mark.parametrize("modules", ["{", "[1]", '[{"no": "type"}]'])
def test_a_model_whose_list_of_modules_is_damaged_is_refused(copied_model: Path, modules: str) -> None:
    (copied_model / "modules.json").write_text(modules)
    with pytest.raises(InputError, match=r"modules\.json cannot be read"):
        check_safe(copied_model)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no modules\.json"):
        use_model(str(tmp_path))


def test_no_threads_are_refused() -> None:
    with pytest.raises(InputError, match="give 1 or more"):
        set_threads(0)


def test_the_number_of_threads_is_passed_on() -> None:
    import torch

    preload()
    set_threads(2)
    try:
        assert torch.get_num_threads() == 2
    finally:
        set_threads(1)


def test_importing_the_room_imports_nothing_heavy() -> None:
    script = (
        "import sys, knowledge_base.retrieval, knowledge_base.domains, knowledge_base.entries\n"
        "print([m for m in ('torch', 'sentence_transformers', 'faiss', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_process_forked_after_preload_can_embed_and_nothing_reaches_for_the_network() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "0", done.stderr
