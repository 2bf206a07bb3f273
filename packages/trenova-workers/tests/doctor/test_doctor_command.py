import json
import socket
import time
import uuid
from contextlib import contextmanager

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest

from trenova_workers._search_attributes import register_search_attributes, registered_attributes

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT


def of(found, check, severity=None):
    return [one for one in found if one["check"] == check and severity in (None, one["severity"])]


async def remove(client, *names):
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=names)
    )


async def test_a_missing_search_attribute_is_a_problem_until_it_is_fixed(doctor, client):
    before = doctor.look("--only", "search-attributes")
    fixed = doctor.look("--only", "search-attributes", "--fix")
    after = doctor.look("--only", "search-attributes")
    there = await registered_attributes(client)
    await remove(client, doctor.attribute)

    assert before[0] == 1
    [missing] = before[1]
    assert (missing["severity"], missing["subject"], missing["fixable"]) == ("problem", doctor.attribute, True)
    assert "is missing, sample-worker needs it as Keyword" in missing["found"]
    assert fixed[0] == 0
    assert fixed[1][0]["fixed"] == f"registered {doctor.attribute} as Keyword in namespace default"
    assert after == (
        0,
        [
            {
                "check": "search-attributes",
                "severity": "ok",
                "subject": doctor.attribute,
                "found": "Keyword",
                "advice": "",
                "fixable": False,
                "fixed": "",
            }
        ],
    )
    assert there[doctor.attribute] == KEYWORD


async def test_a_search_attribute_of_another_type_is_a_problem_that_fix_leaves_alone(doctor, client):
    await register_search_attributes(client, {doctor.attribute: INT})
    status, [found] = doctor.look("--only", "search-attributes", "--fix")
    there = await registered_attributes(client)
    await remove(client, doctor.attribute)

    assert (status, found["severity"], found["fixable"]) == (1, "problem", False)
    assert "is Int, sample-worker needs Keyword" in found["found"]
    assert f"--name {doctor.attribute}" in found["advice"]
    assert there[doctor.attribute] == INT


async def test_a_namespace_without_room_for_an_attribute_is_told_before_the_server_refuses(doctor, client):
    there = await registered_attributes(client, system=False)
    fill = [f"Fill{uuid.uuid4().hex[:6]}" for _ in range(10 - sum(kind == KEYWORD for kind in there.values()))]
    await register_search_attributes(client, dict.fromkeys(fill, KEYWORD))
    status, found = doctor.look("--only", "search-attributes", "--fix")
    await remove(client, *fill)

    assert status == 1
    assert [one["subject"] for one in found] == [doctor.attribute, "Keyword"]
    assert "fixing it failed" in found[0]["found"]
    assert "10 of 10 attributes of this type are taken, 1 more are needed" in found[1]["found"]


def test_a_queue_needs_pollers_only_when_workers_are_meant_to_be_up(doctor, sample):
    idle = doctor.look("--only", "queues")
    expected = doctor.look("--only", "queues", "--expect-running")
    child = sample.start("run")
    child.until_ready()
    served = doctor.look("--only", "queues", "--expect-running")
    child.process.kill()
    child.process.wait()
    gone = doctor.look("--only", "queues", "--expect-running")

    assert (idle[0], of(idle[1], "queues")[0]["severity"]) == (0, "warning")
    assert (expected[0], expected[1][0]["severity"]) == (1, "problem")
    assert served[1][0]["found"] == "1 worker of sample-worker"
    assert served[0] == 0
    assert gone[0] == 1
    assert f"gone: sample-worker@{socket.gethostname()}:{child.process.pid}#" in gone[1][0]["found"]


def test_a_service_is_asked_and_its_own_findings_are_told(doctor):
    well = doctor.look("--only", "services")
    amiss = doctor.look("--only", "services", SAMPLE_WORKER_REFUSE="true")
    refused = doctor.look("--only", "services", SAMPLE_WORKER_STOER__URL="x")

    assert (well[0], [one["found"] for one in well[1]]) == (0, ["has every column"])
    assert (amiss[0], amiss[1][0]["subject"], amiss[1][0]["severity"]) == (1, "sample-worker: store", "problem")
    assert refused[0] == 1
    assert "Did you mean 'store'?" in refused[1][0]["found"]
    assert "python -m sample_worker config show" in refused[1][0]["advice"]


