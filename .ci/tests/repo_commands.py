"""Commands of this repository: sessions of nox, programs of Python, and modules; parsed by what they are for."""

import argparse
import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from doc_pages import ROOT, told

PARSE_ONLY = """
import argparse, os, runpy, sys
parse = argparse.ArgumentParser.parse_args
def only(self, *given, **more):
    parse(self, *given, **more)
    sys.exit(0)
argparse.ArgumentParser.parse_args = only
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program up to where it has read its command line."""


def of_nox(words: Sequence[str]) -> str | None:
    """What is wrong with the words behind ``nox``: a lost session, or an argument it does not take."""
    ours, theirs = _split(words)
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-s", nargs="+", default=[])
    try:
        names = parser.parse_args(ours).s
    except (argparse.ArgumentError, SystemExit) as error:
        return f"nox: {error}"
    known = sessions()
    lost = [name for name in names if not _exists(name, known)]
    if lost:
        return f"nox has no session {', '.join(lost)}"
    if not theirs:
        return None
    program = known[names[0]]
    if program is None:
        wrong = [word for word in theirs if word not in _members() and word not in _source_of(names[0])]
        return f"the session {names[0]} takes no {', '.join(wrong)}" if wrong else None
    return of_program(program, theirs)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    at = list(words).index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


@cache
def sessions() -> dict[str, str | None]:
    """The sessions of the noxfile, with the program that each hands its arguments to."""
    found: dict[str, str | None] = {}
    for node in ast.parse((ROOT / "noxfile.py").read_text()).body:
        if isinstance(node, ast.FunctionDef) and any("nox.session" in ast.unparse(one) for one in node.decorator_list):
            called = [one for one in ast.walk(node) if isinstance(one, ast.Call) and "posargs" in ast.unparse(one)]
            texts = [part.value for one in called for part in one.args if isinstance(part, ast.Constant)]
            paths = [text for text in texts if isinstance(text, str) and (ROOT / text).exists() and "/" in text]
            found[node.name] = paths[0] if paths and _parses(paths[0]) else None
    return found


def _exists(name: str, known: dict[str, str | None]) -> bool:
    """Whether nox knows a name; one with a version or a member in it is asked of nox itself."""
    return name in known or (not name.isidentifier() and name in _nox_names())


@cache
def _nox_names() -> set[str]:
    """Every session of nox with its version and its member, such as ``tests-3.11(trenova-codecs)``."""
    command = [sys.executable, "-m", "nox", "--list", "--json", "-s", *sessions()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    listed = [one["session"] for one in json.loads(done.stdout)]
    return {name for one in listed for name in (one, one.partition("(")[0], re.sub(r"-3\.\d+", "", one))}


def _members() -> set[str]:
    return {
        path.parent.name for path in [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    }


def _source_of(session: str) -> str:
    functions = {one.name: one for one in ast.parse((ROOT / "noxfile.py").read_text()).body if hasattr(one, "name")}
    return ast.unparse(functions[session])


def _parses(path: str) -> bool:
    """Whether a program has a parser of the standard library, which ends it before it does anything."""
    program = ROOT / path
    program = program / "__main__.py" if program.is_dir() else program
    return program.is_file() and "argparse.ArgumentParser" in program.read_text()


def of_python(words: Sequence[str]) -> str | None:
    """What is wrong with the words behind ``python``: code, a module, or a program and what it is told."""
    first, *rest = words
    if first == "-c":
        compile(rest[0], "-c", "exec")
        return None
    if first == "-m":
        module = rest[0] if rest else "MODULE"
        return None if module in {"MODULE", "pip"} or importlib.util.find_spec(module) else f"no module {module}"
    if not (ROOT / first).is_file():
        return f"there is no program {first}"
    return of_program(first, rest) if rest else None


@cache
def _of_program(path: str, words: tuple[str, ...]) -> str | None:
    command = [sys.executable, "-c", PARSE_ONLY, path, *map(told, words)]
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=60)
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def _is_alert(word: str) -> bool:
    """Whether a word is an alert's name; all of them are one to a program, which is asked once."""
    return (ROOT / f"docs/runbooks/{word}.md").is_file()


def of_program(path: str, words: Sequence[str]) -> str | None:
    """What a program of ours has against its words; one without a parser must at least have each in its text."""
    if _parses(path):
        return _of_program(path, tuple("ALERT" if _is_alert(word) else word for word in words))
    unknown = [word for word in words if f'"{word}"' not in (ROOT / path).read_text()]
    return f"{path} knows nothing of {', '.join(unknown)}" if unknown else None


def stripped(words: Sequence[str]) -> list[str]:
    """A command without what only finds it: ``uv run``, and the folder of its program."""
    left = list(words)
    while len(left) > 1 and Path(left[0]).name == "uv" and left[1] == "run":
        left = left[2:]
    name = Path(left[0]).name if left else ""
    return [name, *left[1:]] if left and not left[0].startswith("/") else left
