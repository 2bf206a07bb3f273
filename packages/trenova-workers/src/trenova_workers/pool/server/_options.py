"""What the API of pools is told: who may call it, how often, where it listens."""

from typing import Final

from pydantic import Field, ValidationError

from trenova_access import AccessOptions, Grant, LimitOptions, SignInOptions
from trenova_access.api import RateOptions
from trenova_access.serving import OpenListenOptions
from trenova_errors import ConfigurationError
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool.server._roles import ADMIN, DELEGATE

DEFAULT_PORT: Final = 8236
"""Beside the Temporal UI's 8233, the codec server's 8234 and the dashboard's 8235."""


def _local_access() -> AccessOptions:
    return AccessOptions(
        sign_in=SignInOptions(
            cookie="trenova-pools", grants=(Grant(resource="*", role=ADMIN), Grant(resource="*", role=DELEGATE))
        ),
        limits=LimitOptions(max_body=64 * 1024, timeout_s=30, max_concurrent=64),
    )


class PoolServerOptions(OpenListenOptions):
    """The API of pools and where it listens (``trenova_access.serving.OpenListenOptions``).

    Attributes:
        access: Who may call it; by default whoever can sign in on this machine.
        rates: How often.
    """

    access: AccessOptions = Field(default_factory=_local_access)
    rates: RateOptions = RateOptions()
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)


def server_options(options: PoolsOptions) -> PoolServerOptions:
    """Read what the pools' file says under ``server``.

    Raises:
        ConfigurationError: It does not hold; names the keys and never shows a value.
    """
    try:
        return PoolServerOptions.model_validate(options.server)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = " ".join(
            f"server.{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ').rstrip('.')}."
            for one in faults
        )
        raise ConfigurationError(f"The options of the API do not hold. {said}") from None
