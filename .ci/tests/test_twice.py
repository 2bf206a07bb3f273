"""What failed is run once more, alone; shown with pytest itself, on tests that fail as they are told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TWICE = Path(__file__).parents[1] / "twice.py"
ONCE = """
from pathlib import Path

def test_{name}():
    seen = Path(__file__).with_name("{name}.seen")
    if not seen.exists():
        seen.touch()
        raise AssertionError("the first time")
"""
ALWAYS = """
def test_{name}():
    raise AssertionError("always")
"""
FINE = """
from pathlib import Path

def test_{name}():
    with Path(__file__).with_name("{name}.runs").open("a") as file:
        file.write("x")
"""


SESSION = """
import sys

import nox

sys.path.insert(0, {root!r})
import noxfile

@nox.session(python=False)
def tried(session):
    noxfile._pytest(session, paths=["."])
"""


@pytest.fixture(params=[(), ("-n", "2", "--dist", "loadfile")], ids=["one process", "two at once"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def twice(folder: Path, *options: str, **tests: str) -> subprocess.CompletedProcess[str]:
    """Run the tests, each of which is in a file of its own."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -ra\n")
    for name, text in tests.items():
        (folder / f"test_{name}.py").write_text(text.format(name=name))
    command = [sys.executable, str(TWICE), "flaky.txt", *options, "--", str(folder)]
    return run(command, folder)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run with no plugin but xdist: the others take a second of each start."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def told(folder: Path) -> list[str]:
    file = folder / "flaky.txt"
    return file.read_text().splitlines() if file.exists() else []


def test_what_passes_is_run_once_and_nothing_is_said(tmp_path):
    ran = twice(tmp_path, fine=FINE)

    assert ran.returncode == 0, ran.stdout
    assert (tmp_path / "fine.runs").read_text() == "x"
    assert "!!" not in ran.stdout
    assert told(tmp_path) == []


def test_what_passes_the_second_time_passes_and_is_told(tmp_path, options):
    ran = twice(tmp_path, *options, fine=FINE, a=ONCE, b=ONCE)

    assert ran.returncode == 0, ran.stdout
    assert told(tmp_path) == ["test_a.py::test_a", "test_b.py::test_b"]
    assert "!! flaky: passed only when run alone: test_b.py::test_b" in ran.stdout
    assert (tmp_path / "fine.runs").read_text() == "x"
    assert "PASSED test_a.py::test_a" in ran.stdout


def test_what_fails_again_fails_and_is_not_called_flaky(tmp_path, options):
    ran = twice(tmp_path, *options, a=ONCE, wrong=ALWAYS)

    assert ran.returncode == 1
    assert ran.stdout.count("FAILED test_wrong.py::test_wrong") == 2
    assert told(tmp_path) == []


def test_more_than_ten_are_no_accident(tmp_path):
    ran = twice(tmp_path, **{f"a{n}": ONCE for n in range(11)})

    assert ran.returncode == 1
    assert "run again" not in ran.stdout
    assert told(tmp_path) == []


def test_ten_are_run_again(tmp_path):
    ran = twice(tmp_path, **{f"a{n}": ONCE for n in range(10)})

    assert ran.returncode == 0
    assert len(told(tmp_path)) == 10


def test_a_fixture_that_fails_the_first_time_is_tried_again_too(tmp_path):
    fixture = "import pytest\n{0}\n@pytest.fixture\ndef one():\n    test_made()\ndef test_uses(one):\n    pass\n"
    made = ONCE.format(name="made").replace("def test_made", "def made").strip()
    ran = twice(tmp_path, uses=fixture.format(made).replace("test_made()", "made()"))

    assert ran.returncode == 0, ran.stdout
    assert told(tmp_path) == ["test_uses.py::test_uses"]


def test_a_file_that_cannot_be_read_is_not_tried_again(tmp_path):
    ran = twice(tmp_path, broken="import nothing_of_this_name")

    assert ran.returncode not in {0, 5}
    assert "run again" not in ran.stdout


def test_where_nothing_is_collected_nothing_passes(tmp_path):
    assert twice(tmp_path).returncode == 5


def test_the_end_of_all_sessions_tells_it_again(tmp_path):
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_a.py").write_text(ONCE.format(name="a"))
    (tmp_path / "trial.py").write_text(SESSION.format(root=str(TWICE.parents[1])))
    ran = run([sys.executable, "-m", "nox", "-f", "trial.py", "-s", "tried"], tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert "Session tried was successful" in ran.stderr
    *_, flaky, what_now = ran.stdout.splitlines()
    assert flaky == "!! flaky: passed only when run alone: test_a.py::test_a, in tried"
    assert "CONTRIBUTING.md" in what_now