def test_a_service_that_breaks_does_not_keep_others_from_being_looked_at(doctor):
    doctor.install("broken-worker", "broken_worker")
    doctor.write("broken_worker", "raise RuntimeError('no such table')\n")
    doctor.install("silent-worker", "silent_worker")
    doctor.write("silent_worker", "print('hello')\n")
    status, found = doctor.look("--only", "services", "--service", "broken-worker", "--service", "silent-worker")

    assert status == 1
    assert {one["subject"]: one["severity"] for one in found} == {
        "broken-worker": "problem",
        "silent-worker": "problem",
        "sample-worker: store": "ok",
    }
    assert "no such table" in of(found, "services", "problem")[0]["found"]


def test_misspelt_variables_are_named_with_what_was_meant(doctor):
    well = doctor.look("--only", "environment")
    status, found = doctor.look(
        "--only", "environment", TEMPORAL_ADRESS="x:1", TRENOVA_WROKER__MAX_ACTIVITIES="5", TEMPORAL_CLI_SHOW="1"
    )

    assert well[0] == 0
    assert {one["severity"] for one in well[1]} == {"ok"}
    assert status == 0
    assert {one["subject"]: one["advice"] for one in of(found, "environment", "warning")} == {
        "TEMPORAL_ADRESS": "Did you mean TEMPORAL_ADDRESS?",
        "TRENOVA_WROKER__MAX_ACTIVITIES": "Did you mean TRENOVA_WORKER__MAX_ACTIVITIES?",
    }


def test_a_profile_that_cannot_be_read_or_holds_unknown_words_is_told(doctor):
    file = doctor.folder / "temporal.toml"
    file.write_text('[profile.default]\nadress = "x:1"\n')
    unknown = doctor.look("--only", "environment", "--offline", TEMPORAL_CONFIG_FILE=str(file))
    missing = doctor.look("--only", "environment", "--offline", TEMPORAL_CONFIG_FILE="nowhere.toml")
    url = doctor.look("--only", "environment", "--offline", TEMPORAL_ADDRESS="http://x:7233")

    assert (unknown[0], of(unknown[1], "environment", "warning")[0]["subject"]) == (0, "profile")
    assert "adress" in of(unknown[1], "environment", "warning")[0]["found"]
    assert missing[0] == 1
    assert "nowhere.toml" in of(missing[1], "environment", "problem")[0]["found"]
    assert (url[0], "is a URL" in of(url[1], "environment", "problem")[0]["found"]) == (1, True)


def test_versions_that_do_not_fit_are_a_problem(doctor):
    doctor.install("old-worker", "old_worker", "temporalio<1.0", "never-heard-of-it", 'absent; extra == "x"')
    status, found = doctor.look("--only", "environment", "--service", "old-worker")

    assert status == 1
    [lacks] = of(found, "environment", "problem")
    assert lacks["subject"] == "old-worker"
    assert "needs temporalio<1.0, installed is" in lacks["found"]
    assert "never-heard-of-it, which is not installed" in lacks["found"]
    assert "absent" not in lacks["found"]


def test_blocking_calls_in_async_functions_are_shown_with_their_place(doctor):
    well = doctor.look("--only", "blocking")
    doctor.install("slow-worker", "slow_worker")
    doctor.write(
        "slow_worker",
        "import time\n\n\nasync def nap():\n    time.sleep(1)\n\n\ndef block():\n    time.sleep(1)\n",
    )
    doctor.install("reading-worker", "reading_worker")
    doctor.write("reading_worker", "async def read():\n    with open('x') as file:\n        return file.name\n")
    status, found = doctor.look("--only", "blocking", service="slow-worker")
    warned = doctor.look("--only", "blocking", service="reading-worker")

    assert (well[0], well[1][0]["severity"]) == (0, "ok")
    assert (status, found[0]["severity"]) == (1, "problem")
    assert found[0]["found"].startswith("slow_worker.py:5 ASYNC251")
    assert (warned[0], warned[1][0]["severity"]) == (0, "warning")


