"""The patches that docs/changing-workflows.md lists are those in the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALLS = {"patched", "deprecate_patch"}
ROW = re.compile(r"^\| `([^`]+)` \| `(patched|deprecate_patch)` \|", re.MULTILINE)


def sources() -> Iterator[ast.Module]:
    for pattern in ("packages/*/src/**/*.py", "services/*/src/**/*.py"):
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text()
            if "patched" in text or "_PATCH" in text or "deprecate_patch" in text:
                yield ast.parse(text, str(path))


def named(trees: list[ast.Module]) -> dict[str, ast.expr]:
    """Return what is assigned to each name, constants of other modules included."""
    found: dict[str, ast.expr] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    found[target.id] = node.value
    return found


def written(value: ast.expr, names: dict[str, ast.expr]) -> str:
    """Spell an id as the table does: what only a run knows is ``<n>``."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(written(part, names) for part in value.values)
    if isinstance(value, ast.FormattedValue):
        return written(value.value, names) if isinstance(value.value, ast.Name) else "<n>"
    assert isinstance(value, ast.Name), f"Write the id of a patch as a constant: {ast.unparse(value)}"
    return written(names[value.id], names)


def in_the_source() -> set[tuple[str, str]]:
    trees = list(sources())
    names = named(trees)
    return {
        (written(node.args[0], names), node.func.attr)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
    }


def test_the_patches_in_force_are_listed_with_the_call_that_the_source_has():
    listed = ROW.findall((ROOT / "docs/changing-workflows.md").read_text())

    assert len(listed) == len(set(listed))
    assert set(listed) == in_the_source()
    assert ("notification-channels", "patched") in in_the_source()
