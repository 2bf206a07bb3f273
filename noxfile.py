"""What CI runs. ``uv run nox`` is the whole of it; the other sessions are run by name.

``lint``, ``types``, ``replay``, ``alerts``, ``integration``, ``slow``, ``bench`` and ``demo`` use the environment that
nox itself runs in, which ``uv run`` has just made from ``uv.lock``. The others make their own.
"""

import atexit
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PYTHONS = ["3.11", "3.12", "3.13"]
MUTANTS_KILLED = 0.85
UNREACHABLE = 3  # of .ci/audit.py


def _project(home: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((home / "pyproject.toml").read_text())["project"]
    return project


HOME = {
    _project(path.parent)["name"]: path.parent
    for pattern in ("packages/*/pyproject.toml", "services/*-worker/pyproject.toml")
    for path in sorted(ROOT.glob(pattern))
}
SERVICES = [name for name, home in HOME.items() if home.parent.name == "services"]
SOURCES = os.pathsep.join(str(home / "src") for home in HOME.values())

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
# The oldest that members support. All of them meet the newest in `processes`, and trenova-errors with all of its tests,
# since it classifies exceptions of Python's own. Services run in an image that has the oldest, and only there.
NEWEST = PYTHONS[-1] if shutil.which(f"python{PYTHONS[-1]}") else PYTHONS[0]
_TESTS = [f"tests-{PYTHONS[0]}", f"tests-{PYTHONS[-1]}(trenova-errors)"]
nox.options.sessions = ["lint", "types", "replay", "alerts", *_TESTS, "wheels", "integration", "processes", "demo"]

# Tests that passed only when run alone, of all sessions; see .ci/twice.py.
_flaky: list[str] = []


@atexit.register
def _tell_flaky() -> None:
    lines = [f"!! flaky: passed only when run alone: {line}" for line in _flaky]
    if lines:
        lines += ["!! Each is a defect of the test or of what it tests, and is to be mended (CONTRIBUTING.md)."]
        sys.stdout.write("\n".join(["", *lines, ""]))


# Tests wait for servers more than they compute, those of `processes` for pages and other processes, too: with as many
# at once as there are cores, these would be idle half of the time. A file's tests share its fixtures and go together.
# Each more costs the imports of all tests once more, so that four take no less time than three elsewhere.
_THREE_AT_ONCE = ("-n", "3", "--dist", "loadfile")
_FOUR_AT_ONCE = ("-n", "4", "--dist", "loadfile")
_AS_LISTED = ("--no-loadscope-reorder",)

# pyenv answers "command not found" for every version that it has but was not told to use, and uv asks it.
_pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
if _pyenv.is_dir():
    os.environ["PYENV_VERSION"] = ":".join(sorted(path.name for path in _pyenv.iterdir()))


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Style, layers, the lock file, vendored files, what may stay in clear, and that versions and changelogs agree."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", env={"PYTHONPATH": SOURCES})
    session.run("trenova-codecs", "lint", *(str(home / "src") for home in HOME.values()))
    session.run("uv", "lock", "--check")
    session.run("python", ".ci/checks.py", "lock", "versions", "siblings", "licensed")
    session.run("python", ".ci/vendor.py", "--check")


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Every member's source under ``mypy --strict``, and that each tells its users that it is typed."""
    sources = [str(home / "src") for home in HOME.values()]
    session.run("mypy", f"--num-workers={os.cpu_count() or 1}", *sources, env={"MYPYPATH": SOURCES})
    session.run("python", ".ci/checks.py", "typed")


@nox.session(python=False)
def replay(session: nox.Session) -> None:
    """Whether the workflows of today replay what every released version left behind; arguments are the command's."""
    kept = sorted(path for path in ROOT.glob("packages/*/tests/histories/[0-9]*") if path.is_dir())
    modules = dict.fromkeys(name for path in kept for name in _replayed_modules(path.parent))
    own = [part for name in modules for part in ("--workflows", name)]
    session.run("trenova-activities", "replay", *own, *(str(path.relative_to(ROOT)) for path in kept), *session.posargs)


