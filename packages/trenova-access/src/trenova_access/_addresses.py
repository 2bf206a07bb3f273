"""Addresses as options: checked when they are given, so that a mistake is a sentence and not a refused request."""

from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator

from trenova_access._hosts import is_loopback


def is_secure_url(value: str) -> bool:
    """Whether an address is https, or http on loopback."""
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, ValueError, TypeError):
        return False
    return bool(url.host) and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)))


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{value!r} is no origin; write scheme, host and port only, as in 'https://ui.example.com'")
    if "*" in value or "@" in value:
        raise ValueError(f"{value!r} is not concrete; a browser sends credentials only to origins named in full")
    return value.lower()


def _host(value: str) -> str:
    if not value or any(sign in value for sign in "*/@ "):
        raise ValueError(f"{value!r} is no host name; write it as browsers do, e.g. 'codec.example.com'")
    return value.lower()


def _key_set_url(value: str) -> str:
    if is_secure_url(value):
        return value
    try:
        httpx.URL(value)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise ValueError(f"{value!r} is no address; write it as the issuer's `jwks_uri` does") from None
    raise ValueError(f"{value!r} is not https; keys fetched in clear can be replaced on the way")


def _issuer(value: str) -> str:
    if not is_secure_url(value) or any(sign in value for sign in "?#"):
        raise ValueError(
            f"{value!r} is no issuer; write it exactly as the provider's OpenID configuration does, with https, as in "
            "'https://login.example.com/'"
        )
    return value


Origin = Annotated[str, AfterValidator(_origin)]
Host = Annotated[str, AfterValidator(_host)]
KeySetUrl = Annotated[str, AfterValidator(_key_set_url)]
IssuerUrl = Annotated[str, AfterValidator(_issuer)]
