"""Variables that nobody reads, profile files with words that mean nothing, and versions that do not fit."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution, entry_points, version

from packaging.requirements import InvalidRequirement, Requirement
from temporalio.envconfig import ClientConfig

from trenova_errors import ConfigurationError
from trenova_errors.connecting import connect_config, profile_fault
from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._fields import nearest
from trenova_workers._layers import SHARED_PREFIX
from trenova_workers._provenance import masked_text
from trenova_workers._up._discovery import GROUP

# What temporalio.envconfig reads (temporalio 1.35); TEMPORAL_GRPC_META_* carries any header.
_TEMPORAL = tuple(
    f"TEMPORAL_{name}"
    for name in (
        *("ADDRESS", "NAMESPACE", "API_KEY", "PROFILE", "CONFIG_FILE", "CODEC_ENDPOINT", "CODEC_AUTH", "TLS"),
        *("TLS_CLIENT_CERT_PATH", "TLS_CLIENT_CERT_DATA", "TLS_CLIENT_KEY_PATH", "TLS_CLIENT_KEY_DATA"),
        *("TLS_SERVER_CA_CERT_PATH", "TLS_SERVER_CA_CERT_DATA", "TLS_SERVER_NAME", "TLS_DISABLE_HOST_VERIFICATION"),
    )
)
_TEMPORAL_HEADERS = "TEMPORAL_GRPC_META_"
# Read by other programs of this family, and by keys that are named by their own variables.
_OTHERS = ("CODEC_SERVER_", "CODECS_", "CONSOLE__", "SERVER_DATABASE", "KEY", "IMAGE_")


class EnvironmentCheck(Check):
    """A misspelt variable is read by nobody, and nobody says so."""

    id = "environment"
    about = "profiles can be read, TEMPORAL_ and TRENOVA_ variables are spelt as somebody reads them, versions fit"
    needs = frozenset({Need.SERVICES})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Look at the variables and at what is installed."""
        misspelt = [*self._temporal(patient), *self._trenova(patient), *self._refused(patient)]
        return [
            self._profile(patient),
            *(misspelt or [self.ok("variables", "every TEMPORAL_ and TRENOVA_ variable is one that somebody reads")]),
            *self._versions(patient),
        ]

    def _profile(self, patient: Patient) -> Diagnosis:
        try:
            config = connect_config(patient.environ)
        except ConfigurationError as error:
            return self.refused("profile", error.message)
        try:
            ClientConfig.load_client_connect_config(override_env_vars=dict(patient.environ), config_file_strict=True)
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            advice = "Correct the profile file: what the SDK does not know it ignores without a word."
            return self.warning("profile", f"it holds what nobody reads: {profile_fault(error)}", advice)
        address = config["target_host"]
        return self.ok("profile", f"leads to {masked_text(address)}, namespace {config['namespace']!r}")

    def _temporal(self, patient: Patient) -> Iterable[Diagnosis]:
        """Only what is spelt nearly right: Temporal's other tools have variables of their own."""
        for name in sorted(patient.environ):
            if name.startswith("TEMPORAL_") and name not in _TEMPORAL and not name.startswith(_TEMPORAL_HEADERS):
                near = nearest(name, _TEMPORAL, cutoff=0.85)
                if near:
                    yield self.warning(name, "no SDK reads it", f"Did you mean {near}?")

    def _trenova(self, patient: Patient) -> Iterable[Diagnosis]:
        known = {section.upper() for service in patient.services for section in service.sections}
        if not known:
            return
        for name in sorted(patient.environ):
            first = name.removeprefix(SHARED_PREFIX).partition("__")[0]
            mine = name.upper().startswith(SHARED_PREFIX) and bool(patient.environ[name])
            if mine and first.upper() not in known and not name.removeprefix(SHARED_PREFIX).startswith(_OTHERS):
                near = nearest(first.upper(), sorted(known))
                hint = f"Did you mean {name.replace(first, near, 1)}?" if near else "Unset it, or correct its name."
                yield self.warning(name, f"none of {_names(patient)} reads it", hint)

    def _refused(self, patient: Patient) -> Iterable[Diagnosis]:
        """What services refuse of their variables; of one that does not say what it reads, that this is not known."""
        faults = dict.fromkeys(fault for service in patient.services for fault in service.faults)
        for name in sorted(patient.environ):
            for fault in faults:
                if fault.removeprefix("The environment variable ").startswith((f"{name}: ", f"{name} ")):
                    yield self.problem(name, fault.removeprefix(f"{name}: "), "Correct the variable, or unset it.")
        for service in patient.services:
            if service.refusal and not service.sections:
                reason = f"nobody knows which variables it reads, so none is judged by it: {service.refusal}"
                yield replace(self.skipped(service.name, reason), blind=True)

    def _versions(self, patient: Patient) -> Iterable[Diagnosis]:
        yield self.ok("python", f"{platform.python_implementation()} {platform.python_version()}")
        chosen = {service.name for service in patient.installed}
        points = [point for point in entry_points(group=GROUP) if point.name in chosen and point.dist]
        for name in dict.fromkeys(["trenova-workers", *(point.dist.name for point in points if point.dist)]):
            lacks = _unmet(name)
            found = f"{name} {version(name)} with temporalio {version('temporalio')}"
            if lacks:
                yield self.problem(name, "; ".join(lacks), f"Install what it asks for: uv pip install --upgrade {name}")
            else:
                yield self.ok(name, found)


def _unmet(name: str) -> Sequence[str]:
    """Return what a distribution requires and does not have; what its extras bring is not looked at."""
    lacks = []
    for text in distribution(name).requires or ():
        try:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            there = version(requirement.name)
        except InvalidRequirement:
            continue
        except PackageNotFoundError:
            lacks.append(f"needs {text}, which is not installed")
            continue
        if not requirement.specifier.contains(there, prereleases=True):
            lacks.append(f"needs {requirement.name}{requirement.specifier}, installed is {there}")
    return lacks


def _names(patient: Patient) -> str:
    return ", ".join(service.name for service in patient.services if service.sections)
