"""Where a service's web console listens, and where it leaves its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trenova_errors import ConfigurationError

PORT: Final = "TRENOVA_CONSOLE__PORT"
FILE: Final = "TRENOVA_CONSOLE__FILE"
ORIGINS: Final = "TRENOVA_CONSOLE__ORIGINS"
POOLS: Final = "TRENOVA_CONSOLE__POOLS"

_MOST_PORT: Final = 65_535


@dataclass(frozen=True)
class ConsoleAddress:
    """What ``trenova-workers up`` tells a console; all of it absent where somebody starts one by hand.

    Attributes:
        port: Port of 127.0.0.1 to listen on.
        file: Where to leave ``{"url": ..., "sign_in": ...}``, readable by this user only.
        origins: Origins of the Temporal UI, such as ``http://127.0.0.1:8233``.
        pools: Where a pool manager of the same ``up`` leaves its address and a token; None where it has none.
    """

    port: int | None = None
    file: Path | None = None
    origins: tuple[str, ...] = ()
    pools: Path | None = None

    @classmethod
    def told_by(cls, environ: Mapping[str, str]) -> "ConsoleAddress":
        """Read the variables ``TRENOVA_CONSOLE__...``.

        Raises:
            ConfigurationError: The port is no port.
        """
        port, file, pools = environ.get(PORT), environ.get(FILE), environ.get(POOLS)
        if port is not None and not (port.isdecimal() and int(port) <= _MOST_PORT):
            raise ConfigurationError(
                f"{PORT} is {port!r}, which is no port. Set it to a number from 0 to {_MOST_PORT}."
            )
        return cls(
            port=None if port is None else int(port),
            file=Path(file) if file else None,
            origins=tuple(origin for origin in environ.get(ORIGINS, "").split(",") if origin),
            pools=Path(pools) if pools else None,
        )
