"""Compare what packages offer with their last tag: ``python .ci/api.py MEMBER...``.

What breaks a caller wants a new major version, or before 1.0 a new minor one (semver.org, 4 and 8).
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]


def main(members: list[str], root: Path = ROOT) -> int:
    wrong = 0
    for member in members:
        told, breaks = compare(member, root)
        print(*told, sep="\n")
        wrong += breaks
    return 1 if wrong else 0


def compare(member: str, root: Path) -> tuple[list[str], bool]:
    """What changed since the last tag, and whether it breaks callers of a version that says it does not."""
    home, package = root / "packages" / member, member.replace("-", "_")
    now = tomllib.loads((home / "pyproject.toml").read_text())["project"]["version"]
    tag = last_tag(member, root)
    if tag is None:
        return [f"{member} {now}: no tag yet, so nothing to compare with"], False
    source = f"packages/{member}/src"
    old = griffe.load_git(package, ref=tag, repo=root, search_paths=[source])
    new = griffe.load(package, search_paths=[root / source])
    found = [_plain(breakage) for breakage in griffe.find_breaking_changes(old, new)]
    before = tag.rpartition("/v")[2]
    if not found:
        return [f"{member} {now}: nothing that callers of {before} use has gone"], False
    if compatible(before) != compatible(now):
        return [f"{member} {now}: breaks callers of {before}, as its version says", *map(_indented, found)], False
    why = f"{member} {now}: breaks callers of {before}; raise the version, or keep what was there"
    return [why, *map(_indented, found)], True


def last_tag(member: str, root: Path) -> str | None:
    listed = ["git", "tag", "--list", f"{member}/v*", "--sort=-v:refname", "--merged", "HEAD"]
    tags = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    return tags[0] if tags else None


def compatible(version: str) -> tuple[str, ...]:
    """The part of a version that is the same in all that are compatible."""
    major, minor, *_ = version.split(".")
    return (major,) if major != "0" else (major, minor)


def _plain(breakage: griffe.Breakage) -> str:
    """One line without colours, which Griffe writes into files too."""
    return re.sub(r"\x1b\[\d*m", "", breakage.explain(griffe.ExplanationStyle.ONE_LINE))


def _indented(line: str) -> str:
    return f"    {line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
