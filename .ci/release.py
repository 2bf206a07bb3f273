# /// script
# requires-python = ">=3.11"
# dependencies = ["packaging>=24", "twine>=7,<8"]
# ///
"""Sees whether a member may be released and builds what would be: ``uv run --script .ci/release.py MEMBER``.

Nothing leaves the machine, and no tag is made: the commands that make and push it are printed. The files are in
``dist/release/MEMBER`` afterwards. Exit status 1, and one sentence per finding, where something is not right.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import Version

PATTERNS = ("packages/*/pyproject.toml", "services/*-worker/pyproject.toml")


class Member:
    """One package of the workspace at ``root``, and what is written about it."""

    def __init__(self, root: Path, name: str) -> None:
        paths = sorted(path for pattern in PATTERNS for path in root.glob(pattern))
        projects: dict[str, dict[str, Any]] = {}
        for path in paths:
            project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
            projects[project["name"]] = {**project, "home": path.parent}
        if name not in projects:
            sys.exit(f"No member is called {name!r}; there are {', '.join(projects)}.")
        self.root = root
        self.name = name
        self.home: Path = projects[name]["home"]
        self.version = Version(projects[name]["version"])
        self.tag = f"{name}/v{self.version}"

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def findings(self, *, tagged: bool) -> Iterator[str]:
        """Yield what keeps the member from being released, and with ``tagged`` that its commit has no tag yet."""
        yield from self._tree()
        yield from self._tags(required=tagged)
        yield from self._changelog()
        yield from self._pins()
        yield from self._lock()

    def _tree(self) -> Iterator[str]:
        changed = self.git("status", "--porcelain").splitlines()
        if changed:
            named = ", ".join(line.split()[-1] for line in changed[:5])
            yield f"{len(changed)} files are not committed ({named}); commit or remove them, a release is a commit."

    def _tags(self, *, required: bool) -> Iterator[str]:
        tagged = self.git("tag", "--list", f"{self.name}/v*").split()
        if required and self.tag not in tagged:
            yield f"{self.tag} is no tag here; the version in pyproject.toml and the tag of this commit have to agree."
        if self.tag in tagged:
            if self.git("rev-list", "-n1", self.tag) != self.git("rev-parse", "HEAD"):
                yield f"{self.tag} is the tag of another commit; raise the version in pyproject.toml."
            return
        later = [tag for tag in tagged if Version(tag.rpartition("/v")[2]) > self.version]
        if later:
            yield f"{', '.join(later)} is later than {self.version}; raise the version in pyproject.toml above it."

    def _changelog(self) -> Iterator[str]:
        path = self.home / "CHANGELOG.md"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        heading, _, rest = text.partition("\n## ")[2].partition("\n")
        if (heading.split() or ["nothing"])[0] != str(self.version):
            yield f"CHANGELOG.md begins with {heading or 'nothing'!r}; write the entry '## {self.version}' at its top."
        elif not rest.partition("\n## ")[0].strip():
            yield f"The entry {self.version} of CHANGELOG.md is empty; say what changes for whoever upgrades."

    def _pins(self) -> Iterator[str]:
        pin = re.compile(rf"(?<![\w-]){re.escape(self.name)}(?:\[[\w, -]*\])?==([\w.!+]*\w)")
        if not pin.search((self.home / "README.md").read_text(encoding="utf-8")):
            yield f"README.md shows no '{self.name}=={self.version}'; say how to pin it."
        for path in self.git("ls-files", "*.md").splitlines():
            if Path(path).name == "CHANGELOG.md":
                continue
            for number, line in enumerate((self.root / path).read_text(encoding="utf-8").splitlines(), start=1):
                for found in pin.findall(line):
                    if found != str(self.version):
                        yield f"{path}:{number} pins {found}; this is {self.version}."

    def _lock(self) -> Iterator[str]:
        locked = tomllib.loads((self.root / "uv.lock").read_text(encoding="utf-8"))["package"]
        version = next((package["version"] for package in locked if package["name"] == self.name), "nothing")
        if version != str(self.version):
            yield f"uv.lock has {version}, pyproject.toml {self.version}; run 'uv lock'."

    def build(self, source: Path, into: Path) -> dict[str, str]:
        """Build both files from ``source`` and return their SHA-256 by name; the time in them is that of the commit."""
        environment = {**os.environ, "SOURCE_DATE_EPOCH": self.git("log", "-1", "--format=%ct")}
        environment.pop("VIRTUAL_ENV", None)
        command = ("uv", "build", "--quiet", "--no-create-gitignore", "--package", self.name, "--out-dir", str(into))
        subprocess.run(command, cwd=source, env=environment, check=True)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(into.iterdir())}

    def export(self, folder: Path) -> None:
        """Write what the commit holds into ``folder``, so that nothing else can get into what is built there."""
        packed = subprocess.run(["git", "archive", "HEAD"], cwd=self.root, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")


def main() -> int:
    parser = argparse.ArgumentParser(description="See whether a member may be released, and build what would be.")
    parser.add_argument("member")
    parser.add_argument("--tagged", action="store_true", help="fail unless this commit has the tag of its version")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help=argparse.SUPPRESS)
    told = parser.parse_args()
    member = Member(told.root, told.member)
    findings = list(member.findings(tagged=told.tagged)) or list(_build(member))
    for finding in findings:
        print(f"{member.name}: {finding}", file=sys.stderr)
    if findings:
        return 1
    _tell(member)
    return 0


def _build(member: Member) -> Iterator[str]:
    """Build here and from an export elsewhere, which have to be the same bytes, and look at the metadata."""
    out = member.root / "dist" / "release" / member.name
    shutil.rmtree(out, ignore_errors=True)
    built = member.build(member.root, out)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        member.export(Path(folder) / "source")
        again = member.build(Path(folder) / "source", Path(folder) / "out")
    for name in sorted(built.keys() | again.keys()):
        if built.get(name) != again.get(name):
            yield f"{name} is not the same when the commit alone is built; look for files that git does not have."
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, out.iterdir())], check=False
    )
    if checked.returncode:
        yield "the metadata is not what an index takes; twine says above what is wrong."
    for name, digest in built.items():
        print(f"{digest}  {(out / name).relative_to(member.root)}")


def _tell(member: Member) -> None:
    if member.git("tag", "--list", member.tag):
        print(f"{member.tag} is the tag of this commit.")
        return
    print(f"{member.name} {member.version} may be released. Once this commit is on main:")
    print(f'  git tag --sign {member.tag} --message "{member.name} {member.version}"')
    print(f"  git push origin {member.tag}")


if __name__ == "__main__":
    sys.exit(main())
