"""What an operator gets wrong about rings, keys and days, each with what the command says to that."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from typer.testing import CliRunner

from trenova_codecs import CodecPlugin, KeyRing
from trenova_codecs._attestation_round import Attested, Holding
from trenova_codecs._cli_attest import sentence, show_attested
from trenova_codecs._counted import counted
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._live_workers import WorkerProcess
from trenova_codecs.cli import app

RING = ".trenova/keyring.json"
COMMAND = str(Path(sys.executable).with_name("trenova-codecs"))


class Outcome:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Run ``trenova-codecs keys`` in an empty folder, with nothing said about rings but what a test says."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRENOVA_CODECS_RING", "TRENOVA_DATA_DIR", "TRENOVA_SERVER_DATABASE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words, stdin="", **environ):
        done = CliRunner().invoke(app, ["keys", *words], input=stdin, env={"COLUMNS": "200", **environ})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


def today(days=0):
    return datetime.now(UTC).date() + timedelta(days=days)


def test_no_ring_is_made_beside_a_server_database_unless_it_is_adopted(keys, tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "temporal.db").write_bytes(b"histories")
    for words, environ in (
        (["--ring", str(data / "keyring.json")], {}),
        (["--id", "k7"], {"TRENOVA_DATA_DIR": str(data)}),
    ):
        refused = keys("init", *words, **environ)
        assert refused.status == 2
        assert f"stored payloads in '{data / 'temporal.db'}'" in refused.err
        assert f"keys init --adopt --ring {data / 'keyring.json'}" in refused.err
        assert not (data / "keyring.json").exists()

    assert keys("init", "--adopt", TRENOVA_DATA_DIR=str(data)).status == 0
    assert KeyRing.from_file(data / "keyring.json").plaintext_until == today(90)


def test_a_lost_ring_is_begun_anew_beside_its_archive_without_letting_plain_payloads_pass(keys, tmp_path):
    (tmp_path / ".trenova").mkdir(mode=0o700)
    keys("init")
    keys("add")
    keys("promote", "k2", "--skip-workers", "--i-have-updated")
    assert keys("retire", "k1", "--skip-usage").status == 0
    (tmp_path / ".trenova/keyring.json").unlink()
    (tmp_path / ".trenova/temporal.db").write_bytes(b"histories")

    assert "keys were retired here" in keys("init").err
    assert keys("init", "--id", "k7").status == 0
    assert KeyRing.from_file(tmp_path / ".trenova/keyring.json").plaintext_until is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init", "--until", str(today(5))], "--until is how long --adopt accepts"),
        (["init", "--adopt", "--until", "2099-01-01"], "at most 90 are taken"),
        (["init", "--adopt", "--until", str(today(91))], "is 91 days ahead; at most 90 are taken"),
        (["init", "--adopt", "--until", str(today(-1))], "is past"),
        (["init", "--id", "bad id"], "this one has 6, with ' '"),
        (["init", "--id", ""], "this one has 0"),
        (["init", "--id", "x" * 65], "this one has 65"),
    ],
)
def test_a_beginning_that_is_wrong_is_refused_and_leaves_nothing(keys, tmp_path, words, said):
    refused = keys(*words)
    assert refused.status == 2
    assert said in refused.err
    assert list(tmp_path.rglob("*.json")) == []


def test_the_day_of_a_ring_that_is_there_is_bounded_too(keys):
    keys("init")
    assert keys("adopt", "--until", str(today(90))).status == 0
    too_far = keys("adopt", "--until", str(today(91)))
    assert too_far.status == 2
    assert "'keys adopt --until' moves the day again" in too_far.err


def test_ending_the_exemption_says_what_it_ended_and_what_it_did_not(keys):
    keys("init", "--adopt")
    ended = keys("adopt", "--end")
    assert ended.status == 0
    assert f"Ended: the ring's exemption, which was to last to {today(90)}" in ended.out
    for part in ("It did not end", "on_plaintext: warn", "__CODEC__ENCRYPTION__ON_PLAINTEXT=reject", "plaintext_until"):
        assert part.replace("__CODEC", "_CODEC") in ended.out

    again = keys("adopt", "--end")
    assert "nothing was ended" in again.out
    assert "on_plaintext: warn" in again.out


@pytest.mark.parametrize("key_id", ["bad id", "", "ä", "x" * 65, "a/b"])
@pytest.mark.parametrize("more", [[], ["--from-stdin"]])
def test_an_id_that_is_none_is_refused_without_being_repeated(keys, key_id, more):
    keys("init")
    refused = keys("add", key_id, *more, stdin=write_base64(new_secret()))
    assert refused.status == 2
    assert f"this one has {len(key_id)}" in refused.err
    assert len(key_id) < 2 or f"'{key_id}'" not in refused.err


def test_a_key_in_the_place_of_an_id_is_not_shown(keys):
    keys("init")
    key = write_base64(new_secret())
    refused = keys("add", key)
    assert refused.status == 2
    assert key[:8] not in refused.err


def test_legacy_ids_are_any_text_that_is_not_too_long(keys):
    keys("init")
    assert keys("add", "the old one", "--legacy", stdin="weak").status == 0
    assert "any 1 to 256 characters; this one has 257" in keys("add", "x" * 257, "--legacy", stdin="weak").err


def test_the_ring_of_the_data_folder_is_the_one_that_is_meant(keys, tmp_path):
    data = tmp_path / "data"
    assert keys("init", TRENOVA_DATA_DIR=str(data)).status == 0
    assert (data / "keyring.json").exists()
    assert keys("add", TRENOVA_DATA_DIR=str(data)).status == 0
    assert "k2" in keys("list", TRENOVA_DATA_DIR=str(data)).out

    named = keys("list", TRENOVA_DATA_DIR=str(data), TRENOVA_CODECS_RING="other.json")
    assert named.status == 2
    assert "There is no key ring 'other.json'" in named.err
    assert "TRENOVA_CODECS_RING names it." in named.err
    assert keys("list", "--ring", str(data / "keyring.json"), TRENOVA_CODECS_RING="other.json").status == 0


def test_an_error_says_which_ring_was_looked_for_and_why_that_one(keys, tmp_path):
    nowhere = keys("list")
    assert "'.trenova/keyring.json'" in nowhere.err
    assert f"neither --ring nor TRENOVA_CODECS_RING nor {PATH} nor TRENOVA_DATA_DIR" in nowhere.err
    folder = keys("list", TRENOVA_DATA_DIR="data")
    assert "'data/keyring.json'" in folder.err
    assert "the data folder (TRENOVA_DATA_DIR)" in folder.err

    keys("init")
    unknown = keys("promote", "k9", "--skip-workers", "--i-have-updated")
    assert "has no key 'k9'; it has k1" in unknown.err
    assert "The ring is '.trenova/keyring.json'" in unknown.err


def test_a_ring_without_active_key_says_what_to_do(keys, tmp_path):
    keys("init", "--ring", "ring.json")
    file = tmp_path / "ring.json"
    document = json.loads(file.read_text())
    document["keys"][0]["state"] = "revoked"
    file.write_text(json.dumps(document))
    kept = keys("list", "--ring", "ring.json")
    assert kept.status == 2
    assert "key 'k1' is revoked, but its material is there still" in kept.err

    del document["keys"][0]["material"]
    file.write_text(json.dumps(document))
    gone = keys("list", "--ring", "ring.json")
    assert gone.status == 0
    assert "no key to encrypt with; 'k1' is revoked" in gone.err
    assert "'keys promote'" in gone.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "--checkpoint", "seen.jsonl"], "--checkpoint is where --scan remembers"),
        (["retire", "k1", "--skip-usage", "--scan"], "--skip-usage looks into nothing"),
        (["promote", "k1", "--skip-workers", "--ignore-worker", "w"], "--skip-workers asks nobody"),
        (["add", "--legacy"], "--legacy needs the id"),
        (["adopt"], "Give either --until DATE or --end"),
        (["add", "--aws-kms", ""], "--aws-kms is empty"),
        (["add", "--aws-kms", "x", "--aws-endpoint-url", "nonsense", "--aws-region", "eu-west-1"], "is no URL"),
        (["attest", "k1", "--wait", "inf"], "less than or equal to 86400"),
        (["report", "--namespace", ""], "--namespace is empty"),
    ],
)
def test_options_that_would_say_nothing_are_refused(keys, words, said):
    keys("init")
    refused = keys(*words)
    assert refused.status == 2
    assert said in refused.err


def put(path: Path, content: bytes = b"", mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


WRONG = {
    "empty": (put, "is not a key ring"),
    "readable by others": (lambda path: put(path, b"{}", 0o644), "chmod 600"),
    "binary": (lambda path: put(path, os.urandom(64)), "is not a key ring"),
    "a folder": (lambda path: path.mkdir(), "is a directory"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere.json"), "is a link to nothing"),
    "a pipe": (lambda path: os.mkfifo(path, 0o600), "is not a regular file"),
}
COMMANDS = [
    ["list"],
    ["add"],
    ["adopt", "--end"],
    ["attest", "k1"],
    ["promote", "k1"],
    ["report"],
    ["retire", "k1"],
    ["revoke", "k1"],
    ["reencrypt-schedules"],
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_ring_that_is_none_is_refused_by_every_command(keys, tmp_path, wrong):
    make, said = WRONG[wrong]
    make(tmp_path / "ring.json")
    for words in COMMANDS:
        refused = keys(*words, "--ring", "ring.json")
        assert refused.status == 2, words
        assert said in " ".join(refused.err.replace("│", " ").split()), words


@pytest.mark.parametrize("command", ["init", "list"])
@pytest.mark.parametrize("name", ["x" * 300, "file/ring.json"])
def test_a_path_that_cannot_be_is_refused(keys, tmp_path, command, name):
    (tmp_path / "file").touch()
    refused = keys(command, "--ring", name)
    assert refused.status == 2
    assert "key ring" in refused.err or "cannot be" in refused.err


async def test_keys_that_are_added_at_the_same_time_get_an_id_each(keys, tmp_path):
    keys("init", "--ring", "ring.json")
    processes = [
        await asyncio.create_subprocess_exec(
            *(COMMAND, "keys", "add", "--ring", "ring.json"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )
        for _ in range(3)
    ]
    assert await asyncio.gather(*(asyncio.wait_for(process.wait(), 60) for process in processes)) == [0, 0, 0]
    assert KeyRing.from_file(tmp_path / "ring.json").ids() == ["k1", "k2", "k3", "k4"]


@pytest.mark.parametrize("more", [["--from-stdin"], ["old", "--legacy"]])
def test_a_key_that_is_no_text_is_refused(keys, more):
    keys("init")
    refused = keys("add", *more, stdin=b"\xff\xfe")
    assert refused.status == 2
    assert "stdin is no UTF-8 text" in refused.err


def test_a_key_that_is_there_is_not_restored_and_not_called_lost(keys):
    keys("init")
    refused = keys("restore", "k1")
    assert refused.status == 2
    assert "Key 'k1' is active; there is nothing to restore" in refused.err


@pytest.mark.parametrize("bring_back", [True, False])
def test_destroying_a_key_takes_it_out_of_the_archive_too(keys, tmp_path, bring_back):
    keys("init", "--ring", "ring.json")
    keys("add", "--ring", "ring.json")
    secret = write_base64(KeyRing.from_file("ring.json").active().reveal())
    keys("promote", "k2", "--skip-workers", "--i-have-updated", "--ring", "ring.json")
    keys("retire", "k1", "--skip-usage", "--ring", "ring.json")
    archive = tmp_path / "ring.archive.json"
    assert secret in archive.read_text()
    if bring_back:
        keys("restore", "k1", "--ring", "ring.json")

    gone = keys("revoke", "k1", "--destroy", "--ring", "ring.json")

    assert gone.status == 0
    assert "taken out of ring.archive.json" in gone.out
    assert secret not in archive.read_text() + (tmp_path / "ring.json").read_text()
    assert keys("restore", "k1", "--ring", "ring.json").status == 2


def test_a_server_that_cannot_be_reached_is_said_in_the_words_of_the_operating_system(keys, tmp_path):
    keys("init")
    away = keys("report", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert away.status == 1
    assert away.err.startswith("No Temporal server at '127.0.0.1:1' lets us in: Connection refused. Start one")
    (tmp_path / "profile.toml").write_text("nonsense")
    profile = keys("report", TEMPORAL_CONFIG_FILE="profile.toml")
    assert profile.status == 2
    assert profile.err.count("\n") == 1


@pytest.mark.parametrize("line", ['api_key = "hunter2', 'tls = "hunter2"', "api_key = [5, 'hunter2']"])
def test_what_is_wrong_with_a_profile_is_told_without_its_lines(keys, tmp_path, line):
    keys("init")
    (tmp_path / "profile.toml").write_text(f"[profile.default]\n{line}\n")

    profile = keys("report", TEMPORAL_CONFIG_FILE="profile.toml")

    assert profile.status == 2
    assert "TOML parse error at line 2" in profile.err
    assert "hunter2" not in profile.out + profile.err


async def test_a_namespace_that_is_not_there_is_a_wrong_option(keys, dev_server):
    keys("init")
    keys("add")
    for words in (
        ["report"],
        ["attest", "k1"],
        ["promote", "k2", "--i-have-updated"],
        ["retire", "k2"],
        ["reencrypt-schedules"],
    ):
        refused = await asyncio.to_thread(keys, *words, "-n", "nons", TEMPORAL_ADDRESS=dev_server.address)
        assert refused.status == 2
        assert f"The server at '{dev_server.address}' has no namespace 'nons'." in refused.err
        assert ".." not in refused.err


async def test_what_is_rewritten_in_schedules_is_counted_as_it_is(keys, dev_server):
    keys("init")
    client = await Client.connect(dev_server.address, plugins=[CodecPlugin(ring=KeyRing.from_file(RING))])
    action = ScheduleActionStartWorkflow("CodecsAnyWorkflow", args=[1], id="counted-run", task_queue="none")
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=3))])
    await client.create_schedule("counted", Schedule(action=action, spec=spec), memo={"owner": "dispatch"})
    keys("add")
    keys("promote", "k2", "--skip-workers", "--i-have-updated")

    async def reencrypt(*words):
        named = ("reencrypt-schedules", "--schedule", "counted", *words)
        done = await asyncio.to_thread(keys, *named, TEMPORAL_ADDRESS=dev_server.address)
        return done.status, done.out.splitlines()[-1], done.err

    status, said, why = await reencrypt("--dry-run")
    assert (status, why) == (0, "")
    assert said == (
        "Schedules: 1 looked at, 1 would be changed. Payloads: 1 would be rewritten under 'k2', 1 of schedules' own "
        "memos where the server allows it, or with --recreate, 0 already under it, 0 skipped."
    )
    status, said, why = await reencrypt()
    assert (status, said) == (
        1,
        "Schedules: 1 looked at, 1 changed. Payloads: 1 rewritten under 'k2', 0 already under it, 1 skipped.",
    )
    assert "default/counted: 1 skipped: its own memo (not that of its runs) stays as it was" in why
    status, said, _ = await reencrypt()
    assert (status, said) == (
        1,
        "Schedules: 1 looked at, 0 changed. Payloads: 0 rewritten under 'k2', 1 already under it, 1 skipped.",
    )
    assert (await reencrypt("--recreate", "made-again"))[:2] == (
        0,
        "Schedules: 1 looked at, 1 changed. Payloads: 1 rewritten under 'k2', 1 already under it, 0 skipped.",
    )
    status, _, why = await reencrypt("--schedule", "nonsense")
    assert status == 1  # the other one was done
    assert "There is no schedule 'nonsense'" in why
    await client.get_schedule_handle("counted").delete()


async def test_a_worker_that_does_not_answer_had_as_long_as_it_was_told(keys):
    worker = WorkerProcess("w1", "instance", "temporal-python 1")
    said = sentence(Attested(worker, Holding.LOST, waited=timedelta(seconds=3)), "k2")
    assert "did not answer within 3 s" in said


def test_an_identity_is_whole_in_its_line_however_narrow_the_terminal_is(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"notification-worker@dock-{number}.example:24188#8ad61419" for number in range(2)]
    workers = [WorkerProcess(name, "instance", "sdk", task_queues=["notification-queue"]) for name in names]
    show_attested({"payments": [Attested(worker, Holding.HOLDS, active="k1") for worker in workers]}, [])
    lines = capsys.readouterr().out.splitlines()
    assert [sum(name in line for line in lines) for name in names] == [1, 1]


def test_the_age_of_a_heartbeat_is_that_when_the_workers_were_asked(capsys):
    long_ago = datetime(2026, 11, 1, tzinfo=UTC)
    worker = WorkerProcess("w1", "instance", "sdk", seen=long_ago, listed=long_ago + timedelta(seconds=4))
    show_attested({"payments": [Attested(worker, Holding.HOLDS)]}, [])
    assert "4 s ago" in capsys.readouterr().out


SOURCE = "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE"
PATH = "TRENOVA_CODEC__ENCRYPTION__KEYS__PATH"


@pytest.mark.parametrize("told", [{}, {SOURCE: "file"}, {SOURCE: "aws_kms"}])
def test_the_ring_that_the_services_are_told_of_is_the_one_that_is_rotated(keys, tmp_path, told):
    """Otherwise an operator rotates a ring that no worker reads."""
    keys("init")  # the data folder's, which must stay as it is
    assert keys("init", **told, **{PATH: "{data_dir}/of-services.json"}).status == 0
    before = (tmp_path / RING).read_bytes()

    assert keys("add", **told, **{PATH: ".trenova/of-services.json"}).status == 0
    assert KeyRing.from_file(tmp_path / ".trenova/of-services.json").ids() == ["k1", "k2"]
    assert (tmp_path / RING).read_bytes() == before


def test_an_option_and_the_tools_variable_go_before_what_services_are_told(keys, tmp_path):
    services = {SOURCE: "directory", PATH: str(tmp_path / "folder")}
    assert keys("init", "--ring", "one.json", **services).status == 0
    assert keys("init", TRENOVA_CODECS_RING="two.json", **services).status == 0
    assert {file.name for file in tmp_path.glob("*.json")} == {"one.json", "two.json"}


@pytest.mark.parametrize("source", ["directory", "environment"])
@pytest.mark.parametrize("words", [["init"], ["add"], ["list"], ["promote", "k2"], ["revoke", "k1"]])
def test_keys_that_services_have_from_no_ring_file_are_not_looked_for_in_another_ring(keys, tmp_path, source, words):
    (tmp_path / "folder").mkdir(mode=0o700)
    refused = keys(*words, **{SOURCE: source, PATH: str(tmp_path / "folder")})
    assert refused.status == 2
    assert f"from the source '{source}' ({SOURCE})" in refused.err
    assert "Traceback" not in refused.err
    assert list(tmp_path.rglob("*.json")) == []


def test_a_wrong_variable_of_the_services_is_refused_and_does_not_hide_the_help(keys):
    refused = keys("list", **{SOURCE: "fiel"})
    assert refused.status == 2
    assert SOURCE in refused.err
    assert keys("list", "--help", **{SOURCE: "fiel"}).status == 0


def test_a_missing_ring_that_services_are_told_of_says_who_named_it(keys):
    missing = keys("list", **{PATH: "elsewhere.json"})
    assert missing.status == 2
    assert f"{PATH} names it" in missing.err


def test_where_a_ring_is_missing_that_of_the_other_workers_is_wanted_before_a_new_one(keys):
    missing = keys("list").err
    assert missing.index("Put the ring of the other workers there") < missing.index("keys init")
    assert "Only where nothing has been stored yet" in missing


@pytest.mark.parametrize("beside", ["temporal.db", "keyring.archive.json"])
def test_beside_what_is_stored_already_no_new_ring_is_proposed(keys, tmp_path, beside):
    (tmp_path / ".trenova").mkdir(mode=0o700)
    (tmp_path / ".trenova" / beside).write_bytes(b"something")
    missing = keys("list")
    assert missing.status == 2
    assert "Put the ring back" in missing.err
    assert beside in missing.err
    assert "init" not in missing.err


def test_whatever_is_not_there_or_not_allowed_is_refused_with_2(keys):
    assert keys("list").status == 2
    keys("init")
    for words in (
        ["init"],
        ["promote", "k99", "--skip-workers", "--i-have-updated"],
        ["attest", "k99"],
        ["restore", "k99"],
        ["revoke", "k99"],
        ["retire", "k1", "--skip-usage"],
        ["add", "k1"],
    ):
        refused = keys(*words)
        assert (words, refused.status) == (words, 2)
        assert refused.err


@pytest.mark.parametrize("given", ["", "\n"])
def test_an_empty_stdin_is_said_to_be_empty(keys, given):
    keys("init")
    empty = keys("add", "--from-stdin", stdin=given)
    assert empty.status == 2
    assert "stdin is empty. Send the key (base64)." in empty.err


def test_what_a_variable_of_the_services_misspells_is_named_with_the_nearest(keys):
    wrong = keys("list", **{PATH: "ring.json", "TRENOVA_CODEC__ENCRYPTION__FROMAT": "v2"})
    assert wrong.status == 2
    assert "TRENOVA_CODEC__ENCRYPTION__FROMAT: there is no such option; did you mean 'format'?" in wrong.err


def test_one_of_a_kind_is_counted_as_one():
    assert [counted(number, "open run") for number in (0, 1, 2)] == ["0 open runs", "1 open run", "2 open runs"]
    assert counted(1, "day has to pass", "days have to pass") == "1 day has to pass"
