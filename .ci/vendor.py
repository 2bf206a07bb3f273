"""Copies what pages need from npm into the wheel: ``python .ci/vendor.py`` fetches, ``--check`` only compares.

``vendored.json`` beside the files says of which package and version each is, and its SHA-256. A new version is a new
``version`` there and ``--accept``, which writes the digests of what came. Nothing but this script needs npm.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
VENDORED = ROOT / "packages/trenova-schedules/src/trenova_schedules/dashboard/static/vendor"
LIST = VENDORED / "vendored.json"


def main() -> int:
    """Fetch or check; 1 where something is not what the list says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files that are here with their digests")
    parser.add_argument("--accept", action="store_true", help="write the digests of what was fetched")
    told = parser.parse_args()
    listed: dict[str, dict[str, str]] = json.loads(LIST.read_text(encoding="utf-8"))
    if not told.check:
        _fetch(listed)
    wrong = [name for name, entry in listed.items() if _digest(VENDORED / name) != entry.get("sha256")]
    if wrong and told.accept:
        for name, entry in listed.items():
            entry["sha256"] = _digest(VENDORED / name)
        LIST.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
        wrong = []
    for name in wrong:
        print(f"{name} is not what vendored.json says; fetch it again, or read it and --accept it.", file=sys.stderr)
    return 1 if wrong else 0


def _fetch(listed: dict[str, dict[str, str]]) -> None:
    wanted = sorted({f"{entry['package']}@{entry['version']}" for entry in listed.values()})
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--json", "--pack-destination", folder, *wanted]
        packed: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        files = {f"{one['name']}@{one['version']}": Path(folder) / one["filename"] for one in packed}
        for name, entry in listed.items():
            with tarfile.open(files[f"{entry['package']}@{entry['version']}"]) as archive:
                member = archive.extractfile(f"package/{entry['path']}")
                if member is None:
                    raise SystemExit(f"{entry['package']} has no file {entry['path']}.")
                (VENDORED / name).write_bytes(member.read())


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
