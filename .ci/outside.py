"""Use wheels as a stranger would, outside the repository: ``python .ci/outside.py DIST HOME...``.

Each member, named by its folder, is installed into an environment of its own by the line of its README. A library runs
the first Python block of that, a service shows its settings. Exit status 1, and a sentence, where one does not.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

SECONDS = 60
"""How long an example may take."""

# Nothing of the repository's; and uv refuses --no-compile-bytecode where a variable says the opposite, as in .ci/run.
OWN = {"VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "UV_COMPILE_BYTECODE"}


def main(dist: Path, homes: list[Path]) -> None:
    """Use one after the other."""
    environ = {name: value for name, value in os.environ.items() if name not in OWN}
    for home in homes:
        with tempfile.TemporaryDirectory(prefix=f"{home.name}-") as folder:
            use(home, dist, Path(folder), environ)


def use(home: Path, dist: Path, folder: Path, environ: dict[str, str]) -> None:
    """Install one and run what shows that it works."""
    project = tomllib.loads((home / "pyproject.toml").read_text())["project"]
    readme = (home / "README.md").read_text()
    # Names that an index might hold too are bound to the wheels that were built here.
    own = folder / "own-wheels.txt"
    names = ((wheel.name.split("-")[0].replace("_", "-"), wheel) for wheel in sorted(dist.glob("*.whl")))
    own.write_text("".join(f"{name} @ {wheel.resolve().as_uri()}\n" for name, wheel in names))
    environment = folder / "environment"
    run("uv", "venv", "--quiet", f"--python={sys.executable}", str(environment), environ=environ)
    run(
        *("uv", "pip", "install", "--quiet", "--no-compile-bytecode", f"--python={environment}"),
        *("--find-links", str(dist), "--constraints", str(own)),
        *(install_line(readme) or [f"{project['name']}=={project['version']}"]),
        environ=environ,
    )
    if home.parent.name == "services":
        run(str(environment / "bin" / project["name"]), "config", "show", "--json", environ=environ, folder=folder)
        return
    example = first_block(readme, "python")
    if example is None:
        sys.exit(f"The README of {home.name} has no ```python block to run; show how it is used.")
    (folder / "example.py").write_text(example)
    run(str(environment / "bin/python"), "example.py", environ=environ, folder=folder)


def run(*command: str, environ: dict[str, str], folder: Path | None = None) -> None:
    """Run a command, in a folder only for so long."""
    print(shlex.join(command), flush=True)
    try:
        subprocess.run(command, cwd=folder, env=environ, timeout=SECONDS if folder else None, check=True)
    except subprocess.TimeoutExpired:
        sys.exit(f"Still running after {SECONDS} s: {shlex.join(command)}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"Exit status {error.returncode}: {shlex.join(command)}")


def install_line(readme: str) -> list[str]:
    """Return what the README says to install."""
    for line in readme.splitlines():
        words = shlex.split(line) if line.startswith("uv pip install ") else []
        if words:
            return words[3:]
    return []


def first_block(text: str, language: str) -> str | None:
    """Return the first block of a language."""
    _, found, rest = text.partition(f"```{language}\n")
    return rest.partition("```")[0] if found else None


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(home) for home in sys.argv[2:]])
