"""Say whether members can be released as they are: ``python .ci/release.py MEMBER...``. Tags and uploads nothing.

A member can be if nothing is uncommitted, its changelog begins with its version, no tag has that version, and two
builds of the same commit are the same bytes.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


def main(members: list[str]) -> int:
    known = homes()
    if not members or set(members) - set(known):
        print(f"Say which of them: {', '.join(known)}")
        return 2
    problems = uncommitted()
    for member in members:
        problems += unready(member, known[member])
    if problems:
        print(*problems, sep="\n")
        return 1
    shutil.rmtree(DIST, ignore_errors=True)
    for member in members:
        built = reproducibly(member)
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, built)], check=True)
        tag = f"{member}/v{version(known[member])}"
        print(f"{member} can be released:")
        print(*(f"    {hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in built), sep="\n")
        print(f"    git tag --sign {tag} --message '{tag}' && git push origin {tag}")
    return 0


def homes() -> dict[str, Path]:
    """The folder of each member that has a version of its own."""
    found = {}
    for pyproject in [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*-worker/pyproject.toml")]:
        found[tomllib.loads(pyproject.read_text())["project"]["name"]] = pyproject.parent
    return dict(sorted(found.items()))


def version(home: Path) -> str:
    return str(tomllib.loads((home / "pyproject.toml").read_text())["project"]["version"])


def uncommitted() -> list[str]:
    changed = git("status", "--porcelain")
    return [f"Not committed, so that nobody could build it again:\n{changed}"] if changed else []


def unready(member: str, home: Path) -> list[str]:
    """What keeps one from being released."""
    now = version(home)
    found = re.search(r"^## \[?v?([0-9][^\]\s]*)", (home / "CHANGELOG.md").read_text(), re.MULTILINE)
    problems = []
    if found is None or found[1] != now:
        problems.append(f"{member}: the changelog begins with {found[1] if found else 'nothing'} and not with {now}.")
    if git("tag", "--list", f"{member}/v{now}"):
        problems.append(f"{member}: {now} is released already; raise the version.")
    return problems


def reproducibly(member: str) -> list[Path]:
    """Build a member twice into ``dist/`` and see that both are the same.

    Raises:
        SystemExit: They are not.
    """
    environ = os.environ | {"SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")}
    name = member.replace("-", "_")
    sums: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="release-") as elsewhere:
        for folder in (Path(elsewhere), DIST):
            command = ["uv", "build", "--quiet", "--package", member, "--out-dir", str(folder)]
            subprocess.run(command, cwd=ROOT, env=environ, check=True)
            built = sorted([*folder.glob(f"{name}-*.whl"), *folder.glob(f"{name}-*.tar.gz")])
            sums.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built})
    if not sums[0] or sums[0] != {file: sums[1].get(file) for file in sums[0]}:
        sys.exit(f"{member}: two builds of one commit differ: {sums}")
    return [DIST / file for file in sums[0]]


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