def _replayed_modules(histories: Path) -> list[str]:
    """Return where a package has its workflows: what ``MODULES`` beside the histories lists, else its root."""
    listed = histories / "MODULES"
    return listed.read_text().split() if listed.exists() else [histories.parents[1].name.replace("-", "_")]


@nox.session(python=False)
def alerts(session: nox.Session) -> None:
    """Whether Prometheus and Alertmanager take our rules, and each alert fires when it should; skipped without them."""
    if not shutil.which("promtool") or not shutil.which("amtool"):
        session.skip("promtool and amtool are not installed (Debian: prometheus, prometheus-alertmanager).")
    session.chdir(ROOT / "services/observability")
    session.run("promtool", "check", "rules", "rules/trenova.yaml", external=True)
    session.run("promtool", "check", "config", "--syntax-only", "prometheus.yaml", external=True)
    session.run("promtool", "test", "rules", "tests/alerts.yaml", external=True)
    session.run("amtool", "check-config", "alertmanager.yaml", external=True)


@nox.session(python=PYTHONS)
@nox.parametrize("member", list(HOME), ids=list(HOME))
def tests(session: nox.Session, member: str) -> None:
    """Test one member with only what it declares, so an undeclared import fails."""
    where = session.virtualenv.location
    of_this = session.python == ".".join(platform.python_version_tuple()[:2])
    session.run_install(
        *("uv", "sync", "--quiet", "--frozen", "--package", member, "--all-extras"),
        *("--no-default-groups", "--group", "test", f"--python={where}"),
        *(["--no-compile-bytecode"] if of_this else []),
        # uv refuses --no-compile-bytecode where a variable says the opposite, as one does in .ci/run.
        env={"UV_PROJECT_ENVIRONMENT": where, **({"UV_COMPILE_BYTECODE": None} if of_this else {})},
    )
    if of_this:
        _take_bytecode(Path(where))
    _pytest(session, *_THREE_AT_ONCE, "-m", "not integration and not slow", paths=[str(HOME[member])])


@nox.session(python=False)
def wheels(session: nox.Session) -> None:
    """Use every wheel as a stranger would: outside the repository, with what its README says to install."""
    _build_wheels(session)
    homes = [str(HOME[member]) for member in session.posargs or HOME]
    session.run("python", ".ci/outside.py", str(DIST), *homes)


@nox.session(python=PYTHONS[0], reuse_venv=False)
@nox.parametrize("member", list(HOME), ids=list(HOME))
def lowest(session: nox.Session, member: str) -> None:
    """Test one member's wheel with the lowest versions that it claims to work with, siblings included."""
    _test_wheel(session, member, "lowest-direct")


@nox.session(python=PYTHONS[0], reuse_venv=False)
@nox.parametrize("member", list(HOME), ids=list(HOME))
def highest(session: nox.Session, member: str) -> None:
    """Test one member's wheel with the newest of everything that it claims to work with, whatever the lock says."""
    _test_wheel(session, member, "highest")


@nox.session(python=False)
def api(session: nox.Session) -> None:
    """Compare what each package offers with its last tag; what breaks a caller wants a new version."""
    session.run("python", ".ci/api.py", *(session.posargs or [name for name in HOME if name not in SERVICES]))


@nox.session(python=False)
def audit(session: nox.Session) -> None:
    """Look for licences that we do not allow and, with the network, for known vulnerabilities of what is locked.

    Without the network it is skipped, and with ``-- --required`` it fails then.
    """
    session.run("python", ".ci/audit.py", "licences")
    asked = subprocess.run([sys.executable, ".ci/audit.py", "vulnerabilities"], check=False)
    if asked.returncode == UNREACHABLE and "--required" not in session.posargs:
        session.skip("The database of known vulnerabilities cannot be reached from here; licences were looked at.")
    if asked.returncode:
        session.error("What is known against a locked version, or why nothing could be learnt, stands above.")


@nox.session(python=False)
def release(session: nox.Session) -> None:
    """See whether one member may be released, build it reproducibly, and print how to tag it: ``-- MEMBER``."""
    session.run("uv", "run", "--quiet", "--script", ".ci/release.py", *session.posargs)


