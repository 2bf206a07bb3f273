"""Where somebody comes back to after a sign-in."""

import pytest
from starlette.requests import Request

from trenova_access import sign_in_path


def asked(path="/", *, method="GET", query="", root="", **headers):
    return Request(
        {
            "type": "http",
            "method": method,
            "path": f"{root}{path}",
            "raw_path": f"{root}{path}".encode("utf-8", "surrogateescape"),
            "root_path": root,
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
    )


@pytest.mark.parametrize(
    ("request_", "address"),
    [
        (
            asked("/schedules/a%2Fb", query="page=2&q=x%20y"),
            "/sign-in?next=%2Fschedules%2Fa%252Fb%3Fpage%3D2%26q%3Dx%2520y",
        ),
        (asked("/"), "/sign-in?next=%2F"),
        (asked("/pages/1", root="/jobs"), "/jobs/sign-in?next=%2Fjobs%2Fpages%2F1"),
        (asked("/pages/1", method="POST"), "/sign-in"),
        (asked("//evil.example.com"), "/sign-in"),
        (asked("/\\evil.example.com"), "/sign-in"),
        (asked(f"/{'a' * 1000}"), "/sign-in"),
    ],
)
def test_a_page_is_come_back_to_and_a_form_is_not(request_, address):
    assert sign_in_path(request_) == address


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("http://127.0.0.1:8235/schedules/a?tab=runs#x", "/sign-in?next=%2Fschedules%2Fa%3Ftab%3Druns"),
        ("https://evil.example.com//evil.example.com/", "/sign-in"),
        ("https://evil.example.com/somewhere", "/sign-in?next=%2Fsomewhere"),
        ("http://[", "/sign-in"),
        ("javascript:alert(1)", "/sign-in"),
        ("", "/sign-in"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_part_of_a_page_leads_back_to_the_page_around_it(page, address, method):
    request = asked("/parts/rows", method=method, query="x=1", hx_request="true", hx_current_url=page)
    assert sign_in_path(request) == address


def test_a_link_that_htmx_follows_leads_back_to_where_it_leads():
    request = asked("/b", hx_request="true", hx_boosted="true", hx_current_url="http://127.0.0.1/a")
    assert sign_in_path(request) == "/sign-in?next=%2Fb"


def test_a_part_that_does_not_say_of_which_page_leads_back_to_none():
    assert sign_in_path(asked("/parts/rows", hx_request="true")) == "/sign-in"


def test_a_server_that_does_not_tell_the_raw_path_is_no_obstacle():
    request = asked("/a b")
    del request.scope["raw_path"]
    assert sign_in_path(request) == "/sign-in?next=%2Fa%2520b"
