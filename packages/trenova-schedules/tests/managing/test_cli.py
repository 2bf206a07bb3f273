import asyncio
import json
import os
import sys
from datetime import timedelta
from importlib.metadata import entry_points

import pytest
import schedules_command
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleSpec,
)

from trenova_schedules import OWNER_MEMO

pytestmark = pytest.mark.integration

MAIN = "from trenova_schedules.cli import main; main()"


class Command:
    """The command as a person types it, in a folder of its own."""

    def __init__(self, address, folder):
        self.folder = folder
        self.environment = {**os.environ, "TEMPORAL_ADDRESS": address, "TRENOVA_CODECS_PLAIN": "1", "COLUMNS": "200"}

    async def __call__(self, *words, status=0, typed=""):
        run = self._answering(words, typed) if typed else schedules_command.typed(self.environment, *words)
        code, out, self.error = await asyncio.wait_for(run, 60)
        assert code == status, f"{words}: {code}\n{out}\n{self.error}"
        return out

    async def _answering(self, words, typed):
        """In a process of its own, since a runner prints what is typed among the answers."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MAIN, *words),
            cwd=self.folder,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(typed.encode())
        return process.returncode, out.decode(), err.decode()

    async def json(self, *words, status=0):
        return json.loads(await self(*words, "--json", status=status))


@pytest.fixture
async def command(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a-1", "a-2", "b-1"):
        await client.create_schedule(
            name,
            Schedule(
                action=ScheduleActionStartWorkflow("W", "secret", id=name, task_queue="q"),
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
                policy=SchedulePolicy(catchup_window=timedelta(hours=1)),
            ),
            memo={OWNER_MEMO: "system-worker"},
        )
    await asyncio.sleep(0.5)
    return Command(client.service_client.config.target_host, tmp_path)


async def test_schedules_are_listed_and_shown_to_people_and_programs(command):
    text = await command("list", "--prefix", "a-")
    assert [line.split()[:4] for line in text.splitlines()[1:]] == [
        ["a-1", "W", "system-worker", "active"],
        ["a-2", "W", "system-worker", "active"],
    ]
    page = await command.json("list", "--owner", "system-worker", "--descending", "--limit", "2")
    assert (page["total"], [one["id"] for one in page["schedules"]]) == (3, ["b-1", "a-2"])
    assert "every PT1H" in await command("show", "a-1")
    assert (await command.json("show", "a-1"))["catchupWindow"] == "PT1H"
    await command("show", "nope", status=1)
    assert "No schedule with id 'nope'" in command.error


async def test_who_has_no_keys_sees_schedules_and_changes_none(command):
    del command.environment["TRENOVA_CODECS_PLAIN"]
    if not entry_points(group="trenova.client_plugins"):
        pytest.skip("no codec is installed")
    assert (await command.json("show", "a-1"))["workflow"] == "W"
    assert "There are no keys" in command.error
    await command("pause", "a-1", "--reason", "audit", status=2)
    assert "There are no keys" in command.error


async def test_one_schedule_is_paused_changed_resumed_and_deleted(command):
    await command("pause", "a-1", "--reason", "audit", "--by", "ann")
    assert (await command.json("show", "a-1"))["note"] == "Paused by ann (claimed): audit"
    etag = (await command.json("show", "a-1"))["etag"]
    await command("update", "a-1", "--cron", "*/10 * * * * *", status=1)
    assert "6 fields" in command.error
    await command("update", "a-1", "--cron", "15 4 * * *", "--etag", etag)
    await command("update", "a-1", "--patch", '{"overlap": "buffer_one"}', "--etag", etag, status=4)
    assert "was changed by somebody else" in command.error
    document = await command.json("show", "a-1")
    assert (document["cron"], document["paused"], document["overlap"]) == ("15 4 * * *", True, "skip")
    await command("resume", "a-1", "--reason", "done")
    await command("delete", "a-1", "--reason", "old", typed="n\n", status=1)
    await command("delete", "a-1", "--reason", "old", "--yes")
    await command("show", "a-1", status=1)


async def test_several_are_changed_only_when_somebody_says_yes_and_a_receipt_undoes_it(command):
    plan = await command.json("pause", "--prefix", "a-", "--reason", "move", "--dry-run")
    assert plan["counts"] == {"planned": 2}
    assert "planned" in await command("pause", "--prefix", "a-", "--reason", "move", typed="n\n", status=1)
    assert not (await command.json("list", "--paused"))["schedules"]
    done = await command("pause", "--prefix", "a-", "--reason", "move", typed="y\n")
    assert done.count("done") == 2
    receipt = done.split("Receipt ")[1].split(";")[0]
    await command("undo", receipt, "--reason", "moved", "--yes")
    assert not (await command.json("show", "a-1"))["paused"]
    await command("undo", receipt, "--reason", "moved", "--yes", status=4)
    assert "was undone at" in command.error
    await command("pause", "--reason", "all of it", status=1)
    assert "matches every schedule" in command.error
    await command("pause", "a-1", "nope", "--reason", "move", "--yes", status=1)
    assert "No schedule found: nope." in command.error


@pytest.mark.parametrize("database", [pytest.param(False, marks=pytest.mark.slow), True])
async def test_receipts_are_listed_shown_and_tried_before_they_are_undone(command, database):
    if database:
        command.environment["TRENOVA_DATABASE__URL"] = f"sqlite:///{command.folder}/store.db"
        await command("db", "migrate")
    paused = (await command.json("pause", "--prefix", "a-", "--reason", "move", "--yes", "--by", "ann"))["receipt"]
    await command("update", "b-1", "--note", "new", "--reason", "for the holidays", "--yes")
    page = await command.json("receipts", "list", "--action", "pause")
    assert [(one["id"], one["scheduleIds"], one["actor"], one["reason"]) for one in page["receipts"]] == [
        (paused["id"], ["a-1", "a-2"], "ann (claimed)", "move")
    ]
    assert (await command.json("receipts", "list", "--schedule", "b-1", "--action", "pause"))["receipts"] == []
    assert paused["id"] in await command("receipts", "list", "--schedule", "a-2", "--not-undone")
    shown = await command("receipts", "show", paused["id"])
    assert "a-1       state 'active' -> 'paused'; note '' -> 'Paused by ann (claimed): move'" in shown
    assert (await command.json("receipts", "show", paused["id"]))["items"][0]["before"] == {"paused": False, "note": ""}

    plan = await command.json("undo", paused["id"], "--reason", "moved", "--dry-run")
    assert (plan["dryRun"], plan["counts"]) == (True, {"planned": 2})
    assert "would be resumed" in await command("undo", paused["id"], "--reason", "moved", typed="n\n", status=1)
    assert (await command.json("show", "a-1"))["paused"]
    assert "done" in await command("undo", paused["id"], "--reason", "moved", typed="y\n")

    assert "by" in await command("receipts", "list", "--undone")
    assert "Undone" in await command("receipts", "show", paused["id"])
    await command("receipts", "show", "nope", status=1)
    assert "No receipt with id 'nope'" in command.error
    await command("receipts", "list", "--cursor", "nope", status=1)
    assert "is no cursor" in command.error


async def test_a_file_that_is_no_receipt_hides_no_other(command):
    await command("pause", "--prefix", "a-", "--reason", "audit", "--yes")
    folder = command.folder / ".trenova" / "schedule-receipts"
    (folder / "junk.json").write_text("junk")
    first = await command.json("receipts", "list", "--limit", "1")
    assert "holds no receipt" in command.error
    assert (len(first["receipts"]), first["nextCursor"]) == (1, None)


@pytest.mark.slow
async def test_what_was_exported_is_made_again_as_it_was(command):
    before = await command.json("show", "b-1")
    await command("export", "--prefix", "b-", "--output", "b.json")
    await command("delete", "b-1", "--reason", "old", "--yes")
    assert (await command.json("import", "b.json", "--reason", "back", "--dry-run"))[0]["outcome"] == "planned"
    assert (await command.json("import", "b.json", "--reason", "back", "--active"))[0]["outcome"] == "done"
    assert (await command.json("import", "b.json", "--reason", "back"))[0]["outcome"] == "unchanged"
    after = await command.json("show", "b-1")
    for name in ("createdAt", "updatedAt", "nextFires"):
        before.pop(name), after.pop(name)
    assert after == before
    (command.folder / "bad.json").write_text('{"format": "trenova-schedules/1", "schedules": [{"id": "x"}]}')
    await command("import", "bad.json", "--reason", "back", status=1)
    (command.folder / "bad.json").write_text("[]")
    await command("import", "bad.json", "--reason", "back", status=1)
    assert "This is no export of schedules" in command.error


async def test_what_is_imported_waits_for_somebody_who_lets_it_run(command):
    await command("export", "b-1", "--output", "b.json")
    await command("delete", "b-1", "--reason", "old", "--yes")
    await command("import", "b.json", "--reason", "new cluster", "--by", "ann")
    made = await command.json("show", "b-1")
    assert (made["paused"], made["note"]) == (True, "Paused by ann (claimed): new cluster")
    await command("export", "nope", status=1)
    assert "nope" in command.error


@pytest.mark.slow
async def test_with_a_database_the_store_keeps_who_did_what_and_the_receipts(command):
    command.environment["TRENOVA_DATABASE__URL"] = f"sqlite:///{command.folder}/store.db"
    await command("db", "migrate")
    await command("pause", "a-1", "--reason", "audit", "--by", "ann")
    await command("update", "a-1", "--cron", "0 0 31 2 *", status=1)
    done = await command.json("pause", "--prefix", "a-", "--reason", "move", "--yes")
    await command("undo", done["receipt"]["id"], "--reason", "moved", "--yes")
    await command("undo", done["receipt"]["id"], "--reason", "moved", "--yes", status=4)
    assert not (command.folder / ".trenova").exists()

    page = await command.json("audit")

    entries = page["entries"] if isinstance(page, dict) else page
    told = [(one["action"], one["scheduleId"], one["outcome"], one["actor"].split(" ")[-1]) for one in entries]
    assert sorted(told, key=str) == sorted(
        [
            ("pause", "a-1", "done", "(claimed)"),
            ("update", "a-1", "refused", "(claimed)"),
            ("pause", "a-2", "done", "(claimed)"),
            ("undo", "a-2", "done", "(claimed)"),
        ],
        key=str,
    )


@pytest.mark.slow
async def test_an_id_of_odd_characters_is_found_and_printed_as_it_is(command, client):
    for odd in ('say "x"', "back\\slash", "it's", "a[red]b"):
        await client.create_schedule(
            odd,
            Schedule(
                action=ScheduleActionStartWorkflow("W", id="odd", task_queue="q"),
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
            ),
        )
        await asyncio.sleep(0.5)
        assert odd in await command("list", odd)
        assert odd in await command("list", "--prefix", odd)
        assert f"schedule         {odd}\n" in await command("show", odd)
        await command("pause", odd, "--reason", "audit")


async def test_what_is_asked_does_not_end_up_in_the_json(command):
    result = json.loads(await command("pause", "--prefix", "a-", "--reason", "audit", "--json", typed="y\n"))
    assert result["counts"] == {"done": 2}
    assert "planned" in command.error


async def test_an_export_that_cannot_be_written_is_said_in_one_line(command):
    await command("export", "--output", "nowhere/schedules.json", status=1)
    assert "cannot be written" in command.error
    assert "Traceback" not in command.error


async def test_a_profile_that_is_not_there_is_said_in_one_line(command):
    command.environment["TEMPORAL_PROFILE"] = "nowhere"
    for words in (("pause", "a-1", "--reason", "audit"), ("list",)):
        await command(*words, status=2)
        assert "Profile 'nowhere' not found" in command.error
        assert "Traceback" not in command.error


async def test_a_bulk_action_names_its_receipt_before_it_begins(command):
    await command("pause", "--prefix", "a-", "--reason", "audit", "--yes")
    [named] = [line.split()[5] for line in command.error.splitlines() if "Should this be interrupted" in line]
    await command("undo", named, "--reason", "back", "--yes")
    assert not (await command.json("show", "a-1"))["paused"]


async def test_a_receipt_that_cannot_be_read_is_said_in_one_line(command):
    folder = command.folder / ".trenova" / "schedule-receipts"
    folder.mkdir(parents=True)
    (folder / "junk.json").write_text("junk")
    await command("undo", "junk", "--reason", "back", "--yes", status=1)
    assert "holds no receipt" in command.error
    assert "Traceback" not in command.error


async def test_what_an_interrupted_bulk_pause_did_is_undone_and_nothing_else(command):
    result = json.loads(await command("pause", "--prefix", "a-", "--reason", "audit", "--yes", "--json"))
    path = command.folder / ".trenova" / "schedule-receipts" / f"{result['receipt']['id']}.json"
    kept = json.loads(path.read_text())
    for item in kept["items"]:
        item["after"] = None  # as it is kept before anything is done
    path.write_text(json.dumps(kept))
    await command("update", "a-2", "--note", "mine now")
    text = await command("undo", path.stem, "--reason", "back", "--yes", status=4)
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["a-1", "done"], ["a-2", "conflict"]]


@pytest.mark.slow
async def test_in_the_folder_of_up_its_database_keeps_what_is_done_to_its_own_server_only(command, client):
    def profile(address):
        (folder / "temporal.toml").write_text(f'[profile.default]\naddress = "{address}"\n')

    folder, address = command.folder / ".trenova", client.service_client.config.target_host
    folder.mkdir()
    await command("db", "migrate")
    profile(address.replace("localhost", "127.0.0.1"))
    await command("pause", "a-1", "--reason", "audit")
    profile("127.0.0.1:1")
    await command("pause", "a-2", "--reason", "elsewhere")
    page = await command.json("audit")
    entries = page["entries"] if isinstance(page, dict) else page
    assert [(one["action"], one["scheduleId"]) for one in entries] == [("pause", "a-1")]
    (folder / "tms.db").unlink()
    profile(address)
    await command("pause", "b-1", "--reason", "no database")
    assert not (folder / "tms.db").exists()


@pytest.mark.slow
async def test_what_is_not_there_or_empty_is_said(command):
    assert "No schedule matches." in await command("list", "--prefix", "zzz")
    await command("list", "a-1", "nope", status=1)
    assert "No such schedule, or none that matches: 'nope'." in command.error
    await command("show", "", status=1)
    assert "The id of a schedule is empty." in command.error
    await command("update", "a-1", "--patch", '{"croon": "0 4 * * *"}', status=1)
    assert "croon: there is no such field; there are calendars, catchupWindow, cron," in command.error
    await command("preview", "--cron", "0 0 4 * * *", status=2)
    assert "has 6 fields" in command.error


async def test_what_was_shown_is_what_is_deleted(command):
    words = (sys.executable, "-c", MAIN, "delete", "a-1", "--reason", "old")
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=command.folder,
        env=command.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    asked = await asyncio.wait_for(process.stderr.readuntil(b"?"), 30)
    assert b"'a-1' (W on 'q', active)" in asked
    await command("pause", "a-1", "--reason", "somebody else")
    process.stdin.write(b"y\n")
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 4
    assert (await command.json("show", "a-1"))["paused"]
