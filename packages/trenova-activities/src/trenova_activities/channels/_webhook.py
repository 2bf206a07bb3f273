"""Signed requests to receivers of others."""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import httpx

from trenova_activities.channels._addresses import Address, Resolver, SystemResolver, pinned_addresses
from trenova_activities.channels._attempt import Progress, Turns, attempt
from trenova_activities.channels._message import Message, Probe
from trenova_activities.channels._options import WebhookEndpoint, WebhookOptions
from trenova_activities.channels._signature import DELIVERY_HEADER, SIGNATURE_HEADER, sign
from trenova_errors import ApplicationError, ConfigurationError, UnavailableError

_BODY_STARTED: Final = "http11.send_request_body.started"
_MOST_ADDRESSES: Final = 3
_CONNECT_S: Final = 4
"""So that three addresses get their chance within the time of an attempt."""
_AGENT: Final = "trenova-notifications/1"


class WebhookChannel:
    """Posts messages to endpoints, each request on a connection of its own to an address that was looked at.

    The name is resolved once, so that what was allowed is what is connected to; TLS and the header ``Host`` still use
    the name. Redirects are not followed, proxies of the environment are not used, and an answer's body is not read.

    Args:
        options: The endpoints.
        resolver: Finds addresses.
        clock: Unix seconds, for signatures.
    """

    name: Final = "webhook"

    def __init__(
        self,
        options: WebhookOptions,
        *,
        resolver: Resolver | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._resolver = resolver or SystemResolver()
        self._clock = clock
        self._turns = {name: Turns(options.rate) for name in options.endpoints}
        self._client = httpx.AsyncClient(
            verify=_trust(options),
            trust_env=False,
            follow_redirects=False,
            timeout=options.timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),  # a kept one would be an address's, not a name's
        )

    async def send(self, message: Message, destination: str) -> str:
        """Post to the endpoint of this name; any status from 200 to 299 means that it was taken."""
        endpoint = self._endpoint(destination)
        await self._turns[destination].wait(f"The endpoint {destination!r}")
        body = message.model_dump_json(by_alias=True).encode()
        async with attempt(f"The endpoint {destination!r}", self._options.timeout_s) as progress:
            await self._post(endpoint, message.id, body, progress)
        return progress.receipt

    async def _post(self, endpoint: WebhookEndpoint, key: str, body: bytes, progress: Progress) -> None:
        url = _url(endpoint)
        addresses = await self._addresses(endpoint, url)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "Idempotency-Key": key,
            DELIVERY_HEADER: key,
            SIGNATURE_HEADER: sign(body, endpoint.secrets, at=int(self._clock())),
        }

        async def followed(event: str, _info: Mapping[str, Any]) -> None:
            progress.sent = progress.sent or event == _BODY_STARTED

        limit = self._options.timeout_s
        extensions = {
            "sni_hostname": url.raw_host.decode("ascii"),
            "trace": followed,
            "timeout": httpx.Timeout(limit, connect=min(limit, _CONNECT_S)).as_dict(),
        }
        response = await self._first_that_connects(
            [
                self._client.build_request(
                    "POST", url.copy_with(host=str(one)), content=body, headers=headers, extensions=extensions
                )
                for one in addresses[:_MOST_ADDRESSES]
            ]
        )
        progress.answered = True
        try:
            progress.receipt = _taken(response)
        finally:
            await response.aclose()

    async def _first_that_connects(self, requests: Sequence[httpx.Request]) -> httpx.Response:
        """Send the first request that gets a connection, and none of the others."""
        for request in requests[:-1]:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._client.send(request, stream=True)
        return await self._client.send(requests[-1], stream=True)

    async def probe(self) -> list[Probe]:
        """Look where each endpoint's name leads; no request is made."""
        return [await self._look(name, endpoint) for name, endpoint in self._options.endpoints.items()]

    async def _look(self, name: str, endpoint: WebhookEndpoint) -> Probe:
        try:
            url = _url(endpoint)
            first, *_ = await self._addresses(endpoint, url)
        except ApplicationError as error:
            return Probe(subject=f"webhook {name}", ok=False, detail=error.message)
        return Probe(subject=f"webhook {name}", ok=True, detail=f"{url.host} is at {first}")

    async def close(self) -> None:
        """Close connections that are still open."""
        await self._client.aclose()

    async def _addresses(self, endpoint: WebhookEndpoint, url: httpx.URL) -> list[Address]:
        port = url.port or (443 if url.scheme == "https" else 80)
        return await pinned_addresses(self._resolver, url.raw_host.decode("ascii"), port, endpoint.allowed_networks)

    def _endpoint(self, name: str) -> WebhookEndpoint:
        if name not in self._options.endpoints:
            raise UnavailableError(f"This worker knows no endpoint {name!r}. Add it to channels.webhook.endpoints.")
        return self._options.endpoints[name]


def _url(endpoint: WebhookEndpoint) -> httpx.URL:
    try:
        return httpx.URL(endpoint.url)
    except httpx.InvalidURL:
        raise ConfigurationError("The URL of the endpoint is none; its host cannot be read. Correct it.") from None


def _trust(options: WebhookOptions) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=options.ca_file)


def _taken(response: httpx.Response) -> str:
    if response.is_redirect or response.has_redirect_location:
        raise ConfigurationError(
            f"The endpoint answered {response.status_code} and sends elsewhere; redirects are not followed. "
            "Enter the URL that it leads to."
        )
    response.raise_for_status()
    if not response.is_success:
        raise UnavailableError(f"The endpoint answered {response.status_code}, which says nothing. Ask its owner.")
    return f"HTTP {response.status_code}"
