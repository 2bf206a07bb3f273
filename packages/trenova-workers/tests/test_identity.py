import socket

import pytest
from pydantic import ValidationError

from trenova_workers import Identity, host_of, parse_identity


def test_an_identity_is_read_back_from_its_text():
    mine = Identity.of_this_process("shipment-worker", host="shipment-6d4b-x2k", build_id="1.4.0")

    assert mine.text == f"shipment-worker@shipment-6d4b-x2k:{mine.pid}#{mine.instance}"
    assert parse_identity(mine.text, build_id="1.4.0") == mine
    assert parse_identity(mine.text).fields() == {
        "service": "shipment-worker",
        "host": "shipment-6d4b-x2k",
        "pid": str(mine.pid),
        "instance": mine.instance,
    }


def test_each_process_is_new_even_with_the_pid_of_another():
    assert len({Identity.of_this_process("s").text for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "4711@host",
        "4711@host@queue",
        "temporal-cli:root@host",
        "a@b:0#abcdef",
        "a@b:1#ab",
        "a@b:1#abcdef\n",
        "a@b#c:1",
    ],
)
def test_the_identity_of_anything_else_is_none_of_ours(foreign):
    assert parse_identity(foreign) is None


def test_a_host_that_would_spoil_the_text_is_made_to_fit():
    assert parse_identity(Identity.of_this_process("s", host="a@b #c").text).host == "a-b-c"
    with pytest.raises(ValidationError):
        Identity.of_this_process("two words")


def test_a_pod_is_called_by_its_own_name():
    assert host_of({"POD_NAME": "pod", "HOSTNAME": "host"}) == "pod"
    assert host_of({"POD_NAME": "", "HOSTNAME": "host"}) == "host"
    assert host_of({}) is None
    assert Identity.of_this_process("s", host=None).host == socket.gethostname()