@nox.session(python=False)
def integration(session: nox.Session) -> None:
    """What needs all members at once, and that the checks above find what they are for."""
    marked = _marked("integration", SERVICES)  # all that these files hold bears the mark
    paths = sorted([*marked, *_files_of_all_members()], key=_shortness)
    _pytest(session, *_THREE_AT_ONCE, "-m", "not slow", *_AS_LISTED, paths=paths)


@nox.session(python=NEWEST)
def processes(session: nox.Session) -> None:
    """What starts many processes, takes every database or needs a browser, of each package; ten minutes or more."""
    where = session.virtualenv.location
    session.run_install(
        *("uv", "sync", "--quiet", "--frozen", "--all-packages", "--all-extras", f"--python={where}"),
        env={"UV_PROJECT_ENVIRONMENT": where},
    )
    marked = _marked("integration", [name for name in HOME if name not in SERVICES])
    paths = sorted(marked, key=_shortness)
    _pytest(session, *_FOUR_AT_ONCE, "-m", "integration and not slow", *_AS_LISTED, paths=paths)


@nox.session(python=False)
def slow(session: nox.Session) -> None:
    """What takes long: drills with kills, floods, millions of rows; an hour or more, not a part of CI."""
    marked = {*_marked("slow", HOME), *_marked("integration", HOME), *_files_of_all_members()}
    session.run("pytest", "-m", "slow", *(session.posargs or sorted(marked)))


@nox.session(python=False)
def image(session: nox.Session) -> None:
    """Build and start the container image of each service; needs the tools that the script asks for."""
    for service in session.posargs or SERVICES:
        session.run("bash", "services/build-image.sh", service, external=True)


@nox.session(python=False)
def bench(session: nox.Session) -> None:
    """Measure; each program prints its own table and fails where it misses its target."""
    programs = sorted([*ROOT.glob("services/bench/*.py"), *ROOT.glob("packages/*/bench/*.py")])
    if not programs:
        session.error("No bench folder holds a program; add one or leave this session out.")
    for program in programs:
        session.run("python", str(program), *session.posargs)


@nox.session(python=False)
def scaling(session: nox.Session) -> None:
    """Pools for real: ``-- burst`` or ``-- chaos --minutes 10``; pictures and logs go into ``site/scaling``."""
    session.run("python", "packages/trenova-workers/tests/pool/real/measure.py", *(session.posargs or ["burst"]))


@nox.session(python=False)
def drill(session: nox.Session) -> None:
    """Ring alerts for real, follow their runbooks, see them go quiet: ``-- --stamp``, or ``-- TrenovaKeyMissing``."""
    session.run("python", "services/tests/drill", *session.posargs)


@nox.session(python=False)
def rollout(session: nox.Session) -> None:
    """Rehearse a release from dev to production under load, and one that is taken back; docs/rollout.md."""
    session.run("python", "services/tests/rollout", *session.posargs)


@nox.session(python=False)
def soak(session: nox.Session) -> None:
    """Load and faults for five minutes, or ``-- --minutes 60``, and what was lost; a plot in ``site/soak``."""
    session.run("python", "services/tests/soak", *session.posargs)


@nox.session(python="3.12")
def fuzz(session: nox.Session) -> None:
    """Run every fuzzer for two minutes, or as the arguments of libFuzzer say; not a part of CI."""
    for program in sorted(ROOT.glob("packages/*/fuzz/*.py")):
        member = _project(program.parent.parent)["name"]
        session.run_install(
            *("uv", "sync", "--quiet", "--frozen", "--package", member, "--all-extras", "--no-default-groups"),
            f"--python={session.virtualenv.location}",
            env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
        )
        session.run_install("uv", "pip", "install", "--quiet", "atheris>=3,<4")
        session.run("python", str(program), *(session.posargs or ["-max_total_time=120", "-timeout=10"]))


