"""A YAML file that a person may have edited, read strictly and with the line of every value for messages about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from knowledge_base.errors import InputError
from knowledge_base.strict_yaml import StrictLoader

MOST_BYTES = 5_000_000
"""A larger file is refused unread."""

_REMEDIES = {
    "mapping values are not allowed": 'put a value that holds ": " in quotes, and indent fields of one thing alike',
    "end of stream": "close the quotation mark or bracket that opens here",
    "'\\t'": "indent with spaces, not with tabs",
    "cannot start any token": "put the value in quotes",
    "expected ',' or": "close the bracket or brace, or put the value in quotes",
    "expected <block end>": 'indent fields of one thing alike, start each item with "- ", close each quotation mark',
    "could not find expected ':'": 'write every field as "name: value"',
    "another document": 'keep one document and remove the line "---"',
    "could not determine a constructor": "remove the word that starts with !, or put the value in quotes",
    "undefined alias": "put a value that starts with * in quotes",
}
"""What PyYAML finds wrong -> what to do, in words that need no knowledge of YAML."""


class Document:
    """The values of a YAML file, and where each one stands.

    Attributes:
        name: file name, without folders.
        data: mappings, lists, strings, numbers, booleans and None only.
    """

    def __init__(self, name: str, node: yaml.Node, data: Any) -> None:
        self.name, self.data, self._root = name, data, node

    def line(self, path: tuple[str | int, ...]) -> int:
        """Line (from 1) of the value at `path`, or of the nearest value around it."""
        node = self._root
        for part in path:
            inner = _child(node, part)
            if inner is None:
                break
            node = inner
        return int(node.start_mark.line) + 1


def read_yaml(path: str | Path) -> Document:
    """Read one YAML document.

    Raises:
        InputError: the file is missing, too large, empty, or not YAML; names file, line and remedy.
    """
    path = Path(path)
    text = _text(path)
    try:
        loader = StrictLoader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(_explain(path.name, text, error)) from None
    if node is None:
        raise InputError(f"{path.name} is empty; give a criteria file such as `touchstone mine` writes")
    return Document(path.name, node, data)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} has over {MOST_BYTES:,} bytes; give a criteria file")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path") from None


def _explain(name: str, text: str, error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = error.problem or "not YAML"
        # What was never closed is found missing at the end of the file, but must be mended where it opens.
        mark = error.context_mark if "end of stream" in problem and error.context_mark else error.problem_mark
        return f"{name}:{mark.line + 1}: {problem}{'' if '; ' in problem else '; ' + _mend(problem)}"
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{name}:{line}: is not YAML: {error.reason}; remove the invisible character at {error.position}"
    return f"{name} is not YAML ({' '.join(str(error).split()) or type(error).__name__}); mend or restore it"


def _mend(problem: str) -> str:
    return next((remedy for sign, remedy in _REMEDIES.items() if sign in problem), "mend this line or restore the file")


def _child(node: yaml.Node, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(part)), None)
    return None
