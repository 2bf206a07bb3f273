"""Each check is shown to find what it is for, on a copy of the repository in which the mistake was made."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("LICENSE", "pyproject.toml", "uv.lock", "noxfile.py", ".ci", "packages", "services")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*_cache", ".venv", ".nox")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=LEFT_OUT)
        else:
            shutil.copy(source, tmp_path / part)
    return tmp_path


def run(folder: Path, *command: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run in the copy, with its sources before those that are installed here."""
    sources = sorted(str(path) for path in folder.glob("*/*/src"))
    programs = os.pathsep.join([*([str(path)] if path else []), os.environ["PATH"]])
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "PATH": programs,
        "PYTHONPATH": os.pathsep.join(sources),
    }
    environment.pop("FORCE_COLOR", None)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def run_member(folder: Path, member: str) -> subprocess.CompletedProcess[str]:
    """Run the session ``tests`` of one member, only its test of the public surface."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    session = f"tests-{PYTHON}({member})"
    return subprocess.run(
        [sys.executable, "-m", "nox", "--non-interactive", "-s", session, "--", "-k", "exports"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def plant(folder: Path, package: str, line: str) -> None:
    module = next(folder.glob(f"*/*/src/{package}")) / "__init__.py"
    text = module.read_text()
    assert "\nfrom " in text
    module.write_text(text.replace("\nfrom ", f"\n{line}\nfrom ", 1))


@pytest.mark.timeout(300)  # makes an environment twice
def test_an_undeclared_import_fails_the_session_of_its_member(copy):
    clean = run_member(copy, "trenova-schedules")
    assert clean.returncode == 0, clean.stdout + clean.stderr

    plant(copy, "trenova_schedules", "import aiosmtplib")
    everywhere = run(copy, sys.executable, "-c", "import trenova_schedules; print(trenova_schedules.__file__)")
    alone = run_member(copy, "trenova-schedules")

    assert everywhere.stdout.startswith(str(copy)), "the workspace environment should hide the mistake"
    assert alone.returncode != 0
    assert "No module named 'aiosmtplib'" in alone.stdout + alone.stderr


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("trenova_codecs", "trenova_schedules"),
        ("trenova_errors", "trenova_codecs"),
        ("trenova_access", "trenova_codecs"),
        ("trenova_access", "trenova_store"),
        ("trenova_store", "trenova_schedules"),
        ("trenova_errors", "trenova_store"),
        ("trenova_errors", "trenova_access"),
        ("shipment_worker", "system_worker"),
    ],
)
def test_an_import_of_a_sibling_or_upwards_fails_import_linter(copy, importer, imported):
    clean = run(copy, "lint-imports", "--no-cache")
    assert clean.returncode == 0, clean.stdout + clean.stderr

    (next(copy.glob(f"*/*/src/{importer}")) / "_planted.py").write_text(f"import {imported}\n")
    broken = run(copy, "lint-imports", "--no-cache")

    assert broken.returncode == 1
    assert f"{importer} is not allowed to import {imported}" in broken.stdout
    assert f"{importer}._planted -> {imported}" in broken.stdout


def test_a_lock_that_names_another_host_is_found(copy):
    lock = copy / "uv.lock"
    lock.write_text(lock.read_text().replace("https://pypi.org", "https://mirror.example", 1))

    result = run(copy, sys.executable, ".ci/checks.py", "lock")

    assert result.returncode == 1
    assert "uv.lock names https://mirror.example" in result.stderr


def test_a_version_without_its_changelog_entry_is_found(copy):
    project = copy / "packages/trenova-codecs/pyproject.toml"
    version = re.search(r'^version = "(.+)"', project.read_text(), re.MULTILINE)[1]
    project.write_text(project.read_text().replace(f'version = "{version}"', 'version = "99.0.0"', 1))

    result = run(copy, sys.executable, ".ci/checks.py", "versions")

    assert result.returncode == 1
    assert f"trenova-codecs is 99.0.0, its changelog begins with {version}" in result.stderr


def test_an_unbounded_sibling_is_found(copy):
    project = copy / "packages/trenova-codecs/pyproject.toml"
    project.write_text(re.sub(r'"trenova-errors>=[\d.]+,<1"', '"trenova-errors>=0.1"', project.read_text(), count=1))

    result = run(copy, sys.executable, ".ci/checks.py", "siblings")

    assert result.returncode == 1
    assert "trenova-codecs needs 'trenova-errors>=0.1'" in result.stderr


def test_a_package_without_its_typing_marker_is_found(copy):
    (copy / "packages/trenova-codecs/src/trenova_codecs/py.typed").unlink()

    result = run(copy, sys.executable, ".ci/checks.py", "typed")

    assert result.returncode == 1
    assert "trenova-codecs lacks src/trenova_codecs/py.typed" in result.stderr


@pytest.fixture
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-ins for what CI asks of a Debian machine: user nobody reaches everything, nothing is installed."""
    folder = tmp_path_factory.mktemp("programs")
    for name, status in (("runuser", 0), ("apt-get", 9)):
        (folder / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_command_that_ci_runs_is_the_one_in_the_readme(copy, debian):
    (copy / "README.md").write_text(
        "```shell\nnot this\n```\n\n<!-- test-command -->\n\n```shell\necho it ran; exit 3\n```\n"
        "```shell\nnor this\n```\n"
    )

    result = run(copy, ".ci/run", path=debian)

    assert result.returncode == 3
    assert "\nit ran\n" in result.stdout
    assert "Exit status 3" in result.stdout


def test_a_readme_without_the_command_is_refused(copy, debian):
    (copy / "README.md").write_text("# Nothing\n")

    result = run(copy, ".ci/run", path=debian)

    assert result.returncode == 2
    assert "README.md has no fenced block after <!-- test-command -->" in result.stderr


@pytest.mark.parametrize("way", ["no file", "another text", "not named"])
def test_a_member_that_would_be_released_without_its_licence_is_found(copy, way):
    home = copy / "packages/trenova-store"
    clean = run(copy, sys.executable, ".ci/checks.py", "licensed")
    assert clean.returncode == 0, clean.stderr
    if way == "no file":
        (home / "LICENSE").unlink()
    elif way == "another text":
        (home / "LICENSE").write_text("All rights reserved.")
    else:
        project = home / "pyproject.toml"
        project.write_text(project.read_text().replace('license-files = ["LICENSE"]\n', ""))

    found = run(copy, sys.executable, ".ci/checks.py", "licensed")

    assert found.returncode == 1
    assert "trenova-store would be released without its licence" in found.stderr
