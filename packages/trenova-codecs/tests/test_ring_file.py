import json
import logging
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload

from trenova_codecs import (
    EncryptionCodec,
    KeyRing,
    KeyRingError,
    KeyState,
    NoActiveKeyError,
    PlaintextRejectedError,
    Side,
)
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._ring_changes import added, adopting, next_id, promoted, taken_away
from trenova_codecs._ring_document import AesMaterial, LegacyMaterial, RingDocument
from trenova_codecs._ring_sources import RingFileSource
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_codecs._ring_watch import WatchedKeyRing
from trenova_errors import ConfigurationError, ConflictError, InvalidInputError, ResourceNotFoundError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def material() -> AesMaterial:
    return AesMaterial.of(new_secret())


def two_keys() -> RingDocument:
    return added(promoted(added(RingDocument(), "k1", material()), "k1"), "k2", material())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "keyring.json"
    create_ring(path, two_keys())
    return path


def watched(path: Path, clock: Clock) -> WatchedKeyRing:
    return WatchedKeyRing(RingFileSource(path), clock=clock)


def test_a_ring_file_gives_its_keys_in_their_states(path):
    change_ring(path, lambda ring: taken_away(ring, "k2", KeyState.RETIRED)[0])
    change_ring(path, lambda ring: added(ring, "k3", material()))
    change_ring(path, lambda ring: taken_away(ring, "k3", KeyState.REVOKED)[0])

    ring = KeyRing.from_file(path)

    assert ring.active().id == "k1"
    assert ring.find("k2") is None
    revoked = ring.find("k3")
    assert revoked is not None
    assert revoked.state is KeyState.REVOKED
    assert list(ring.ids()) == ["k1"]


def test_a_legacy_key_of_the_file_only_decrypts(path):
    change_ring(path, lambda ring: added(ring, "the old one", LegacyMaterial(text="short")))

    key = KeyRing.from_file(path).find("the old one")

    assert key is not None
    assert key.legacy
    assert key.reveal() == b"short".ljust(32, b"\0")
    with pytest.raises(ConflictError, match="legacy key, which only decrypts"):
        change_ring(path, lambda ring: promoted(ring, "the old one"))


def test_a_new_file_is_for_its_owner_alone_and_so_is_its_folder(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(path, mode):
    path.chmod(mode)
    with pytest.raises(KeyRingError, match=f"mode {mode:04o}.*chmod 600"):
        KeyRing.from_file(path)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_refused(path, mode):
    path.parent.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod go-w"):
        KeyRing.from_file(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path):
    os.chown(path, 4242, 4242)
    with pytest.raises(KeyRingError, match="belongs to user 4242"):
        KeyRing.from_file(path)


def test_a_ring_is_never_written_over(path):
    before = path.read_bytes()
    with pytest.raises(KeyRingError, match="is there already and was left as it is"):
        create_ring(path, RingDocument())
    assert path.read_bytes() == before


def test_a_missing_ring_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(KeyRingError, match="keys init --ring"):
        KeyRing.from_file(tmp_path / "none.json")


def test_a_change_that_fails_leaves_the_file_and_no_rest(path):
    before = path.read_bytes()

    def fail(_: RingDocument) -> RingDocument:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        change_ring(path, fail)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["keyring.json", "keyring.json.lock"]


def test_a_link_to_a_ring_stays_a_link(path, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(path)
    change_ring(link, lambda ring: added(ring, "k3", material()))
    assert link.is_symlink()
    assert read_ring(path).find("k3") is not None


ADD_TEN = """
import sys
from pathlib import Path
from trenova_codecs._key_text import new_secret
from trenova_codecs._ring_changes import added, next_id
from trenova_codecs._ring_document import AesMaterial
from trenova_codecs._ring_storage import change_ring
for _ in range(10):
    change_ring(Path(sys.argv[1]), lambda ring: added(ring, next_id(ring), AesMaterial.of(new_secret())))
"""


def test_no_change_is_lost_when_several_processes_write(path):
    writers = [subprocess.Popen([sys.executable, "-c", ADD_TEN, str(path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    document = read_ring(path)
    assert [key.id for key in document.keys] == [f"k{number}" for number in range(1, 33)]
    assert document.revision == two_keys().revision + 30


def test_a_reader_never_sees_half_of_a_change(path):
    done = threading.Event()
    seen = []

    def read() -> None:
        while not done.is_set():
            seen.append(read_ring(path).revision)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        change_ring(path, lambda ring: added(ring, next_id(ring), material()))
    done.set()
    reader.join(10)
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "EOF"),
        ('{"version": 2}', "version"),
        ('{"version": 1, "keys": [{"id": "k1"}]}', "state"),
        ('{"version": 1, "secret": "PLANTED"}', "secret: Extra inputs"),
        ('{"version": 1, "keys": "PLANTED"}', "keys"),
    ],
)
def test_a_file_that_is_no_ring_is_refused_without_showing_it(path, content, told):
    path.write_text(content)
    with pytest.raises(KeyRingError, match="is not a key ring") as caught:
        KeyRing.from_file(path)
    assert told in caught.value.message
    assert "PLANTED" not in caught.value.message
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "retired"},
        {"state": "active", "material": {"kind": "legacy", "text": "PLANTED"}},
        {"state": "revoked", "material": {"kind": "aes-256", "key": "PLANTED"}},
        {"id": "k1 with space", "material": {"kind": "aes-256", "key": "PLANTED"}},
    ],
)
def test_entries_that_contradict_themselves_are_refused(path, wrong):
    document = json.loads(path.read_text())
    document["keys"][0] |= wrong
    path.write_text(json.dumps(document))
    with pytest.raises(KeyRingError, match="is not a key ring") as caught:
        KeyRing.from_file(path)
    assert "PLANTED" not in str(caught.value)