def test_a_worker_whose_loop_is_held_up_is_found_by_its_process(doctor, sample, request):
    none = doctor.look("--only", "event-loop")
    child = sample.start("run", SAMPLE_WORKER_HOLD_UP_S="1.5")
    child.until_ready()
    status, found = doctor.look("--only", "event-loop")
    mine = [one for one in found if f"pid {child.process.pid}" in one["subject"]]

    assert none[0] == 0
    assert status == 1
    assert mine[0]["severity"] == "problem"
    assert float(mine[0]["found"].split()[2]) >= 1
    [line] = [line for line in child.logged() if "event loop is blocked" in line["event"]]
    assert "time.sleep" in line["stack"]


def test_the_server_is_described(doctor):
    status, found = doctor.look("--only", "server")

    assert status == 0
    assert [(one["severity"], one["subject"]) for one in found] == [
        ("ok", doctor.environ["TEMPORAL_ADDRESS"]),
        ("ok", "default"),
        ("ok", "default"),
        ("warning", "matching.enableFairness"),
    ]
    assert found[0]["found"].startswith("Temporal 1.")


def test_without_a_server_the_rest_is_looked_at(doctor):
    status, found = doctor.look(TEMPORAL_ADDRESS="127.0.0.1:1")

    assert status == 1
    assert [one["check"] for one in of(found, "server")] == ["server"]
    assert "No Temporal server at '127.0.0.1:1' lets us in" in of(found, "server", "problem")[0]["found"]
    for check in ("clock", "search-attributes", "queues"):
        assert [one["found"] for one in of(found, check)] == ["the server does not answer"]
    assert of(found, "services")[0]["severity"] == "ok"


def test_a_namespace_that_is_not_there_is_told_with_how_to_make_it(doctor):
    status, found = doctor.look("--only", "server", TEMPORAL_NAMESPACE="nowhere")

    assert status == 1
    assert "temporal operator namespace create -n nowhere" in found[0]["found"]


@contextmanager
def listening():
    """A port that takes connections and says nothing."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one


def test_offline_opens_no_connection(doctor):
    with listening() as port:
        status, found = doctor.look("--offline", TEMPORAL_ADDRESS=f"127.0.0.1:{port.getsockname()[1]}")
        port.setblocking(False)
        with pytest.raises(BlockingIOError):
            port.accept()

    assert status == 0
    for check in ("server", "clock", "search-attributes", "queues"):
        assert {one["severity"] for one in of(found, check)} == {"skipped"}


def test_the_server_of_up_is_found_by_its_data_folder(doctor):
    address = doctor.environ.pop("TEMPORAL_ADDRESS")
    (doctor.folder / ".trenova").mkdir()
    (doctor.folder / ".trenova" / "temporal.toml").write_text(
        f'[profile.default]\naddress = "{address}"\nnamespace = "default"\n'
    )
    status, found = doctor.look("--only", "server")

    assert status == 0
    assert found[0]["subject"] == f"{address} (from .trenova/temporal.toml)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "horoscope"), "There is no check 'horoscope'; there are environment, server, "),
        (("--service", "nobody"), "No worker 'nobody' is installed; there are "),
    ],
)
def test_who_asks_for_what_is_not_there_gets_2(doctor, arguments, message):
    ended = doctor.call(*arguments)

    assert ended.returncode == 2
    assert message in ended.stderr


def test_the_whole_examination_is_quick_enough_to_be_run_often(doctor):
    begun = time.monotonic()
    status, found = doctor.look("--fix")

    assert time.monotonic() - begun < 30
    assert status == 0
    assert json.dumps(found)
