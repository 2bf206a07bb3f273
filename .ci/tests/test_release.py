"""What stops a release, and what one prints, on a small repository of its own."""

import subprocess
import zipfile
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "release.py"
pytestmark = pytest.mark.integration

HOME = Path("packages/trenova-parts")
WORKSPACE = """[project]
name = "workspace"
version = "0"
requires-python = ">=3.11"

[tool.uv]
package = false

[tool.uv.workspace]
members = ["packages/*"]
"""
PROJECT = """[project]
name = "trenova-parts"
version = "0.2.0"
description = "Counts parts."
license = "Apache-2.0"
readme = "README.md"
requires-python = ">=3.11"

[build-system]
requires = ["uv_build>=0.13.9,<0.14"]
build-backend = "uv_build"
"""


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Change")


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["uv", "run", "--quiet", "--script", str(PROGRAM), "--root", str(folder), "trenova-parts", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One package that may be released."""
    root = tmp_path / "repository"
    (root / HOME / "src/trenova_parts").mkdir(parents=True)
    (root / "pyproject.toml").write_text(WORKSPACE)
    (root / ".gitignore").write_text("dist/\n*.local\n")
    (root / HOME / "pyproject.toml").write_text(PROJECT)
    (root / HOME / "README.md").write_text('# trenova-parts\n\n`uv pip install "trenova-parts[cli]==0.2.0"`\n')
    (root / HOME / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 0.2.0\n\n- Counts spare parts.\n\n## 0.1.0\n\n- Counts.\n"
    )
    (root / HOME / "src/trenova_parts/__init__.py").write_text('"""Parts."""\n')
    subprocess.run(["uv", "lock", "--quiet", "--offline"], cwd=root, check=True)
    git(root, "init", "--quiet")
    commit(root)
    return root


def test_a_release_is_built_twice_alike_and_only_tells_how_to_tag_it(repository):
    told = release(repository)

    assert told.returncode == 0, told.stdout + told.stderr
    assert "git tag --sign trenova-parts/v0.2.0" in told.stdout
    assert git(repository, "tag") == ""
    out = repository / "dist/release/trenova-parts"
    assert sorted(path.name for path in out.iterdir()) == [
        "trenova_parts-0.2.0-py3-none-any.whl",
        "trenova_parts-0.2.0.tar.gz",
    ]
    with zipfile.ZipFile(out / "trenova_parts-0.2.0-py3-none-any.whl") as wheel:
        assert "trenova_parts/__init__.py" in wheel.namelist()


def test_a_commit_that_has_the_tag_of_its_version_is_built_again(repository):
    git(repository, "tag", "trenova-parts/v0.2.0")

    assert "trenova-parts/v0.2.0 is the tag of this commit" in release(repository, "--tagged").stdout


def test_a_tag_that_is_not_that_of_the_version_is_not_released(repository):
    git(repository, "tag", "trenova-parts/v0.1.0")

    told = release(repository, "--tagged")

    assert told.returncode == 1
    assert "trenova-parts/v0.2.0 is no tag here" in told.stderr


def test_a_file_that_only_this_folder_has_is_found_in_what_is_built(repository):
    (repository / HOME / "src/trenova_parts/notes.local").write_text("Only here.")

    told = release(repository)

    assert told.returncode == 1
    assert "trenova_parts-0.2.0-py3-none-any.whl is not the same when the commit alone is built" in told.stderr


def test_what_is_not_committed_stops_a_release(repository):
    (repository / HOME / "src/trenova_parts/more.py").write_text("")

    told = release(repository)

    assert told.returncode == 1
    assert "1 files are not committed (packages/trenova-parts/src/trenova_parts/more.py)" in told.stderr
    assert not (repository / "dist").exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("CHANGELOG.md", "## 0.2.0", "## 0.3.0", "CHANGELOG.md begins with '0.3.0'"),
        ("CHANGELOG.md", "- Counts spare parts.\n", "", "The entry 0.2.0 of CHANGELOG.md is empty"),
        ("README.md", "==0.2.0", "==0.1.0", "packages/trenova-parts/README.md:3 pins 0.1.0; this is 0.2.0."),
        ("README.md", "==0.2.0", "", "README.md shows no 'trenova-parts==0.2.0'"),
        ("pyproject.toml", "0.2.0", "0.2.1", "uv.lock has 0.2.0, pyproject.toml 0.2.1; run 'uv lock'."),
    ],
)
def test_what_disagrees_with_the_version_stops_a_release(repository, file, old, new, finding):
    rewrite(repository / HOME / file, old, new)
    commit(repository)

    told = release(repository)

    assert told.returncode == 1
    assert finding in told.stderr


def test_a_version_whose_tag_is_of_another_commit_stops_a_release(repository):
    git(repository, "tag", "trenova-parts/v0.2.0")
    commit(repository)

    assert "trenova-parts/v0.2.0 is the tag of another commit" in release(repository).stderr


def test_a_version_before_one_that_is_tagged_stops_a_release(repository):
    git(repository, "tag", "trenova-parts/v0.10.0")

    assert "trenova-parts/v0.10.0 is later than 0.2.0" in release(repository).stderr


def test_metadata_that_an_index_would_refuse_stops_a_release(repository):
    rewrite(repository / HOME / "pyproject.toml", 'readme = "README.md"\n', "")
    commit(repository)

    told = release(repository)

    assert told.returncode == 1
    assert "the metadata is not what an index takes" in told.stderr
