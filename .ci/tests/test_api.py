"""A change that breaks callers is found, and asks for a version that says so."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import api

pytestmark = pytest.mark.integration

BEFORE = "__all__ = ['wait']\n\n\ndef wait(seconds: float, *, jitter: float = 0) -> None:\n    ...\n"
NAME = "trenova-example"


@pytest.fixture
def tagged(tmp_path):
    """A repository with one package, as it was when it was tagged."""
    write(tmp_path, "0.4.0", BEFORE)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    commit_as(tmp_path, f"{NAME}/v0.4.0")
    return tmp_path


def commit_as(root, tag):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["add", "."], [*who, "commit", "-qm", "as it is"], ["tag", tag]):
        subprocess.run(["git", *words], cwd=root, check=True)


def write(root, version, source):
    module = root / "packages" / NAME / "src/trenova_example"
    module.mkdir(parents=True, exist_ok=True)
    (module / "__init__.py").write_text(source)
    (root / "packages" / NAME / "pyproject.toml").write_text(f'[project]\nname = "{NAME}"\nversion = "{version}"\n')


def test_without_a_tag_there_is_nothing_to_compare(tmp_path, capsys):
    write(tmp_path, "0.4.0", BEFORE)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    commit_as(tmp_path, "trenova-another/v0.4.0")

    assert api.main([NAME], tmp_path) == 0
    assert "no tag yet" in capsys.readouterr().out


def test_what_is_only_added_is_welcome(tagged, capsys):
    write(tagged, "0.4.1", BEFORE.replace("jitter: float = 0", "jitter: float = 0, most: float = 60"))

    assert api.main([NAME], tagged) == 0
    assert "nothing that callers of 0.4.0 use has gone" in capsys.readouterr().out


@pytest.mark.parametrize(("version", "status"), [("0.4.1", 1), ("0.5.0", 0)])
def test_what_has_gone_wants_a_version_that_says_so(tagged, capsys, version, status):
    write(tagged, version, BEFORE.replace(", *, jitter: float = 0", ""))

    assert api.main([NAME], tagged) == status
    assert "jitter" in capsys.readouterr().out


def test_what_a_private_module_defines_is_compared_where_the_root_offers_it(tagged, capsys):
    module = tagged / "packages" / NAME / "src/trenova_example"
    (module / "_waiting.py").write_text(BEFORE)
    root = "from trenova_example._waiting import wait\n\n__all__ = ['wait']\n"
    write(tagged, "0.4.0", root)
    commit_as(tagged, f"{NAME}/v0.4.1")
    (module / "_waiting.py").write_text(BEFORE.replace("jitter", "spread"))

    assert api.main([NAME], tagged) == 1
    told = capsys.readouterr().out
    assert "wait(jitter): Parameter was removed" in told
    assert "\x1b" not in told


def test_a_tag_of_another_branch_is_not_compared_with(tagged, capsys):
    subprocess.run(["git", "checkout", "-qb", "elsewhere"], cwd=tagged, check=True)
    write(tagged, "0.9.0", "__all__ = []\n")
    commit_as(tagged, f"{NAME}/v0.9.0")
    subprocess.run(["git", "checkout", "-q", "-"], cwd=tagged, check=True)

    assert api.main([NAME], tagged) == 0
    assert "callers of 0.4.0" in capsys.readouterr().out
