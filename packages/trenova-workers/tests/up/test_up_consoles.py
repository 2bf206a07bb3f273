import json
import os
import re
import signal
import socket
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from trenova_workers._up._consoles import GROUP, ConsoleService, console_ports, installed_consoles
from trenova_workers._up._options import Options, UpError
from trenova_workers._up._ports import free_ports


class Package(Distribution):
    """The metadata of a package whose extra [server] needs `needs`."""

    def __init__(self, *needs):
        self._needs = needs

    def read_text(self, filename):
        if filename != "METADATA":
            return None
        needed = [f"Requires-Dist: {name} ; extra == 'server'" for name in self._needs]
        return "\n".join(["Metadata-Version: 2.1", "Name: some", "Version: 1", "Requires-Dist: no-such-thing", *needed])

    def locate_file(self, path):
        raise NotImplementedError


def point(name, value, *needs):
    return EntryPoint(name, value, GROUP)._for(Package(*needs))


def test_consoles_come_by_name_each_once():
    found = [point("b", "b_console"), point("a", "a.console"), point("a", "a.console")]

    assert installed_consoles(found) == [ConsoleService("a", "a.console"), ConsoleService("b", "b_console")]


def test_a_console_whose_extra_is_not_installed_is_left_out():
    assert installed_consoles([point("a", "a [server]", "no-such-thing>=1")]) == []
    assert installed_consoles([point("a", "a [server]", "pytest>=1", "no-such-thing")]) == []
    assert installed_consoles([point("a", "a [server]", "pytest>=1", "typing_extensions")])


def test_one_name_for_two_modules_is_refused():
    with pytest.raises(UpError, match="Two packages declare a console 'a': modules one and two"):
        installed_consoles([point("a", "one"), point("a", "two")])


def test_a_console_is_told_where_to_listen_and_its_link_is_in_the_table(stage):
    stage.add("some-worker")
    stage.add_console("some-console", ready_after=0.3)

    up = stage.up()
    up.until_ready()

    assert re.search(r"^console +open in a browser +pid +state +start", up.printed, re.MULTILINE)
    row = up.until(r"^some-console +(http://127\.0\.0\.1:(\d+)/sign-in#(\d+)) +(\d+) +ready +\d+\.\d\d s")
    assert row[3] == row[4]
    with socket.create_connection(("127.0.0.1", int(row[2]))):
        pass
    told = json.loads(up.until(r"console environ (\{.*\})")[1])
    ui = up.until(r"^Temporal UI      http://127\.0\.0\.1:(\d+)$")[1]
    assert told["TRENOVA_CONSOLE__ORIGINS"] == f"http://127.0.0.1:{ui},http://localhost:{ui}"
    assert told["TRENOVA_CONSOLE__FILE"] == str(stage.data_dir / "consoles" / "some-console.json")
    assert told["TRENOVA_DATA_DIR"] == str(stage.data_dir)
    assert told["TEMPORAL_ADDRESS"] == up.until(r"^Temporal server  (\S+),")[1]
    assert "codec" not in _server_command(stage)
    assert up.end(signal.SIGTERM) == 0
    assert [note["what"] for note in stage.notes(verb="console")] == ["begins", "ends"]


def test_the_codec_server_is_handed_to_the_temporal_ui(stage):
    stage.add("some-worker")
    stage.add_console("codec-server")

    up = stage.up()
    up.until_ready()

    port = up.until(r"^codec-server +http://127\.0\.0\.1:(\d+)/sign-in")[1]
    assert f"--ui-codec-endpoint http://127.0.0.1:{port}" in _server_command(stage)
    assert up.end(signal.SIGTERM) == 0


def test_consoles_serve_until_the_last_worker_has_drained(stage):
    stage.add("some-worker", drain_takes=0.5)
    stage.add_console("some-console")
    up = stage.up()
    up.until_ready()

    assert up.end(signal.SIGTERM) == 0

    ends = [(note["name"], note["what"]) for note in stage.notes() if note.get("verb") in {"run", "console"}]
    assert ends[-3:] == [("some-worker", "drains"), ("some-worker", "ends"), ("some-console", "ends")]


def test_a_console_listens_where_it_is_told_to(stage):
    stage.add("some-worker")
    stage.add_console("some-console")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = stage.up(console_ports={"some-console": port})
        assert refused.end() == 1
        assert f"Port {port} for some-console is taken" in refused.printed
        assert "Choose another with --console-port some-console=PORT, or a free one" in refused.printed
        assert "or a free one with --console-port some-console=0." in refused.printed

    up = stage.up(console_ports={"some-console": port})

    up.until(rf"^some-console +http://127\.0\.0\.1:{port}/sign-in")
    assert up.end(signal.SIGTERM) == 0
    other = stage.up(console_ports={"another": 1})
    assert other.end() == 1
    assert "No console 'another' is installed; there are some-console." in other.printed


def test_codec_server_and_dashboard_stand_beside_the_ui_where_browsers_find_them_again():
    options = Options(data_dir=Path(), environ={}, server_binary=Path(), ui_port=free_ports(1)[0])
    consoles = [ConsoleService("a", "m"), ConsoleService("codec-server", "m"), ConsoleService("dashboard", "m")]

    ports = console_ports(options, consoles)

    assert ports["codec-server"] == options.ui_port + 1
    assert ports["dashboard"] == options.ui_port + 2
    assert ports["a"] not in {options.port, *range(options.ui_port, options.ui_port + 3)}
    assert console_ports(replace(options, ui_port=0), consoles)["codec-server"] != 1
    told = console_ports(replace(options, console_ports={"codec-server": 0}), consoles)
    assert told["codec-server"] not in {0, options.ui_port + 1}


def test_a_console_that_dies_is_started_again_at_its_address_and_its_new_link_is_said(stage):
    stage.add("some-worker")
    stage.add_console("some-console")
    up = stage.up(limits={"first_delay": 0.1})
    up.until_ready()
    first = up.until(r"^some-console +(\S+)/sign-in#(\d+)")

    os.kill(int(first[2]), signal.SIGKILL)

    again = up.until(r"some-console is at (\S+)/sign-in#(\d+)")
    assert again[1] == first[1]
    assert again[2] != first[2]
    assert up.end(signal.SIGTERM) == 0


def test_a_console_that_only_crashes_is_given_up_while_the_workers_go_on(stage):
    stage.add("some-worker")
    stage.add_console("bad-console", crashes=True)

    up = stage.up(limits={"first_delay": 0.05, "crashes": 3})

    up.until(r"bad-console ended with status 3, 3 times within 60 s; it is not started again")
    up.until(r"^some-worker +some-worker-queue +\d+ +ready")
    up.until(r"^bad-console +http://127\.0\.0\.1:\d+ +- +failed")
    up.until(r"^Not all ready after")
    assert up.end(signal.SIGTERM) == 1


def _server_command(stage):
    return (stage.data_dir / "temporal-server.log").read_text().splitlines()[0]
