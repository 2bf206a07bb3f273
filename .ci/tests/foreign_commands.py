"""Commands that are not ours, held to ``foreign_commands.yaml`` and to what this repository has."""

import argparse
import functools
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import own_commands
import yaml
from doc_pages import ROOT, told
from packaging.requirements import Requirement

TABLE: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
KUBERNETES = ROOT / "services/kubernetes"


def cluster_only(program: str) -> bool:
    return bool(TABLE.get(program, {}).get("cluster"))


class _Parser(argparse.ArgumentParser):
    """Takes the options of the table, and raises what does not hold."""

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        for option, kind in options.items():
            if kind == "flag":
                self.add_argument(option, action="store_true")
            else:
                self.add_argument(option, type=functools.partial(_of_kind, kind))
        self.add_argument("words", nargs="*")

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)

    def words(self, given: Sequence[str]) -> list[str]:
        """What is left when every option has its value."""
        return list(self.parse_intermixed_args(list(given)).words)


def refused(words: Sequence[str], *, named: bool = False) -> str | None:
    """What the table has against a command; nothing against what one lacks that a text only ``named``."""
    try:
        _check(*words, named=named)
    except (ValueError, argparse.ArgumentTypeError) as error:
        return f"{words[0]}: {error}"
    return None


def _check(program: str, *rest: str, named: bool) -> None:
    table = TABLE[program]
    at = next((number for number, one in enumerate(rest) if one == "--" or one.startswith("/app/")), len(rest))
    options = table.get("options", {}) | {
        option: "text" if kind != "flag" else kind
        for command in table["commands"].values()
        for option, kind in command.get("options", {}).items()
    }
    plain = _Parser(options).words(rest[:at])
    names = [one for one in table["commands"] if plain[: len(one.split())] == one.split()]
    if not names:
        raise ValueError(f"the table has no `{program} {' '.join(plain)}`")
    name = max(names, key=len)
    command = table["commands"][name]
    left = _Parser(table.get("options", {}) | command.get("options", {})).words(rest[:at])[len(name.split()) :]
    wanted = command.get("words", [])
    if wanted[-1:] == ["ours"] and at < len(rest):
        _check_ours([one for one in rest[at:] if one != "--"])
        wanted = wanted[:-1]
    _check_words(left, wanted, named=named)


def _check_words(words: Sequence[str], kinds: Sequence[str], *, named: bool) -> None:
    """Hold each word to the kind in its place; the last kind may stand for any number of words."""
    many = bool(kinds) and kinds[-1].endswith("*")
    if len(words) > len(kinds) and not many:
        raise ValueError(f"{words[len(kinds)]!r} is one word too many")
    if len(words) < len(kinds) - many and not named:
        raise ValueError(f"wants {', '.join(kinds[len(words) :])}")
    for number, word in enumerate(words):
        _of_kind(kinds[min(number, len(kinds) - 1)].removesuffix("*"), word)


def _of_kind(kind: str, word: str) -> str:
    if not KINDS[kind](told(word)):
        raise argparse.ArgumentTypeError(f"{word!r} is no {kind}")
    return word


def _check_ours(words: Sequence[str]) -> None:
    """Parse what runs inside a container: the service itself, or one of our programs by its path there."""
    first = Path(words[0])
    if not words[0].startswith("/app/"):
        raise ValueError(f"{words[0]!r} is not where an image has its programs")
    for name in own_commands.SERVICES if first.name == "worker" else [first.name]:
        said = own_commands.refused([name, *words[1:]])
        if said:
            raise ValueError(said)


@cache
def _manifests() -> list[dict[str, Any]]:
    files = sorted(KUBERNETES.rglob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text()) if isinstance(one, dict)]


@cache
def namespaces() -> set[str]:
    return {one["metadata"]["name"] for one in _manifests() if one.get("kind") == "Namespace"} | {
        one["namespace"] for one in _manifests() if one.get("kind") == "Kustomization" and "namespace" in one
    }


@cache
def deployments() -> set[str]:
    """Names of Deployments; that of the base has its kustomizations' prefixes before it."""
    names = {one["metadata"]["name"] for one in _manifests() if one.get("kind") == "Deployment"}
    prefixes = [one["namePrefix"] for one in _manifests() if "namePrefix" in one]
    return names - {"worker"} | {f"{prefix}worker" for prefix in prefixes}


def _is_secret(word: str) -> bool:
    text = "".join(file.read_text() for file in KUBERNETES.rglob("*.yaml"))
    return bool(re.search(rf"(name|secretName): {re.escape(word)}\b", text))


def _is_account(word: str) -> bool:
    *_, namespace, name = ("", *word.split(":"))
    accounts = {one["metadata"]["name"] for one in _manifests() if one.get("kind") == "ServiceAccount"}
    return word == f"system:serviceaccount:{namespace}:{name}" and namespace in namespaces() and name in accounts


def _is_service(word: str) -> bool:
    return word in yaml.safe_load((ROOT / "services/compose.yaml").read_text())["services"]


def _is_argument(word: str) -> bool:
    """A build argument that the Dockerfile declares, with a service for the one that names it."""
    name, _, value = word.partition("=")
    declared = re.findall(r"^ARG (\w+)", (ROOT / "services/Dockerfile").read_text(), re.MULTILINE)
    return name in declared and (name != "SERVICE" or value in own_commands.SERVICES)


@cache
def projects() -> dict[str, dict[str, Any]]:
    """What ``pyproject.toml`` of each member says, by its name."""
    files = [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    read = [tomllib.loads(file.read_text())["project"] for file in files]
    return {one["name"]: one for one in read}


def _is_requirement(word: str) -> bool:
    """Any distribution; one of ours in its own version, and with extras that it has."""
    requirement = Requirement(word)
    ours = projects().get(requirement.name)
    if ours is None:
        return not requirement.name.startswith("trenova-")
    has = requirement.extras <= set(ours.get("optional-dependencies", {}))
    return has and requirement.specifier.contains(ours["version"])


@cache
def _told_anywhere() -> str:
    """All that the sources and the reference say, where the name of a variable has to be found."""
    files = [*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    more = [ROOT / "docs/reference/configuration.md", ROOT / "services/compose.yaml", *ROOT.glob("docs/runbooks/*.md")]
    return "\n".join(file.read_text() for file in [*files, *more])


def _is_setting(word: str) -> bool:
    """``NAME=VALUE`` of a variable that something here reads, or of the shell's own, or of Temporal's."""
    name, found, _ = word.partition("=")
    known = name in {"PATH", "TEMPORAL_CONFIG_FILE", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE"}
    return bool(found) and (known or bool(re.search(rf"\b{name}\b", _told_anywhere())))


KINDS: Mapping[str, Callable[[str], bool]] = {
    "namespace": lambda word: word in namespaces(),
    "deployment": lambda word: word.removeprefix("deployment/") in deployments() and word.startswith("deployment/"),
    "secret": _is_secret,
    "account": _is_account,
    "kinds": lambda word: set(word.split(",")) <= {"scaledobject", "hpa", "deployment", "pod"},
    "service": _is_service,
    "scale": lambda word: _is_service(word.partition("=")[0]) and word.partition("=")[2].isdecimal(),
    "argument": _is_argument,
    "kustomization": lambda word: (ROOT / word / "kustomization.yaml").is_file(),
    "file": lambda word: (ROOT / word.partition("::")[0]).exists(),
    "folder": lambda word: (ROOT / word).is_dir(),
    "requirement": _is_requirement,
    "setting": _is_setting,
    "number": lambda word: word.isdecimal(),
    "text": bool,
}
