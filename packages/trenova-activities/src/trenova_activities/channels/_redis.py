"""Entries of a Redis stream, each written once."""

from typing import Final

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from trenova_activities.channels._attempt import Turns, attempt
from trenova_activities.channels._message import Message, Probe
from trenova_activities.channels._options import RedisOptions
from trenova_errors import ApplicationError

_ADD_ONCE: Final = """
local known = redis.call('GET', KEYS[2])
if known then return known end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[3], 'event', ARGV[4], 'organizationId', ARGV[5], 'message', ARGV[6])
redis.call('SET', KEYS[2], id, 'EX', ARGV[2])
return id
"""
"""The entry and what remembers it are written together, so a repetition finds the first entry's id."""


class RedisChannel:
    """Appends messages to a stream.

    Fields of an entry: ``id``, ``event``, ``organizationId`` and ``message`` (JSON, as :class:`Message` on the wire).
    Both keys hash to one slot, so a cluster takes the script as well.

    Args:
        options: The server and the stream.
    """

    name: Final = "redis"

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self._turns = Turns(options.rate)
        password = options.password
        self._client = aioredis.Redis(
            host=options.host,
            port=options.port,
            db=options.database,
            username=options.username,
            password=None if password is None else password.get_secret_value(),
            ssl=options.tls,
            ssl_ca_certs=None if options.ca_file is None else str(options.ca_file),
            ssl_check_hostname=True,
            socket_timeout=options.timeout_s,
            socket_connect_timeout=options.timeout_s,
            retry=Retry(NoBackoff(), 0),  # the workflow decides when to try again
            decode_responses=True,
        )

    async def send(self, message: Message, destination: str) -> str:
        """Append to the stream of this name; return the id of the entry, the first one's if it was there already."""
        await self._turns.wait("The Redis server")
        keys = (destination, f"{{{destination}}}:taken:{message.id}")
        values = (
            *(str(self._options.max_length), str(self._options.remembered_s)),
            *(message.id, message.event_type, message.organization_id, message.model_dump_json(by_alias=True)),
        )
        async with attempt("The Redis server", self._options.timeout_s) as progress:
            await self._client.ping()  # so that a connection that cannot be made is told from one that was lost
            progress.sent = True
            try:
                entry = await self._client.eval(_ADD_ONCE, len(keys), *keys, *values)
            except ResponseError:
                progress.answered = True
                raise
            progress.receipt = str(entry)
        return progress.receipt

    async def probe(self) -> list[Probe]:
        """Ask the server whether it is there."""
        where = f"{self._options.host}:{self._options.port}"
        try:
            async with attempt("The Redis server", self._options.timeout_s):
                await self._client.ping()
        except ApplicationError as error:
            return [Probe(subject="redis", ok=False, detail=f"{where}: {error.message}")]
        return [Probe(subject="redis", ok=True, detail=f"{where} answers, stream {self._options.stream}")]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
