"""Starts a container from a root file system the way ``services/compose.yaml`` says, with runc."""
# ruff: noqa: INP001, S603 (a part of start.py; it runs runc, which build-image.sh installed)

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

_NO_CAPABILITIES: dict[str, list[str]] = {
    kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
}
_SECONDS = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Recipe:
    """What the image and compose.yaml together say about one container.

    Attributes:
        image: The ``config`` object of the image: Env, Entrypoint, Cmd, User, WorkingDir.
        compose: The service, as ``docker compose config`` prints it.
        hosts: Names that other services of compose.yaml have, all of them on loopback here.
        files: Its configs and secrets: where they are in the container, and here.
    """

    image: Mapping[str, Any]
    compose: Mapping[str, Any]
    hosts: Sequence[str] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def grace_s(self) -> float:
        """Seconds between SIGTERM and SIGKILL."""
        return seconds(self.compose["stop_grace_period"])

    def arguments(self, command: Sequence[str] | None) -> list[str]:
        """What is executed: never through a shell."""
        entrypoint = self.compose.get("entrypoint") or self.image["Entrypoint"]
        return [*entrypoint, *(command or self.compose.get("command") or self.image["Cmd"])]

    def environment(self) -> list[str]:
        """The image's variables with compose.yaml's over them."""
        own = dict(pair.split("=", 1) for pair in self.image["Env"])
        return [f"{name}={value}" for name, value in {**own, **self.compose["environment"]}.items()]


class Runtime:
    """Runs containers over one mounted root file system; ``folder`` is for what belongs to them."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._command = ["runc", "--root", str(folder / "runc")]

    def bundle(self, name: str, recipe: Recipe, command: Sequence[str] | None = None) -> "Container":
        """Write down what to start; nothing runs yet."""
        folder = self._folder / name
        folder.mkdir()
        hosts = folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {' '.join(recipe.hosts)}\n")
        (folder / "config.json").write_text(json.dumps(self._configuration(name, recipe, command, hosts)))
        return Container(name, folder, self._command)

    def _configuration(self, name: str, recipe: Recipe, command: Sequence[str] | None, hosts: Path) -> dict[str, Any]:
        user, _, group = recipe.image["User"].partition(":")
        temporary = [_temporary(*told.partition(":")) for told in recipe.compose["tmpfs"]]
        files = [
            {"destination": inside, "type": "bind", "source": str(here), "options": ["bind", "ro", "nosuid", "nodev"]}
            for inside, here in recipe.files.items()
        ]
        process = {
            "terminal": False,
            "user": {"uid": int(user), "gid": int(group)},
            "args": recipe.arguments(command),
            "env": recipe.environment(),
            "cwd": recipe.image["WorkingDir"],
            "capabilities": _NO_CAPABILITIES,
            "noNewPrivileges": True,
        }
        return {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": str(self._root), "readonly": recipe.compose["read_only"]},
            "hostname": name,
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                _mount("/dev", "tmpfs", "mode=755"),
                _mount("/dev/shm", "tmpfs", "mode=1777"),  # noqa: S108 (a mount point inside the container)
                *temporary,
                *files,
                {"destination": "/etc/hosts", "type": "bind", "source": str(hosts), "options": ["bind", "ro"]},
            ],
            # No network among them: the container shares the one that this process was given.
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")],
                # Taken away, so that whatever works here works without a shell.
                "maskedPaths": [f"/usr/bin/{shell}" for shell in ("bash", "dash")],
            },
        }


@dataclass(frozen=True)
class Container:
    """One container: its name, its bundle, and the command line that reaches it."""

    name: str
    folder: Path
    runc: Sequence[str]

    @cached_property
    def log(self) -> Path:
        """What it wrote to stderr, and what commands inside it wrote."""
        return self.folder / "stderr"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Start it, and leave nothing of it behind. Its stdout can be read from the process."""
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [*self.runc, "run", "--bundle", str(self.folder), self.name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                yield process
            finally:
                subprocess.run([*self.runc, "delete", "--force", self.name], check=False, capture_output=True)
                process.communicate()

    def ended(self, timeout_s: float) -> tuple[int, str]:
        """Run it to its end; return its exit status and what it wrote to stdout."""
        with self.running() as process:
            output, _ = process.communicate(timeout=timeout_s)
            return process.returncode, output

    def inside(self, *command: str, timeout_s: float) -> int:
        """Return the exit status of a command in it, as its user; what it writes goes to the log."""
        with self.log.open("a") as log:
            done = subprocess.run(
                [*self.runc, "exec", self.name, *command], check=False, timeout=timeout_s, stdout=log, stderr=log
            )
        return done.returncode

    def read(self, path: str) -> str:
        """Return the text of a file in it, as its user reads it."""
        told = [*self.runc, "exec", self.name, "python", "-c", f"print(open({path!r}).read())"]
        return subprocess.run(told, check=True, capture_output=True, text=True, timeout=60).stdout

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        subprocess.run([*self.runc, "kill", self.name, "TERM"], check=True)

    def first_process(self) -> dict[str, str]:
        """Return ``/proc/<pid>/status`` of its first process, its ``Executable``, and how its ``Root`` is mounted."""
        state = subprocess.run([*self.runc, "state", self.name], check=True, capture_output=True, text=True)
        process = Path("/proc") / str(json.loads(state.stdout)["pid"])
        lines = (line.split(":", 1) for line in (process / "status").read_text().splitlines())
        mounts = (line.split() for line in (process / "mountinfo").read_text().splitlines())
        root = next(mount[5] for mount in mounts if mount[4] == "/")
        executable = (process / "exe").readlink().name
        return {**{name: value.strip() for name, value in lines}, "Executable": executable, "Root": root}


def seconds(duration: str) -> float:
    """Return the seconds of a duration as compose prints them, e.g. ``1m30s``."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", duration))


def _temporary(path: str, _: str, options: str) -> dict[str, Any]:
    return _mount(path, "tmpfs", *(options.split(",") if options else ["mode=1777"]), "nodev")


def _mount(path: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": path, "type": kind, "source": kind, "options": ["nosuid", *options]}
