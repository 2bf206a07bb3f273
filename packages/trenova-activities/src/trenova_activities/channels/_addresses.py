"""Where a host name leads, decided once for a request, and where no request may go."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

from trenova_activities.channels._options import Network
from trenova_errors import PermissionDeniedError, UnavailableError

Address = IPv4Address | IPv6Address

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""Prefixes behind which a gateway reaches IPv4 addresses (RFC 6052, RFC 8215)."""
_V4_COMPATIBLE: Final = IPv6Network("::/96")
_SPECIAL_V4: Final = IPv4Network("192.0.0.0/24")
"""Special purposes (RFC 6890); releases of Python disagree about its parts."""
_SITE_LOCAL: Final = IPv6Network("fec0::/10")
_LAST_32_BITS: Final = 0xFFFF_FFFF


class ForbiddenAddressError(PermissionDeniedError):
    """A name leads to where no request of ours may go."""

    code = "webhook.forbidden_address"


class Resolver(Protocol):
    """Finds the addresses of a host name."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return every address, the preferred one first.

        Raises:
            OSError: There are none.
        """


class SystemResolver:
    """Asks the operating system, so that ``/etc/hosts`` counts too."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return every address, in the system's order."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in found))


async def pinned_addresses(resolver: Resolver, host: str, port: int, allowed: Sequence[Network]) -> list[Address]:
    """Resolve a name once and return the addresses that the request may go to, the preferred one first.

    A name of which any address is forbidden is refused altogether: nobody can say which one would have been taken.

    Raises:
        UnavailableError: The name has no address now.
        ForbiddenAddressError: It leads to a private or special network that is not in ``allowed``.
    """
    try:
        texts = await resolver.resolve(host, port)
    except OSError:
        texts = []
    if not texts:
        raise UnavailableError(f"The host name {host!r} cannot be resolved now. Check the URL of the endpoint.")
    addresses = [ip_address(text) for text in texts]
    for address in addresses:
        if not permitted(address, allowed):
            raise ForbiddenAddressError(
                f"The host {host!r} leads to {address}, which is no public address. If the receiver is really there, "
                "add its network to allowed_networks of the endpoint."
            )
    return addresses


def permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether a request may go to this address, and to any IPv4 address that it stands for."""
    inner = _inside(address)
    if any(one.version == network.version and one in network for one in (address, *inner) for network in allowed):
        return True
    return all(_public(one) for one in (inner or (address,)))


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address in _SITE_LOCAL or address.scope_id is not None):
        return False
    if isinstance(address, IPv4Address) and address in _SPECIAL_V4:
        return False
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_reserved
    return address.is_global and not (special or address.is_multicast or address.is_unspecified)


def _inside(address: Address) -> tuple[Address, ...]:
    """Return the IPv4 addresses that an IPv6 address leads to: mapped, compatible, 6to4, NAT64."""
    if isinstance(address, IPv4Address):
        return ()
    for inner in (address.ipv4_mapped, address.sixtofour):
        if inner is not None:
            return (inner,)
    if any(address in network for network in (*_NAT64, _V4_COMPATIBLE)):
        return (IPv4Address(int(address) & _LAST_32_BITS),)
    return ()
