"""YAML as settings want it: a key that stands twice is an error, and faults say what to do."""

from typing import Any

import yaml
from yaml.nodes import MappingNode

from trenova_errors import ConfigurationError


class StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping; YAML forbids it, PyYAML silently takes the last."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """See base class."""
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key = key_node.value
            if not isinstance(key, str) or key == "<<":  # a merge may be overridden; others the base class refuses
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here again, and first at line {seen[key]}", key_node.start_mark
                )
            seen[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)


def not_yaml(name: str, error: yaml.YAMLError) -> ConfigurationError:
    """Return what a parser found wrong in the file ``name``, where, and what to do. Values stay out of it."""
    mark = getattr(error, "problem_mark", None)
    where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    return ConfigurationError(f"{name} is not YAML{where}: {problem}. {_remedy(str(problem))}.")


def _remedy(problem: str) -> str:
    if "again" in problem:
        return "Keep one of the two"
    if "'\\t'" in problem:
        return "Indent with spaces, never with tabs"
    if "mapping values are not allowed" in problem:
        return "Put each key on a line of its own, and text that holds a colon into quotes"
    return "Correct that line; brackets and quotes must be closed, and keys of one level equally indented"
