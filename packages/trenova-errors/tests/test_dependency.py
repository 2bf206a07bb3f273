import httpx
import requests
import sqlalchemy.exc

from trenova_errors import UnavailableError, classify
from trenova_errors._dependency import dependency_of
from trenova_errors._metrics import Names


def _of(error):
    return dependency_of(classify(error), "send_offer")


def test_an_http_request_names_its_host():
    request = httpx.Request("POST", "https://user:secret@carrier.example:8443/offers?key=secret")
    prepared = requests.Request("GET", "https://maps.example/route").prepare()

    assert _of(httpx.ConnectError("refused", request=request)) == "carrier.example"
    assert _of(requests.exceptions.ConnectionError(request=prepared)) == "maps.example"


def test_an_exception_without_a_request_names_its_library():
    assert _of(httpx.ConnectError("refused")) == "httpx"
    assert _of(sqlalchemy.exc.TimeoutError()) == "sqlalchemy"


def test_what_belongs_to_no_library_goes_by_the_type_of_its_activity():
    assert _of(ConnectionRefusedError(111, "refused")) == "send_offer"
    assert _of(UnavailableError("down")) == "send_offer"


def test_labels_are_bounded():
    names = Names(most=2)

    assert [names.bounded(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]
