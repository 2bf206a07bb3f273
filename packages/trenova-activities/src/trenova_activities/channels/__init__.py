"""Ways out for notifications beside the stored row: mail, signed webhooks, Redis streams.

Each needs its extra: ``smtp``, ``webhook``, ``redis``. Options and :func:`verify_signature` need none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from trenova_activities.channels._addresses import ForbiddenAddressError, Resolver, SystemResolver
from trenova_activities.channels._channels import Channels, open_channels
from trenova_activities.channels._message import Channel, Message, Probe
from trenova_activities.channels._options import (
    ChannelOptions,
    EmailOptions,
    RateOptions,
    RedisOptions,
    RoleMembers,
    Rule,
    WebhookEndpoint,
    WebhookOptions,
)
from trenova_activities.channels._signature import (
    DELIVERY_HEADER,
    SIGNATURE_HEADER,
    SignatureError,
    sign,
    verify_signature,
)

if TYPE_CHECKING:
    from trenova_activities.channels._email import EmailChannel
    from trenova_activities.channels._redis import RedisChannel
    from trenova_activities.channels._webhook import WebhookChannel

__all__ = [
    "DELIVERY_HEADER",
    "SIGNATURE_HEADER",
    "Channel",
    "ChannelOptions",
    "Channels",
    "EmailChannel",
    "EmailOptions",
    "ForbiddenAddressError",
    "Message",
    "Probe",
    "RateOptions",
    "RedisChannel",
    "RedisOptions",
    "Resolver",
    "RoleMembers",
    "Rule",
    "SignatureError",
    "SystemResolver",
    "WebhookChannel",
    "WebhookEndpoint",
    "WebhookOptions",
    "open_channels",
    "sign",
    "verify_signature",
]

_NEEDS_EXTRA: Final = {"EmailChannel": "_email", "RedisChannel": "_redis", "WebhookChannel": "_webhook"}


def __getattr__(name: str) -> Any:
    """Import a channel when it is asked for, so that only its own extra has to be installed."""
    if name not in _NEEDS_EXTRA:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NEEDS_EXTRA[name]}"), name)
