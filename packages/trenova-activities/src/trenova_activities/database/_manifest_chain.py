"""How the manifest of a run is chained: every value fixes all that came before it.

A tenant's chain begins with its rule, goes on with each of its batches, and the seal of a run fixes the end of every
tenant. All are SHA-256, hexadecimal, over the UTF-8 of a JSON array without spaces, non-ASCII escaped::

    start  ["trenova-manifest/1", job type, run id, digest of the request, as of, organization, business unit,
            setting, cut-off]
    link   [previous value, number, rows, first at, first id, last at, last id, digest of the ids, at]
    seal   one line per tenant in the order of the ids' code points, each ended by a line feed, after a line for the
           run: ["trenova-seal/1", job type, run id, digest of the request], then
           [organization, business unit, state, rows, batches, last value]

The digest of the request covers the hash of the plan, where the run has one. Change none of this but under a new
number: whoever keeps a seal compares it with what these functions say.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

_START: Final = "trenova-manifest/1"
_SEAL: Final = "trenova-seal/1"
_LINKED: Final = ("number", "rows", "first_at", "first_id", "last_at", "last_id", "digest", "at")


def chain_start(run: Mapping[Any, Any], tenant: Mapping[Any, Any]) -> str:
    """Return the value that a tenant's first batch is linked to.

    Args:
        run: ``job_type``, ``run_id``, ``request_digest`` and ``as_of``.
        tenant: ``organization_id``, ``business_unit_id``, ``setting`` and ``cutoff``, as recorded for the run.
    """
    whose = (tenant["organization_id"], tenant["business_unit_id"], tenant["setting"], tenant["cutoff"])
    return _sha256([_START, run["job_type"], run["run_id"], run["request_digest"], run["as_of"], *whose])


def chain_link(previous: str, batch: Mapping[Any, Any]) -> str:
    """Return the value of a batch.

    Args:
        previous: The value of the batch before, or :func:`chain_start`.
        batch: Its columns of ``job_run_batches``.
    """
    return _sha256([previous, *(batch[name] for name in _LINKED)])


def seal_of(run: Mapping[Any, Any], tenants: Iterable[Mapping[Any, Any]]) -> str:
    """Return the value of a whole run.

    Args:
        run: ``job_type``, ``run_id`` and ``request_digest``.
        tenants: Rows of ``job_run_tenants``, in any order.
    """
    columns = ("organization_id", "business_unit_id", "state", "counted", "batches", "chain")
    lines = sorted([tenant[name] for name in columns] for tenant in tenants)
    hashed = hashlib.sha256()
    for line in ([_SEAL, run["job_type"], run["run_id"], run["request_digest"]], *lines):
        hashed.update(f"{_compact(line)}\n".encode())
    return hashed.hexdigest()


def _sha256(values: list[Any]) -> str:
    return hashlib.sha256(_compact(values).encode()).hexdigest()


def _compact(values: list[Any]) -> str:
    return json.dumps(values, separators=(",", ":"), default=int)  # a driver may count in decimals