@nox.session(python=False)
def demo(session: nox.Session) -> None:
    """The README's first command, on ports and in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="trenova-demo-") as folder:
        ports = ("--port", "0", "--ui-port", "0")
        session.run("trenova-workers", "up", "--demo", "--data-dir", folder, *ports, *session.posargs)


@nox.session(python=PYTHONS[0])
def mutation(session: nox.Session) -> None:
    """Change the core of trenova-errors a thousand times and see that its tests notice; half an hour."""
    home, where = HOME["trenova-errors"], session.virtualenv.location
    session.run_install(
        *("uv", "sync", "--quiet", "--frozen", "--package", "trenova-errors", "--all-extras"),
        *("--no-default-groups", "--group", "test", f"--python={where}"),
        env={"UV_PROJECT_ENVIRONMENT": where},
    )
    session.install("mutmut>=3.8,<4")
    session.chdir(home)
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "export-cicd-stats")
    found: dict[str, int] = json.loads((home / "mutants/mutmut-cicd-stats.json").read_text())
    share = found["killed"] / found["total"]
    session.log(f"{found['killed']} of {found['total']} mutants killed, {share:.1%}; at least {MUTANTS_KILLED:.0%}")
    if share < MUTANTS_KILLED:
        session.error("Too many mutants survive; 'mutmut results' and 'mutmut show NAME' in the package show them.")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into ``site/``, with a reference of every package and ``llms.txt``; any warning fails."""
    session.install("mkdocs-material>=9.8,<10", "mkdocs>=1.6,<2")
    session.install("mkdocstrings[python]>=1,<2", "mkdocs-llmstxt>=0.5,<1", "ruff")  # which formats signatures
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


def _pytest(session: nox.Session, *options: str, paths: Iterable[str]) -> None:
    """Run tests; a few that fail are run once more, alone, and those that pass then are told at the end of all."""
    with tempfile.NamedTemporaryFile("r", prefix="flaky-", suffix=".txt") as told:
        session.run("python", str(ROOT / ".ci/twice.py"), told.name, *options, *session.posargs, "--", *paths)
        _flaky.extend(f"{name.strip()}, in {session.name}" for name in told)


def _take_bytecode(environment: Path) -> None:
    """Copy the bytecode of what is installed here too, instead of compiling it for each member: 13 s of a processor.

    Both have the files of uv's cache, with their times; Python compiles a file that differs when it is imported.
    """
    here = Path(sysconfig.get_path("purelib"))
    there = environment / here.relative_to(sys.prefix)
    for compiled in here.rglob("__pycache__"):
        if (there / compiled.relative_to(here)).parent.is_dir():
            shutil.copytree(compiled, there / compiled.relative_to(here), dirs_exist_ok=True)


def _marked(name: str, members: Iterable[str]) -> list[str]:
    """Return the files of the members' tests that bear a mark; nothing else need be collected."""
    files = [path for member in members for path in sorted(HOME[member].glob("tests/**/test_*.py"))]
    return [str(path) for path in files if f"mark.{name}" in path.read_text()]


def _files_of_all_members() -> list[str]:
    """Return the files of tests that belong to no member."""
    return [str(path) for folder in ("services/tests", ".ci/tests") for path in ROOT.glob(f"{folder}/test_*.py")]


def _shortness(path: str) -> tuple[bool, int]:
    """Sort first what takes long, so that nothing goes on alone at the end: drills, then files of many tests."""
    text = Path(path).read_text()
    return "mark.timeout" not in text, -text.count("def test_")


def _test_wheel(session: nox.Session, member: str, resolution: str) -> None:
    """Test the wheel of a member with what uv resolves anew, without the lock file or the sources of siblings."""
    _build_wheels(session)
    pyproject = str(HOME[member] / "pyproject.toml")
    session.run_install(
        *("uv", "pip", "install", "--resolution", resolution, "--no-sources", "--find-links", str(DIST)),
        *("-r", pyproject, "--all-extras", "--group", f"{pyproject}:test"),
    )
    session.run_install("uv", "pip", "install", "--no-deps", str(_wheel(member)))
    _pytest(session, "-m", "not integration and not slow", paths=[str(HOME[member])])


def _build_wheels(session: nox.Session) -> None:
    """Build every member into ``dist/``, and nothing else is there afterwards."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("uv", "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(DIST), external=True)


def _wheel(member: str) -> Path:
    version = _project(HOME[member])["version"]
    return DIST / f"{member.replace('-', '_')}-{version}-py3-none-any.whl"
