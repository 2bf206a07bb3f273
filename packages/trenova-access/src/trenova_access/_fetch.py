"""One question over HTTP to an issuer: bounded, without redirects, decompression or the environment's proxies."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Outbound:
    """How an issuer is reached.

    Attributes:
        timeout_s: Seconds that a question may take.
        max_bytes: Largest answer that is read.
        ca_file: Certificates to trust instead of the system's.
        proxy: URL of a proxy.
    """

    timeout_s: float
    max_bytes: int
    ca_file: str | None = None
    proxy: str | None = None

    async def get(self, url: str, accept: str) -> bytes:
        """Return what is behind a URL.

        Raises:
            ValueError: Its status is not 200, or it is too large.
            httpx.HTTPError, httpx.InvalidURL, OSError: It cannot be reached, or not in time.
        """
        status, body = await self.ask("GET", url, {"Accept": accept})
        if status != httpx.codes.OK:
            raise ValueError(f"it answered with status {status}")
        return body

    async def ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body of an answer; raises as :meth:`get`, whatever the status."""
        async with asyncio.timeout(self.timeout_s):
            # Reading the system's certificates takes long enough to be felt by everybody else on the loop.
            trust = await asyncio.to_thread(ssl.create_default_context, cafile=self.ca_file)
            client = httpx.AsyncClient(verify=trust, proxy=self.proxy, trust_env=False, timeout=self.timeout_s)
            told = {"Accept-Encoding": "identity", **headers}
            async with client, client.stream(method, url, headers=told, content=content or None) as response:
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > self.max_bytes:
                        raise ValueError(f"it answered with more than {self.max_bytes} bytes")
                return response.status_code, bytes(body)
