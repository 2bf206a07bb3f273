"""Checks of the repository that no tool knows; run as ``python .ci/checks.py NAME...``.

Each check returns what is wrong, one sentence per finding; any finding is exit status 1.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PUBLIC_HOSTS = {"https://pypi.org", "https://files.pythonhosted.org"}


def members() -> Iterator[tuple[Path, dict[str, Any]]]:
    for pattern in ("packages/*/pyproject.toml", "services/*-worker/pyproject.toml"):
        for path in sorted(ROOT.glob(pattern)):
            yield path.parent, tomllib.loads(path.read_text())["project"]


def lock() -> Iterator[str]:
    """uv.lock names only the public index, so that it works anywhere."""
    hosts = set(re.findall(r"https?://[^/\"]+", (ROOT / "uv.lock").read_text()))
    for host in sorted(hosts - PUBLIC_HOSTS):
        yield f"uv.lock names {host}; lock again without that index."


def versions() -> Iterator[str]:
    """The newest heading of each changelog is the version in pyproject.toml, and no other is "unreleased"."""
    for home, project in members():
        name, version = project["name"], project["version"]
        headings = re.findall(r"^## (.+)$", _text(home / "CHANGELOG.md"), re.MULTILINE)
        newest = headings[0].split()[0] if headings else "nothing"
        if newest != version:
            yield f"{name} is {version}, its changelog begins with {newest}; write the entry of {version}."
        if name not in _text(home / "README.md"):
            yield f"{name} has no README.md that names it."


def siblings() -> Iterator[str]:
    """A member bounds each member that it needs by a floor and a next major."""
    names = {project["name"] for _, project in members()}
    for _, project in members():
        extras = project.get("optional-dependencies", {}).values()
        for requirement in [*project.get("dependencies", []), *(one for extra in extras for one in extra)]:
            needed = re.split(r"[\[<>=!~ ;]", requirement)[0]
            if needed in names - {project["name"]} and not re.search(r">=[\d.]+,<\d+$", requirement):
                yield f"{project['name']} needs {requirement!r}; write a floor and the next major, >=0.1,<1."


def typed() -> Iterator[str]:
    """Each import package carries the marker that lets type checkers read it."""
    for home, project in members():
        for package in sorted(home.glob("src/*/__init__.py")):
            marker = package.parent / "py.typed"
            if not marker.exists():
                yield f"{project['name']} lacks {marker.relative_to(home)}; type checkers ignore its types."


def licensed() -> Iterator[str]:
    """Each member's wheel brings the licence, as the licence asks of who passes it on."""
    for home, project in members():
        if project.get("license-files") != ["LICENSE"] or _text(home / "LICENSE") != _text(ROOT / "LICENSE"):
            yield (
                f"{project['name']} would be released without its licence; link LICENSE to ../../LICENSE, "
                'and write license-files = ["LICENSE"].'
            )


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


CHECKS: dict[str, Callable[[], Iterator[str]]] = {
    check.__name__: check for check in (lock, versions, siblings, typed, licensed)
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"No check is called {', '.join(unknown)}; there are {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    findings = [finding for name in names or CHECKS for finding in CHECKS[name]()]
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{', '.join(names or CHECKS)}: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
