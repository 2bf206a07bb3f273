import socket

import pytest

from trenova_workers._up._options import UpError
from trenova_workers._up._pools import manager_port, read_pools
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


@pytest.mark.parametrize("told", ["0", "-1", "two"])
def test_what_is_neither_a_number_nor_a_file_is_refused_by_the_name_of_the_option(tmp_path, told):
    with pytest.raises(UpError, match=rf"--pools takes the most workers .* got '{told}'"):
        read_pools(told, [], tmp_path)
    assert list(tmp_path.iterdir()) == []
