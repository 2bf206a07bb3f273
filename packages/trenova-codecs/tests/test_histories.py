"""Changing configuration never makes an old history unreadable: each is replayed under each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from codecs_scenarios import EverythingWorkflow
from record_histories import KEYS
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from trenova_codecs import (
    CodecOptions,
    CodecPlugin,
    CompressionOptions,
    EncryptionOptions,
    Key,
    KeyRing,
    KeyState,
    PlaintextRejectedError,
)

FOLDER = Path(__file__).parent / "histories"
HISTORIES = sorted(path.stem for path in FOLDER.glob("*.json"))
PLAIN = {"plaintext", "gzip", "zstd", "v0.1.0"}
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()

CONFIGURATIONS = {
    "compat": (EncryptionOptions(plaintext_until=TOMORROW), None),
    "v2": (EncryptionOptions(format="v2", plaintext_until=TOMORROW), None),
    "gzip-compat": (EncryptionOptions(plaintext_until=TOMORROW), CompressionOptions()),
    "zstd-v2": (EncryptionOptions(format="v2", on_plaintext="warn"), CompressionOptions(algorithm="zstd", level=5)),
    "clear failures": (EncryptionOptions(failures=False, headers=False, on_plaintext="allow"), CompressionOptions()),
}


def rotated() -> KeyRing:
    """Return a ring on which the keys of then are no longer the active one."""
    old = [Key(key_id, secret, state=KeyState.DECRYPT_ONLY) for key_id, secret in KEYS.items()]
    return KeyRing([Key("k3", bytes(range(50, 82))), *old])


async def replay(name: str, plugin: CodecPlugin) -> Exception | None:
    replayer = Replayer(workflows=[EverythingWorkflow], workflow_runner=UnsandboxedWorkflowRunner(), plugins=[plugin])
    history = WorkflowHistory.from_json(f"record-{name}", (FOLDER / f"{name}.json").read_text())
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return result.replay_failure


def test_there_is_a_history_of_every_configuration():
    assert set(HISTORIES) == PLAIN | {
        "compat",
        "v2",
        "gzip-compat",
        "gzip-v2",
        "zstd-v2",
        "compat-clear-failures",
    }


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
async def test_every_history_is_replayed_under_every_configuration(configuration):
    encryption, compression = CONFIGURATIONS[configuration]
    plugin = CodecPlugin(CodecOptions(encryption=encryption, compression=compression), ring=rotated())

    assert {name: await replay(name, plugin) for name in HISTORIES} == dict.fromkeys(HISTORIES)


@pytest.mark.parametrize("name", sorted(PLAIN))
async def test_compression_alone_reads_what_was_not_encrypted(name):
    assert await replay(name, CodecPlugin(CodecOptions(encryption=None))) is None


async def test_without_an_exemption_plain_histories_are_refused_or_the_replays_would_show_nothing(caplog):
    failure = await replay("plaintext", CodecPlugin(CodecOptions(encryption=EncryptionOptions()), ring=rotated()))

    assert failure is not None
    assert any(record.exc_info and record.exc_info[0] is PlaintextRejectedError for record in caplog.records)