def test_two_active_keys_are_refused(path):
    document = json.loads(path.read_text())
    document["keys"][1]["state"] = "active"
    path.write_text(json.dumps(document))
    with pytest.raises(KeyRingError, match="more than one key is active"):
        KeyRing.from_file(path)


def test_a_running_process_follows_the_file(path):
    clock = Clock()
    ring = watched(path, clock)
    generation = ring.generation

    change_ring(path, lambda document: promoted(document, "k2"))
    assert ring.active().id == "k1"
    clock.now = 1.0
    assert ring.active().id == "k2"
    assert ring.generation > generation
    old = ring.find("k1")
    assert old is not None
    assert old.state is KeyState.DECRYPT_ONLY


def test_a_revocation_in_the_file_is_felt_at_the_next_look(path):
    clock = Clock()
    ring = watched(path, clock)
    assert ring.find("k2") is not None
    change_ring(path, lambda document: taken_away(document, "k2", KeyState.REVOKED)[0])
    clock.now = 1.0
    found = ring.find("k2")
    assert found is not None
    assert found.state is KeyState.REVOKED


def test_a_revocation_by_the_process_itself_outlives_what_the_file_says(path):
    clock = Clock()
    ring = watched(path, clock)
    ring.revoke("k1")
    with pytest.raises(NoActiveKeyError):
        ring.active()

    change_ring(path, lambda document: added(document, "k3", material()))
    clock.now = 1.0
    assert ring.find("k3") is not None
    found = ring.find("k1")
    assert found is not None
    assert found.state is KeyState.REVOKED


def test_a_file_that_becomes_unreadable_changes_nothing_and_is_told_once(path, caplog):
    clock = Clock()
    ring = watched(path, clock)
    good = path.read_text()
    path.write_text("{")
    with caplog.at_level(logging.WARNING):
        for second in (1, 2, 3):
            clock.now = float(second)
            assert ring.active().id == "k1"
    assert [record.message for record in caplog.records if "What is held stays in use" in record.message] == [
        caplog.records[0].message
    ]

    path.write_text(good)
    change_ring(path, lambda document: promoted(document, "k2"))
    clock.now = 4.0
    assert ring.active().id == "k2"


def test_the_log_names_what_became_of_which_key(path, caplog):
    clock = Clock()
    ring = watched(path, clock)
    steps = [
        lambda there: promoted(added(there, "k3", material()), "k2"),
        lambda there: taken_away(there, "k1", KeyState.REVOKED)[0],
        lambda there: taken_away(there, "k3", KeyState.RETIRED)[0],
    ]
    with caplog.at_level(logging.INFO):
        for second, step in enumerate(steps, start=1):
            change_ring(path, step)
            clock.now = float(second)
            ring.active()
    assert [message for message in caplog.messages if message.startswith("Key ring loaded")] == [
        "Key ring loaded: decrypt_only k1; active k2; new k3. Active k2, held k2, k1, k3.",
        "Key ring loaded: revoked k1. Active k2, held k2, k3.",
        "Key ring loaded: retired k3. Active k2, held k2.",
    ]


async def test_an_unknown_id_makes_the_ring_look_at_once_but_not_again_within_a_second(path):
    clock = Clock()
    ring = watched(path, clock)
    change_ring(path, lambda document: added(document, "k3", material()))
    assert ring.find("k3") is None

    assert await ring.refresh("k3")
    assert ring.find("k3") is not None
    change_ring(path, lambda document: added(document, "k4", material()))
    assert not await ring.refresh("k4")
    clock.now = 1.0
    assert await ring.refresh("invented") is True
    assert await ring.refresh("invented") is False


