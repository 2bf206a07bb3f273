"""The command as people and CI run it: what it prints, and how it ends."""

import json
import re

import pytest
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

SAMPLE = ("--service", "sample-worker")


def test_the_whole_examination_is_printed_and_what_is_safe_is_fixed(doctor):
    before = doctor.call(*SAMPLE)
    fixed = doctor.call(*SAMPLE, "--fix", "--json")

    assert (before.returncode, fixed.returncode) == (1, 0)
    assert "\x1b" not in before.stdout
    assert re.search(rf"^problem  search-attributes  {doctor.attribute}: is missing", before.stdout, re.MULTILINE)
    assert before.stdout.splitlines()[-1].endswith(" --fix can put 1 right.")
    checks = list(dict.fromkeys(json.loads(line)["check"] for line in fixed.stdout.splitlines()))
    assert checks == [
        "environment",
        "server",
        "clock",
        "services",
        "options",
        "search-attributes",
        "queues",
        "registrations",
        "machine",
        "blocking",
        "event-loop",
    ]


def test_the_server_of_up_is_found_by_its_data_folder(doctor):
    address = doctor.environ.pop("TEMPORAL_ADDRESS")
    (doctor.folder / ".trenova").mkdir()
    (doctor.folder / ".trenova" / "temporal.toml").write_text(
        f'[profile.default]\naddress = "{address}"\nnamespace = "default"\n'
    )
    ended = doctor.call("--only", "server", *SAMPLE)

    assert ended.returncode == 0
    assert f"{address} (from .trenova/temporal.toml): Temporal 1." in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "horoscope"), "There is no check 'horoscope'; there are environment, server, "),
        (("--service", "nobody"), "No worker 'nobody' is installed; there are "),
    ],
)
def test_who_asks_for_what_is_not_there_gets_2(doctor, arguments, message):
    ended = CliRunner().invoke(workers_app(), ["doctor", *arguments])

    assert ended.exit_code == 2
    assert message in ended.stderr
