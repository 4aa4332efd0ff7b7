from __future__ import annotations

from pathlib import Path

import pytest

from knowledge_base.errors import InputError
from services.yaml_document import MOST_BYTES, read_yaml


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "set.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_line_of_a_nested_value_is_found(written):
    document = read_yaml(written("a: 1\nb:\n  - x: 1\n  - x: 2\n    y: 3\n"))
    assert document.data == {"a": 1, "b": [{"x": 1}, {"x": 2, "y": 3}]}
    assert document.line(("b", 1, "y")) == 5


@pytest.mark.parametrize("path", [("b", 1, "absent"), ("b", 1, "absent", "deeper")])
def test_a_value_that_is_absent_is_placed_at_what_should_hold_it(written, path):
    assert read_yaml(written("a: 1\nb:\n  - x: 1\n  - x: 2\n")).line(path) == 4


def test_a_place_beyond_a_list_is_the_list(written):
    assert read_yaml(written("a: 1\nb:\n  - x: 1\n")).line(("b", 7)) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"set\.yaml:3: 'a' stands twice; keep one"),
        ("a: [1, 2\nb: }\n", r"set\.yaml:2: "),
        ("a: 1\n---\nb: 2\n", r"set\.yaml:2: but found another document; keep one document"),
        ("", "set.yaml is empty"),
        (b"a: \xff\xfe", "is not UTF-8"),
        ("a: 1\nb: \x00", r"set\.yaml:2: is not YAML: .*; remove the invisible character"),
        ("a: b: c\n", r"set\.yaml:1: mapping values are not allowed here; put a value .* in quotes"),
        ("a: 1\nb: 'never closed\nc: 2\n", r"set\.yaml:2: found unexpected end of stream; close the quotation mark"),
        ("a:\n\tb: 1\n", r"set\.yaml:2: found character '\\t' .*; indent with spaces"),
        ("a: @b\n", r"set\.yaml:1: found character '@' .*; put the value in quotes"),
        ("a: [1, }\n", r"set\.yaml:1: .*; \w"),
        ("a: 1\n- b\n", r"set\.yaml:2: expected <block end>.*; indent fields of one thing alike"),
        ("a: !!binary 'é'", "set.yaml:1: could not determine a constructor"),
        ("[" * 5000, "is not YAML|set.yaml:1"),
    ],
)  # fmt: skip
def test_what_is_no_plain_yaml_is_refused_with_its_place(written, text, message):
    with pytest.raises(InputError, match=message):
        read_yaml(written(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml cannot be read \(No such file"):
        read_yaml(tmp_path / "absent.yaml")


def test_a_giant_file_is_refused_unread(written):
    with pytest.raises(InputError, match="5,000,000 bytes"):
        read_yaml(written(b" " * (MOST_BYTES + 1)))
