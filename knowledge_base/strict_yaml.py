"""YAML that people wrote, read without what can flood memory, run code, or silently lose half of an entry."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml

TAG = "tag:yaml.org,2002:"
PLAIN = {None, *(TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null"))}
"""What a value may be; None stands for any other tag, which is refused."""


class StrictLoader(yaml.SafeLoader):
    """Mappings, lists, strings, numbers, booleans and null; what looks like a date is a string.

    There are no aliases (a few bytes can stand for gigabytes), no repeated keys (one would win) and no other types.

    Raises:
        yaml.MarkedYAMLError: the text holds one of these; the mark is its place.
    """

    yaml_constructors: ClassVar = {tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in PLAIN}
    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc]  # the stub takes it for an instance variable
        first: [(tag, pattern) for tag, pattern in known if tag != TAG + "timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias where any other node is accepted."""
        if self.check_event(yaml.AliasEvent):
            problem = "aliases (*name) are not allowed; write the value out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                problem = f"{key.value!r} stands twice; keep one"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
