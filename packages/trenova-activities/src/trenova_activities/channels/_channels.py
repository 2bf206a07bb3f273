"""The channels of one worker process, opened and closed together."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from trenova_activities._delivery_contract import ChannelName
from trenova_activities.channels._message import Channel, Probe
from trenova_activities.channels._options import ChannelOptions
from trenova_errors import ConfigurationError, UnavailableError


class Channels:
    """Channels by name.

    Args:
        options: What they were made from; decides what is delivered through which.
        channels: Those that are open.
    """

    def __init__(self, options: ChannelOptions, channels: Iterable[Channel] = ()) -> None:
        self.options = options
        self._channels = {channel.name: channel for channel in channels}

    def __getitem__(self, name: ChannelName) -> Channel:
        """Return a channel.

        Raises:
            UnavailableError: This worker does not have it; another one may.
        """
        if name not in self._channels:
            raise UnavailableError(
                f"This worker has no channel {name!r}. Set channels.{name}, or wait for one that does."
            )
        return self._channels[name]

    async def probe(self) -> list[Probe]:
        """Look at every channel; nothing is sent."""
        return [found for channel in self._channels.values() for found in await channel.probe()]


@asynccontextmanager
async def open_channels(options: ChannelOptions) -> AsyncIterator[Channels]:
    """Make the channels that are configured, for the length of a block; nothing is connected yet.

    Raises:
        ConfigurationError: The extra of a channel is not installed, or a file of its options cannot be read.
    """
    async with AsyncExitStack() as stack:
        made = []
        for channel in _made(options):
            stack.push_async_callback(channel.close)
            made.append(channel)
        yield Channels(options, made)


def _made(options: ChannelOptions) -> Iterable[Channel]:
    extra = ""
    try:
        if options.email is not None:
            extra = "smtp"
            from trenova_activities.channels._email import EmailChannel

            yield EmailChannel(options.email)
        if options.webhook is not None:
            extra = "webhook"
            from trenova_activities.channels._webhook import WebhookChannel

            yield WebhookChannel(options.webhook)
        if options.redis is not None:
            extra = "redis"
            from trenova_activities.channels._redis import RedisChannel

            yield RedisChannel(options.redis)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The module {error.name!r} is not installed. Install 'trenova-activities[{extra}]'."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"A certificate file of the channel needs a look ({type(error).__name__}): {error.filename or 'ca_file'}."
        ) from None
