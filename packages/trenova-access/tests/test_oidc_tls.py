"""Sign-in at a provider over TLS, and at a server of ours that speaks TLS itself."""

import ssl
from typing import NamedTuple

import httpx
import pytest
import trustme
from starlette.applications import Starlette

from trenova_access import Access, AccessOptions, Roles, sign_in_routes


class Tls(NamedTuple):
    authority: str
    certificate: str
    key: str
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """An authority that nobody knows, and a certificate of it for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    files = [folder / name for name in ("authority.pem", "certificate.pem", "key.pem")]
    authority.cert_pem.write_to_path(files[0])
    made.cert_chain_pems[0].write_to_path(files[1])
    made.private_key_pem.write_to_path(files[2])
    return Tls(*map(str, files), ssl.create_default_context(cafile=str(files[0])))


@pytest.fixture
def provider(provider, tls):
    """The provider of the other tests, over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    provider._server.socket = context.wrap_socket(provider._server.socket, server_side=True)
    for name in ("address", "url", "name"):
        setattr(provider, name, getattr(provider, name).replace("http://", "https://"))
    return provider


async def site(listen, tls, options):
    access = Access(AccessOptions(oidc=options), Roles({"viewer": ()}), audit=lambda _: None)
    app = access.protect(Starlette(routes=sign_in_routes(access)))
    return await listen(app, ssl_certfile=tls.certificate, ssl_keyfile=tls.key)


async def test_the_cookies_are_secure_and_the_provider_sends_back_over_tls(listen, tls, provider):
    url = await site(listen, tls, provider.options(ca_file=tls.authority, cookie="__Host-trenova"))
    provider.redirect_uris = {f"{url}/sign-in/oidc/callback"}
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=tls.trust) as browser:
        off = await browser.get("/sign-in/oidc")
        back = await browser.get((await browser.get(off.headers["location"])).headers["location"])

    assert url.startswith("https://")
    assert back.status_code == 303
    cookies = [*off.headers.get_list("set-cookie"), *back.headers.get_list("set-cookie")]
    assert [cookie.partition("=")[0] for cookie in cookies] == [
        "__Host-trenova-flow",
        "__Host-trenova",
        "__Host-trenova-flow",
    ]
    assert all("; Secure" in cookie and "; Path=/" in cookie and "Domain" not in cookie for cookie in cookies)


async def test_a_provider_with_a_certificate_that_nobody_vouches_for_is_not_asked(listen, tls, provider, caplog):
    url = await site(listen, tls, provider.options())
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=tls.trust) as browser:
        answer = await browser.get("/sign-in/oidc")

    assert answer.status_code == 503
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert provider.requests == []
