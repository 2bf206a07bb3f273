"""What the pages have people type of programs that are not ours, beside Temporal's: each runs, on something small.

Those of Temporal run in `test_docs_temporal.py`, calls of the API in `test_docs_own.py` and `secrets.sh` in
`test_compose.py`. Sessions of nox, tests and benchmarks are what CI and its nights consist of.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, reduce
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import own_commands
from doc_pages import PAGES, ROOT, Command, blocks, inline
from foreign_commands import cluster_only
from repo_commands import stripped

pytestmark = pytest.mark.integration

OF_OTHER_TESTS = {"temporal", "curl", "nox", "pytest", "python", "sh"}
OF_THE_SHELL = {"export", "cd", "echo"}
IN_THE_TEXT = {"install", "ls", "ps"}
READ = {
    "jq": '{"state": "lost", "identity": "shipment-worker@dock-1:4711#7f881bc3"}\n{"state": "running"}\n',
    "grep": "Open this once to sign in once: http://127.0.0.1:8235/sign-in#...\n",
    "sed": "HTTP/1.1 200 OK\netag: abc\n",
    "tr": "abc\r\n",
}
"""What those read that stand behind a pipe on their pages."""


@cache
def commands() -> dict[tuple[str, ...], Command]:
    """The commands in blocks that no other test runs, each once."""
    found: dict[tuple[str, ...], Command] = {}
    for one in (one for page in PAGES for block in blocks(page) if not block.cluster_only for one in block.commands):
        words = tuple(stripped(one.words))
        ours = words[:1] and (words[0] in own_commands.programs() or cluster_only(words[0]))
        if words and not ours and words[0] not in OF_OTHER_TESTS | OF_THE_SHELL | functions():
            found.setdefault(words, one)
    return found


@cache
def in_the_text() -> list[tuple[str, ...]]:
    """Those of the running text that are whole commands, each once."""
    found = (tuple(one.words) for page in PAGES for one in inline(page))
    return sorted({words for words in found if len(words) > 1 and words[0] in IN_THE_TEXT})


@cache
def functions() -> set[str]:
    return {name for page in PAGES for block in blocks(page) for name in block.functions}


SLEEPS = """
import signal, time
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)  # whoever runs these tests may ignore one, as nohup does
print("here", flush=True)
time.sleep(60)
"""


@contextmanager
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that is there to get signals."""
    with subprocess.Popen([sys.executable, "-c", SLEEPS], stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout
            assert started.stdout.readline() == "here\n"
            yield started
        finally:
            started.kill()


def run(words: Sequence[str], folder: Path, read: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, input=read, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with what commands name: the keys that servers leave, and the files of Prometheus."""
    for name in ("codec-server.json", "consoles/codec-server.json", "schedules-server.json"):
        file = tmp_path / ".trenova" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"key": "k"}))
    shutil.copytree(ROOT / "services/observability", tmp_path, dirs_exist_ok=True)
    return tmp_path


INSTALLS_UV = ("python3", "-m", "pip")
"""What the command that runs these tests begins with, and by a Python of the system: that of a project has no pip."""


@pytest.mark.parametrize(
    "words",
    [one for one in commands() if one[0] not in {"uv", "kill"} and one[:3] != INSTALLS_UV],
    ids=" ".join,
)
def test_a_command_of_another_program_runs(words, shell):
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    if words[0].startswith("prometheus"):
        serves(words, shell)
        return

    done = run(words, shell, READ.get(words[0], ""))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def serves(words: Sequence[str], folder: Path) -> None:
    """Start a server with the files of ours that it names, see it ready, and end it."""
    here = [word.replace("=/var/lib/", f"={folder}/") for word in words]
    more = ["--web.listen-address=127.0.0.1:0"] + ["--cluster.listen-address="] * words[0].endswith("alertmanager")
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen([*here, *more], cwd=folder, stdout=log, stderr=log)
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(4)
            server.send_signal(signal.SIGTERM)
            status = server.wait(30)
        finally:
            server.kill()
            server.wait(10)
        log.seek(0)
        said = log.read()
    assert status == 0, said
    assert "Completed loading of configuration file" in said, said


@pytest.mark.parametrize("words", [one for one in commands() if one[0] == "kill"], ids=" ".join)
def test_a_signal_reaches_whom_it_is_sent_to(words, tmp_path):
    with process() as other:
        assert run([str(other.pid) if word == "PID" else word for word in words], tmp_path).returncode == 0
        assert other.wait(10) == -getattr(signal, f"SIG{words[1].removeprefix('-')}")


@pytest.mark.parametrize("words", in_the_text(), ids=" ".join)
def test_a_command_in_the_text_runs(words, tmp_path):
    """Variables stand there by their names."""
    (tmp_path / "ring.json").write_text("{}")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    with process() as other:
        values = {"TRENOVA_CODECS_RING": "ring.json", "TRENOVA_DATA_DIR": str(tmp_path), "PID": str(other.pid)}
        told = [reduce(lambda word, one: word.replace(*one), values.items(), word) for word in words]

        done = run(told, tmp_path)

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_pages_install_can_be_installed(tmp_path):
    """From the wheels of this repository, as after a release."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    dist, environment = tmp_path / "dist", tmp_path / "environment"
    assert run([uv, "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(dist)], ROOT).returncode == 0
    assert run([uv, "venv", "--quiet", f"--python={sys.executable}", str(environment)], ROOT).returncode == 0
    wheels = "".join(f"{one.name.split('-')[0].replace('_', '-')} @ {one.as_uri()}\n" for one in dist.glob("*.whl"))
    (tmp_path / "own.txt").write_text(wheels)
    here = (f"--python={environment}", "--find-links", str(dist), "--constraints", str(tmp_path / "own.txt"))
    lines = [words for words in commands() if words[:3] == ("uv", "pip", "install")]
    assert lines
    for words in lines:
        wanted = [word for word in words[3:] if word not in {"--dry-run", "--find-links", "dist"}]
        done = run([uv, "pip", "install", "--dry-run", *here, *wanted], tmp_path)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"


def test_every_other_command_of_uv_is_of_those_that_ci_begins_with():
    others = {words[1] for words in commands() if words[0] == "uv"} - {"pip"}

    assert others <= {"build", "sync", "lock", "run"}, "another wants a test"
