from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from trenova_access import (
    Access,
    AccessOptions,
    ApiTokenOptions,
    ApiTokens,
    Grant,
    NotSignedInError,
    Roles,
    TokenRefusedError,
    api_token_digest,
    new_api_token,
)

READ = Grant(resource="orders", role="viewer")
ROLES = Roles({"viewer": ()})


def request(token):
    return Request({"type": "http", "method": "GET", "headers": [(b"authorization", f"Bearer {token}".encode())]})


async def test_a_program_is_known_by_a_token_of_which_the_server_knows_the_digest():
    token, digest = new_api_token()
    options = AccessOptions(api_tokens=(ApiTokenOptions(sha256=digest, subject="nightly", grants=(READ,)),))

    who = await Access(options, ROLES).authenticate(request(token))

    assert (who.subject, who.method, who.grants) == ("nightly", "api_token", {READ})
    assert token not in repr(options)


async def test_another_token_and_the_digest_itself_prove_nothing():
    token, digest = new_api_token()
    access = Access(AccessOptions(api_tokens=(ApiTokenOptions(sha256=digest, subject="nightly"),)), ROLES)

    for wrong in (new_api_token()[0], f"trn_{digest}", token + "x"):
        with pytest.raises(TokenRefusedError) as refused:
            await access.authenticate(request(wrong))
        assert refused.value.facts == {"reason": "unknown_api_token"}
    with pytest.raises(NotSignedInError, match="API token"):
        await access.authenticate(request(digest))


def test_a_token_ends_at_its_time():
    token, digest = new_api_token()
    end = datetime(2027, 1, 1, tzinfo=UTC)
    option = ApiTokenOptions(sha256=digest, subject="nightly", expires_at=end)

    assert ApiTokens([option], lambda: end - timedelta(seconds=1)).verify(token).subject == "nightly"
    with pytest.raises(TokenRefusedError, match="over since 2027-01-01"):
        ApiTokens([option], lambda: end).verify(token)


def test_two_programs_cannot_share_a_token():
    digest = api_token_digest("trn_one")

    with pytest.raises(ValidationError, match="a token of its own"):
        AccessOptions(api_tokens=tuple(ApiTokenOptions(sha256=digest, subject=name) for name in ("a", "b")))
