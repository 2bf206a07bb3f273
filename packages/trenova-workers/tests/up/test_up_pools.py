import socket

from trenova_workers._up._pools import manager_port
from trenova_workers._up._ports import free_ports


def test_the_api_of_pools_listens_at_the_third_port_after_the_ui_while_that_is_free():
    port = free_ports(1)[0]
    ui = port - 3
    assert manager_port(ui, {ui, ui + 1, ui + 2}) == port
    with socket.create_server(("127.0.0.1", port)):
        assert manager_port(ui, {ui, ui + 1, ui + 2}) != port
    assert manager_port(ui, {port}) != port


def test_with_a_free_port_for_the_ui_that_of_pools_is_a_free_one_too():
    assert manager_port(0, {0}) > 1024
