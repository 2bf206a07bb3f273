"""Where a pool manager answers, and what proves who asks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from trenova_errors import ConfigurationError, UnavailableError


@dataclass(frozen=True)
class PoolServerAddress:
    """One server.

    Attributes:
        url: Its address, without ``/api/v1``.
        token: Sent as a bearer token; never printed. None where nobody has to sign in.
    """

    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class AddressFile:
    """The file ``pools-server.json`` that ``trenova-workers pool run --serve`` leaves for programs of its user.

    It is read at every request, because address and token change with every start of the manager.

    Attributes:
        file: Where it is.
    """

    file: Path

    @property
    def is_there(self) -> bool:
        """Whether a manager has left it: one that was stopped takes it away, one that was killed does not."""
        return self.file.exists()

    def __call__(self) -> PoolServerAddress:
        """Read it.

        Raises:
            UnavailableError: No manager has left it, or it cannot be read.
        """
        try:
            left = json.loads(self.file.read_text(encoding="utf-8"))
            return PoolServerAddress(str(left["url"]), left.get("key"))
        except FileNotFoundError:
            raise UnavailableError(
                f"No pool manager serves: there is no file {str(self.file)!r}. Start one with "
                "`trenova-workers pool run --serve`, or wait until it has started."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            why = getattr(error, "strerror", None) or "it is not what a manager leaves"
            raise UnavailableError(
                f"The address of the pool manager in {str(self.file)!r} cannot be read: {why}. It is readable by the "
                "user of the manager only; run this as the same user, or give an address and an API token."
            ) from None


def fixed_address(url: str, token_file: Path | None = None) -> Callable[[], PoolServerAddress]:
    """Return what gives a fixed address, with the token that a file holds, read again at each request.

    Args:
        url: Such as ``https://pools.example.com``, without ``/api/v1``.
        token_file: Holds an API token and nothing else; it may be replaced while this runs.

    Raises:
        ConfigurationError: That is no address; when it is asked for, the file cannot be read or is empty.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(
            "The address of the pool manager is no address of a server. Write it as in 'https://pools.example.com'."
        )

    def address() -> PoolServerAddress:
        return PoolServerAddress(url.rstrip("/"), None if token_file is None else _token(token_file))

    return address


def _token(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(
            f"The API token for the pool manager cannot be read from {str(file)!r}: {why}. Put the token there, "
            "readable by this user.",
        ) from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(f"The file {str(file)!r} holds no API token. Put one there, alone, in one line.")
    return token
