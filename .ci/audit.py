"""Known vulnerabilities of what is locked, and the licences of what our wheels bring: ``python .ci/audit.py CHECK``.

``vulnerabilities`` asks the database of OSV, and ends with status 3 where that cannot be reached. ``licences`` compares
``docs/licences.md`` with the metadata of what is installed here, and ``--write`` writes that page.
"""

import argparse
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/licences.md"
UNREACHABLE = 3

# What may be shipped beside Apache-2.0. MPL-2.0 asks for the source of changed files only, and we change none.
ALLOWED = frozenset(
    (
        *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"),
        *("MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
    )
)
# What metadata says that is older than SPDX expressions, of classifiers and of the field License.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Only other systems or older Pythons than the tests have install these.
ELSEWHERE = {"async-timeout": "Apache-2.0", "colorama": "BSD"}

HEAD = """# Licences

What an installation of all members with all extras brings, and under which licence, as each package's metadata says.
`python .ci/audit.py licences --write` writes this page; `nox -s audit` fails where it is out of date or a licence is
none of those that `.ci/audit.py` allows. What the pages of the dashboard bring has its licence beside it
(`packages/trenova-schedules/src/trenova_schedules/dashboard/static/vendor`).

| package | licence |
|---|---|
"""


def vulnerabilities(*options: str) -> int:
    """Ask for what is known against any version in ``uv.lock``, of development and tests too."""
    command = ("uv", "audit", "--frozen", "--preview-features", "audit-command", *options)
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    sys.stdout.write(told.stdout)
    sys.stderr.write(told.stderr)
    return UNREACHABLE if told.returncode and "error sending request for url" in told.stderr else told.returncode


def licences(*, write: bool) -> int:
    """Find licences that are not allowed, and a page that does not say what the metadata says."""
    found = {name: licence(name) for name in _brought()}
    refused = {name: said for name, said in found.items() if not _allowed(said)}
    for name, said in refused.items():
        print(f"{name} is under {said!r}; replace it, or read the licence and allow it in {__file__}.", file=sys.stderr)
    page = HEAD + "".join(f"| {name} | {said} |\n" for name, said in found.items())
    if write:
        PAGE.write_text(page, encoding="utf-8")
    outdated = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page
    if outdated:
        print("docs/licences.md is out of date; run 'python .ci/audit.py licences --write'.", file=sys.stderr)
    print(f"licences: {len(found)} packages, {len(refused)} refused")
    return 1 if refused or outdated else 0


def _brought() -> list[str]:
    """Return the names that all members with all extras need, on any system and Python."""
    command = ["uv", "export", "--quiet", "--frozen", "--all-packages", "--all-extras", "--no-default-groups"]
    plain = ("--no-hashes", "--no-emit-workspace", "--no-header", "--no-annotate")
    told = subprocess.run([*command, *plain], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({Requirement(line).name for line in told.stdout.splitlines()})


def licence(name: str) -> str:
    """Return what an installed package says of its licence, as an SPDX expression where it can be made one."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ELSEWHERE.get(name, "nothing, it is not installed here")
    if said["License-Expression"]:
        return str(said["License-Expression"])
    field = SPDX.get(said["License"] or "", said["License"] or "")
    if field in ALLOWED:
        return field
    classifiers = said.get_all("Classifier") or []
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    return " AND ".join(SPDX.get(one, one) for one in named) or "nothing"


def _allowed(expression: str) -> bool:
    """Tell whether every licence of an expression may be shipped; of alternatives, one. Strict with a mix of both."""
    return all(
        any(one.strip(" ()") in ALLOWED for one in re.split(r"\s+OR\s+", part))
        for part in re.split(r"\s+AND\s+", expression)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for known vulnerabilities, and at licences.")
    checks = parser.add_subparsers(dest="check", required=True)
    checks.add_parser("licences").add_argument("--write", action="store_true", help="write docs/licences.md")
    checks.add_parser("vulnerabilities").add_argument("--service-url", help="another database than api.osv.dev")
    told = parser.parse_args()
    if told.check == "licences":
        return licences(write=told.write)
    return vulnerabilities(*(("--service-url", told.service_url) if told.service_url else ()))


if __name__ == "__main__":
    sys.exit(main())
