"""An API as its callers see it: problems, ids, counts, and the description of all this."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Query, Request

from trenova_access import Access, AccessOptions, Grant, Roles, SignInOptions
from trenova_access.api import (
    MEDIA_TYPE,
    REQUEST_ID,
    Answers,
    ApiCaller,
    ApiDescription,
    ProblemDocument,
    RateOptions,
    Rates,
    add_problem_handlers,
    request_id_of,
)
from trenova_errors import ApplicationError, ErrorKind, ResourceNotFoundError, ThrottledError, UnavailableError

OPTIONS = AccessOptions(
    hosts=("127.0.0.1",), sign_in=SignInOptions(cookie="shop", grants=(Grant(resource="north", role="viewer"),))
)


class ShelfProblem(ProblemDocument):
    shelf: str | None = None


class ShelfChangedError(ApplicationError):
    kind = ErrorKind.CONFLICT
    code = "shelf.changed"


@dataclass(frozen=True)
class Shop:
    access: Access
    rates: Rates


@dataclass(frozen=True)
class Caller(ApiCaller[Shop]):
    pass


async def asking(request: Request) -> Caller:
    return await Caller.of(request, request.app.state.shop, "reads")


DESCRIPTION = ApiDescription(
    title="Shop",
    description="Shelves.",
    distribution="trenova-access",
    said={412: "The shelf is not what the caller saw."},
    problem=ShelfProblem,
)


def amend(request, error, failure):
    if isinstance(error, ShelfChangedError) and "if-match" in request.headers:
        failure.status = HTTPStatus.PRECONDITION_FAILED
        failure.body["shelf"] = "north"
        failure.headers["ETag"] = '"7"'
    elif isinstance(error, ConnectionRefusedError):
        failure.body["detail"] = "The warehouse does not answer."


@pytest.fixture
def told():
    return []


@pytest.fixture
def access(told):
    return Access(OPTIONS, Roles({"viewer": (), "admin": ["viewer"]}), audit=told.append)


@pytest.fixture
def app(access):
    app = FastAPI(openapi_url="/openapi.json")
    app.state.shop = Shop(access, Rates(RateOptions(reads=6, per_s=3600)))
    add_problem_handlers(app, facts=("shelf",), also=(ConnectionRefusedError,), document=ShelfProblem, amend=amend)
    raised = {
        "missing": ResourceNotFoundError("There is no shelf 'x'.", shelf="x", secret="hunter2"),
        "changed": ShelfChangedError("Somebody was first."),
        "away": UnavailableError("The worker of shelves is away."),
        "often": ThrottledError("Ask less often.", retry_after=timedelta(seconds=9)),
        "refused": ConnectionRefusedError(111, "refused"),
        "http": HTTPException(418, "I am a teapot."),
    }

    @app.get("/raise/{name}", responses=DESCRIPTION.documented(404, 412))
    async def fail(name: str) -> None:
        raise raised[name]

    @app.get("/asked", responses=DESCRIPTION.changes())
    async def asked(caller: Annotated[Caller, Depends(asking)], n: Annotated[int, Query(ge=1)] = 1) -> dict[str, str]:
        return {"key": caller.key, "id": request_id_of(caller.request), "n": str(n)}

    @app.get("/admin")
    async def admin(caller: Annotated[Caller, Depends(asking)]) -> None:
        raise caller.refused("admin", "north")

    @app.get("/open", responses=DESCRIPTION.documented(open_to_all=True))
    async def open_to_all() -> None:
        return None

    DESCRIPTION.describe(app, access)
    return app


@pytest.fixture
async def client(app, access):
    transport = httpx.ASGITransport(Answers(access.protect(app)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        client.headers["Authorization"] = f"Bearer {access.sign_in.key}"
        yield client


async def test_failures_are_problems_with_the_facts_that_may_be_seen(client):
    answer = await client.get("/raise/missing", headers={REQUEST_ID: "mine-1"})

    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.headers[REQUEST_ID] == "mine-1"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem.pop("type")
    assert problem == {
        "title": "Not Found",
        "status": 404,
        "detail": "There is no shelf 'x'.",
        "instance": "/raise/missing",
        "kind": "resource_not_found",
        "code": "resource_not_found",
        "requestId": "mine-1",
        "facts": {"shelf": "x"},
    }


async def test_an_application_may_say_more_of_an_exception_and_change_its_status(client):
    plain, conditional = [await client.get("/raise/changed", headers=headers) for headers in ({}, {"If-Match": '"6"'})]

    assert (plain.status_code, plain.json()["title"]) == (409, "Conflict")
    assert (conditional.status_code, conditional.json()["title"]) == (412, "Precondition Failed")
    assert (conditional.json()["shelf"], conditional.json()["status"]) == ("north", 412)
    assert conditional.headers["etag"] == '"7"'


async def test_what_is_away_says_which_and_when_to_come_back(client):
    away, often, refused = [await client.get(f"/raise/{name}") for name in ("away", "often", "refused")]

    assert (away.status_code, away.json()["detail"]) == (503, "The worker of shelves is away.")
    assert away.headers["retry-after"] == "5"
    assert (often.status_code, often.headers["retry-after"]) == (429, "9")
    assert refused.json()["detail"] == "The warehouse does not answer."


@pytest.mark.parametrize(
    ("path", "status", "code", "said"),
    [
        ("/nowhere", 404, "http.404", "openapi.json says what there is"),
        ("/raise/http", 418, "http.418", "I am a teapot."),
        ("/asked?n=0", 422, "request.not_valid", "query/n: Input should be greater than or equal to 1"),
    ],
)
async def test_refusals_of_the_framework_are_problems_too(client, path, status, code, said):
    answer = await client.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert answer.json()["code"] == code
    assert said in answer.json()["detail"]
    assert answer.json()["requestId"] == answer.headers[REQUEST_ID]


async def test_refusals_of_the_access_layer_are_problems_too_and_told_once(client, told):
    unknown = await client.get("/asked", headers={"Authorization": ""})
    foreign = await client.get("/asked", headers={"Host": "elsewhere.example"})
    refused = await client.get("/admin")

    for answer, status, code in (
        (unknown, 401, "access.not_signed_in"),
        (foreign, 403, "access.foreign_request"),
        (refused, 403, "access.not_permitted"),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
        assert answer.json()["code"] == code
        assert answer.json()["requestId"] == answer.headers[REQUEST_ID]
    assert refused.json()["detail"].endswith("does not have the role 'admin' on 'north'. Ask whoever gives out roles.")
    assert [event.outcome for event in told] == [
        "access.not_signed_in",
        "access.foreign_request",
        "access.not_permitted",
    ]


async def test_an_id_that_is_not_plain_is_replaced(client):
    answer = await client.get("/open", headers={REQUEST_ID: "<script>"})

    assert len(answer.headers[REQUEST_ID]) == 32


async def test_callers_are_counted_each_for_itself(client, app):
    answers = [await client.get("/asked") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[0].json()["key"].startswith("key:")
    assert (answers[-1].json()["code"], answers[-1].json()["retryable"]) == ("throttle", True)
    assert int(answers[-1].headers["retry-after"]) == 600
    await app.state.shop.rates.take("somebody else", "reads")


async def test_who_asked_least_recently_is_forgotten_first():
    rates = Rates(RateOptions(reads=1, per_s=3600, callers=2))
    for caller in ("a", "b", "c"):
        await rates.take(caller, "reads")
    await rates.take("a", "reads")
    with pytest.raises(ThrottledError):
        await rates.take("c", "reads")


async def test_the_description_says_what_is_answered_and_how_to_sign_in(client):
    document = (await client.get("/openapi.json")).json()

    assert document["info"]["title"] == "Shop"
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "shop"},
    }
    problem = document["components"]["schemas"]["ProblemDocument"]
    assert "shelf" in problem["properties"]
    assert "requestId" in problem["properties"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    failing = document["paths"]["/raise/{name}"]["get"]
    assert failing["responses"]["412"]["description"] == ("Precondition Failed. The shelf is not what the caller saw.")
    assert failing["security"] == [{"bearer": []}, {"cookie": []}]
    assert "Retry-After" in failing["responses"]["429"]["headers"]
    assert {"404", "409"} <= document["paths"]["/asked"]["get"]["responses"].keys()
    open_to_all = document["paths"]["/open"]["get"]
    assert "401" not in open_to_all["responses"]
    assert "security" not in open_to_all