async def test_a_refresh_tells_what_is_wrong_with_the_source_and_keeps_what_is_held(path):
    ring = watched(path, Clock())
    path.unlink()
    with pytest.raises(KeyRingError):
        await ring.refresh("k9")
    assert ring.active().id == "k1"


async def test_a_bad_key_in_the_file_makes_what_needs_another_wait_and_fails_no_run(path):
    ring = watched(path, Clock())
    document = json.loads(path.read_text())
    document["keys"][1]["material"]["key"] = write_base64(b"a passphrase of thirty-two chars")
    path.write_text(json.dumps(document))
    codec = EncryptionCodec(ring, side=Side.WORKER)
    unknown = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k9"}, data=bytes(40))
    with pytest.raises(KeyRingError, match="Key 'k2' is text") as caught:
        await codec.decode([unknown])
    assert caught.value.type == "unavailable"
    assert not caught.value.non_retryable


async def test_a_ring_that_disappears_makes_what_needs_another_key_wait_and_fails_no_run(path):
    ring = watched(path, Clock())
    path.unlink()
    unknown = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k9"}, data=bytes(40))
    with pytest.raises(KeyRingError) as caught:
        await EncryptionCodec(ring, side=Side.WORKER).decode([unknown])
    assert caught.value.type == "unavailable"
    assert not caught.value.non_retryable


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_was_forked_while_a_thread_looked_looks_for_itself(path):
    clock = Clock()
    ring = watched(path, clock)
    change_ring(path, lambda document: promoted(document, "k2"))
    clock.now = 1.0
    with ring._looking:
        child = os.fork()
        if child == 0:
            os._exit(0 if ring.active().id == "k2" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_id_is_never_used_for_another_key(path):
    change_ring(path, lambda ring: taken_away(ring, "k2", KeyState.RETIRED)[0])
    with pytest.raises(ConflictError, match="Key id 'k2' is taken: retired since"):
        change_ring(path, lambda ring: added(ring, "k2", material()))
    assert next_id(read_ring(path)) == "k3"


def test_the_active_key_cannot_leave_the_ring(path):
    for state in (KeyState.RETIRED, KeyState.REVOKED):
        with pytest.raises(ConflictError, match="Promote another one first"):
            taken_away(read_ring(path), "k1", state)


def test_a_retired_key_can_still_be_revoked():
    document, _ = taken_away(two_keys(), "k2", KeyState.RETIRED)
    document, _ = taken_away(document, "k2", KeyState.REVOKED)
    entry = document.find("k2")
    assert entry is not None
    assert entry.state is KeyState.REVOKED


def test_an_unknown_key_is_answered_with_those_there_are():
    with pytest.raises(ResourceNotFoundError, match="no key 'k7'; it has k1, k2"):
        promoted(two_keys(), "k7")


def test_an_exemption_must_not_have_ended():
    with pytest.raises(InvalidInputError, match="is past"):
        adopting(RingDocument(), date(2026, 11, 21), today=date(2026, 11, 22))


async def test_an_adopted_ring_lets_plain_payloads_pass_to_its_day_and_no_longer(path):
    today = datetime.now(UTC).date()
    clock = Clock()
    ring = watched(path, clock)
    codec = EncryptionCodec(ring)
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    with pytest.raises(PlaintextRejectedError):
        await codec.decode([plain])

    change_ring(path, lambda document: adopting(document, today, today=today))
    clock.now = 1.0
    assert await codec.decode([plain]) == [plain]
    yesterday = today - timedelta(days=1)
    change_ring(path, lambda document: adopting(document, yesterday, today=yesterday))
    clock.now = 2.0
    with pytest.raises(PlaintextRejectedError, match=f"ended on {yesterday}"):
        await codec.decode([plain])


def test_the_same_key_is_not_added_under_two_ids():
    one = material()
    document = added(RingDocument(), "k1", one)
    with pytest.raises(ConflictError, match="This is key 'k1'"):
        added(document, "k2", one)


def test_a_weak_key_that_somebody_wrote_into_the_file_is_refused_by_name(path):
    document = json.loads(path.read_text())
    document["keys"][1]["material"]["key"] = write_base64(b"a passphrase of thirty-two chars")
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match="Key 'k2' is text") as caught:
        KeyRing.from_file(path)
    assert "passphrase of" not in str(caught.value)
