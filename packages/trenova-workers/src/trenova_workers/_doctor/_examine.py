"""Gathers what the checks need, runs them, and puts right what may be put right."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError
from trenova_errors.connecting import connect_config
from trenova_workers._connection import connect
from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis, Severity
from trenova_workers._doctor._local import local_workers
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import describe
from trenova_workers._identity import make_identity
from trenova_workers._up._discovery import Service
from trenova_workers._up._embedded import PROFILE

_log = logging.getLogger(__name__)
_LEADS_ELSEWHERE = ("TEMPORAL_ADDRESS", "TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE")


@dataclass(frozen=True)
class Options:
    """What the command was told."""

    environ: Mapping[str, str]
    data_dir: Path
    offline: bool = False
    expect_running: bool = False
    fix: bool = False


async def examine(options: Options, services: Sequence[Service], checks: Sequence[Check]) -> list[Diagnosis]:
    """Run the checks in their order and return all that they found; with ``fix`` also what was done."""
    patient = await admit(options, services, {need for check in checks for need in check.needs})
    found = [diagnosis for check in checks for diagnosis in await look(check, patient)]
    return [await _fixed(one) for one in found] if options.fix else found


async def admit(options: Options, services: Sequence[Service], needs: AbstractSet[Need] = frozenset(Need)) -> Patient:
    """Find out what is needed: ask the services, the server and this machine, at the same time."""
    environ, origin = _with_up(options)
    check = Need.FINDINGS in needs and not options.offline
    wants_server = bool(needs & {Need.SERVER, Need.CONNECTION})
    described, (client, no_client, unreachable), local = await asyncio.gather(
        asyncio.gather(*(describe(one, environ, check=check) for one in services if Need.SERVICES in needs)),
        _reach(environ, offline=options.offline or not wants_server),
        local_workers(services if Need.LOCAL in needs else ()),
    )
    return Patient(
        environ=environ,
        installed=services,
        services=described,
        client=client,
        no_client=no_client,
        unreachable=unreachable,
        address_from=origin,
        offline=options.offline,
        expect_running=options.expect_running,
        local=local,
    )


def exit_status(found: Sequence[Diagnosis]) -> int:
    """Return 1 when anything is wrong, else 2 when a check could not look, else 0."""
    if any(one.severity is Severity.PROBLEM for one in found):
        return 1
    return 2 if any(one.blind for one in found) else 0


def _with_up(options: Options) -> tuple[dict[str, str], str]:
    """Return the environment, which leads to the server of ``up`` when it leads nowhere by itself."""
    environ = dict(options.environ)
    profile = options.data_dir / PROFILE
    if any(environ.get(name) for name in _LEADS_ELSEWHERE) or not profile.exists():
        return environ, ""
    return environ | {
        "TEMPORAL_CONFIG_FILE": str(profile.absolute()),
        "TRENOVA_DATA_DIR": str(options.data_dir.absolute()),
    }, f" (from {profile})"


async def _reach(environ: Mapping[str, str], *, offline: bool) -> tuple[Client | None, str, str]:
    """Return a client, or why there is none and what was in the way."""
    if offline:
        return None, "not asked (--offline)", ""
    try:
        connection = connect_config(environ)
    except ConfigurationError as error:
        return None, "the connection is not known", error.message
    try:
        return await connect(connection, identity=make_identity("doctor")), "", ""
    except ConfigurationError as error:
        return None, "the server does not answer", error.message


async def look(check: Check, patient: Patient) -> list[Diagnosis]:
    """Run one check; what it cannot look at, or breaks on, is a diagnosis too."""
    if Need.SERVER in check.needs and patient.client is None:
        return [check.skipped("", patient.no_client)]
    try:
        return await check.examine(patient)
    except Exception as error:  # noqa: BLE001 (one check that breaks must not keep the others from looking)
        _log.debug("check %s failed", check.id, exc_info=True)
        said = error.message if isinstance(error, ApplicationError | RPCError) else f"{type(error).__name__}: {error}"
        return [replace(check.skipped("", f"the check itself failed: {said}"), blind=True)]


async def _fixed(one: Diagnosis) -> Diagnosis:
    if one.fix is None:
        return one
    try:
        done = await one.fix()
    except ApplicationError as error:
        return replace(one, found=f"{one.found}; fixing it failed: {error.message}", fix=None)
    return replace(one, severity=Severity.OK, found=f"{one.found}: put right", advice="", fix=None, fixed=done)
