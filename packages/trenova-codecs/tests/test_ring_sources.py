import base64
import hashlib
import os
from pathlib import Path

import pytest

from trenova_codecs import Key, KeyRing, KeyRingError, KeySource, KeyState, LoadedKeys
from trenova_codecs._key_text import write_base64
from trenova_codecs._ring_sources import KeyFolderSource
from trenova_codecs._ring_watch import WatchedKeyRing
from trenova_errors import ConfigurationError

# Always the same, because parameters become the names of tests.
ONE, TWO = (hashlib.sha256(seed).digest() for seed in (b"one", b"two"))


def environ(**more: str) -> dict[str, str]:
    return {
        "PATH": "/bin",
        "TEMPORAL_ENCRYPTION_KEY_k1": write_base64(ONE),
        "TEMPORAL_ENCRYPTION_KEY_k2": base64.urlsafe_b64encode(TWO).decode() + "\n",
        "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k2",
        **more,
    }


def test_variables_become_a_ring():
    ring = KeyRing.from_environ(environ(TEMPORAL_ENCRYPTION_REVOKED_KEYS="k0, k9"))
    assert ring.active().id == "k2"
    assert ring.active().reveal() == TWO
    assert list(ring.ids()) == ["k2", "k1"]
    revoked = ring.find("k9")
    assert revoked is not None
    assert revoked.state is KeyState.REVOKED


@pytest.mark.parametrize("active", ["", "k3", "K1"])
def test_the_active_key_has_to_be_named(active):
    with pytest.raises(ConfigurationError, match=r"TEMPORAL_ENCRYPTION_ACTIVE_KEY must name .* one of k1, k2"):
        KeyRing.from_environ(environ(TEMPORAL_ENCRYPTION_ACTIVE_KEY=active))


def test_a_revoked_key_cannot_be_the_active_one():
    with pytest.raises(
        ConfigurationError, match=r"names 'k2', which TEMPORAL_ENCRYPTION_REVOKED_KEYS revokes.*Name another key \(k1\)"
    ):
        KeyRing.from_environ(environ(TEMPORAL_ENCRYPTION_REVOKED_KEYS="k2"))


def test_no_variables_at_all_are_answered_with_how_to_set_them():
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
        KeyRing.from_environ({})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (write_base64(ONE[:16]), "got 16 bytes"),
        (write_base64(ONE + b"\1"), "got 33 bytes"),
        (write_base64(ONE[:20].ljust(32, b"\0")), "padded"),
        (write_base64(bytes(32)), "pattern"),
        (write_base64(b"correct-horse-battery-staple-123"), "passphrase"),
        ("correct horse battery staple!!", "not base64"),
        (ONE.hex(), "got 48 bytes"),
        ("", "got 0 bytes"),
    ],
)
def test_a_weak_or_damaged_key_is_refused_by_id_and_not_shown(value, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        KeyRing.from_environ(environ(TEMPORAL_ENCRYPTION_KEY_k1=value))
    assert "'k1'" in caught.value.message
    assert not value or value not in repr(caught.value) + caught.value.message
    assert caught.value.__cause__ is None


def test_an_id_that_no_payload_could_carry_is_refused():
    with pytest.raises(ConfigurationError, match="A key id is 1 to 64"):
        KeyRing.from_environ({**environ(), "TEMPORAL_ENCRYPTION_KEY_k.1": write_base64(ONE)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir(mode=0o700)
    put(folder, k1=ONE, k2=write_base64(TWO).encode() + b"\n", active=b"k1\n")
    return folder


def put(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o440)


def mount(folder: Path, version: str, **files: bytes) -> None:
    """Do what a kubelet does: new files under a new folder, then one rename of the link."""
    (folder / version).mkdir()
    put(folder / version, **files)
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


def test_a_folder_with_a_file_per_key_is_a_ring(folder):
    put(folder, revoked=b"k0\n")
    ring = KeyRing.from_directory(folder)
    assert ring.active().reveal() == ONE
    assert list(ring.ids()) == ["k1", "k2"]
    revoked = ring.find("k0")
    assert revoked is not None
    assert revoked.state is KeyState.REVOKED


def test_a_mounted_secret_is_followed_through_the_swap_of_its_link(tmp_path):
    folder = tmp_path / "mount"
    folder.mkdir()
    mount(folder, "..2026_1", k1=ONE, active=b"k1")
    now = [0.0]
    ring = WatchedKeyRing(KeyFolderSource(folder), clock=lambda: now[0])
    assert list(ring.ids()) == ["k1"]

    mount(folder, "..2026_2", k1=ONE, k2=TWO, active=b"k2")
    now[0] = 1.0
    assert ring.active().id == "k2"
    assert list(ring.ids()) == ["k2", "k1"]


def test_a_plain_folder_is_followed_too(folder):
    now = [0.0]
    ring = WatchedKeyRing(KeyFolderSource(folder), clock=lambda: now[0])
    (folder / "active").unlink()
    put(folder, active=b"k2")
    now[0] = 1.0
    assert ring.active().id == "k2"


def test_a_key_file_that_everybody_may_read_is_refused(folder):
    (folder / "k2").chmod(0o444)
    with pytest.raises(KeyRingError, match=r"mode 0444.*defaultMode: 0440"):
        KeyRing.from_directory(folder)


@pytest.mark.parametrize("mode", [0o404, 0o460, 0o602])
def test_a_key_file_that_others_may_read_or_write_is_refused(folder, mode):
    (folder / "k2").chmod(mode)
    with pytest.raises(KeyRingError, match=f"mode {mode:04o}"):
        KeyRing.from_directory(folder)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_mounted_secret_is_read_with_the_modes_of_kubernetes(tmp_path, mode):
    folder = tmp_path / "mount"
    folder.mkdir()
    folder.chmod(0o3777)
    mount(folder, "..2026_1", k1=ONE, active=b"k1")
    for file in (folder / "..2026_1").iterdir():
        file.chmod(mode)
    assert KeyRing.from_directory(folder).active().id == "k1"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_key_folder_that_others_may_write_is_refused(folder, mode):
    folder.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod go-w"):
        KeyRing.from_directory(folder)


def test_what_the_link_of_a_mounted_secret_leads_to_is_checked_too(tmp_path):
    folder = tmp_path / "mount"
    folder.mkdir()
    mount(folder, "..2026_1", k1=ONE, active=b"k1")
    (folder / "..2026_1").chmod(0o777)
    with pytest.raises(KeyRingError, match="chmod go-w"):
        KeyRing.from_directory(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", [".", "k2", "active", "..data", "..2026_1", "..2026_1/k1"])
def test_what_belongs_to_another_user_is_refused(folder, name):
    if name.startswith(".."):
        for file in folder.iterdir():
            file.unlink()
        mount(folder, "..2026_1", k1=ONE, active=b"k1")
    os.chown(folder / name, 4242, 4242, follow_symlinks=False)
    with pytest.raises(KeyRingError, match="belongs to user 4242"):
        KeyRing.from_directory(folder)


def test_a_folder_without_an_active_key_names_those_it_has(folder):
    (folder / "active").unlink()
    with pytest.raises(KeyRingError, match="one of k1, k2; it names ''"):
        KeyRing.from_directory(folder)


def test_a_file_that_is_no_key_is_refused_by_name(folder):
    put(folder, **{"notes.txt": b"hello"})
    with pytest.raises(ConfigurationError, match=r"'notes.txt'"):
        KeyRing.from_directory(folder)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(KeyRingError, match=r"cannot be read|No such file"):
        KeyRing.from_directory(tmp_path / "none")


def test_nothing_here_reads_the_environment_by_itself(monkeypatch):
    for name, value in environ().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError):
        KeyRing.from_environ({})
    assert "TEMPORAL_ENCRYPTION_KEY_k1" in os.environ


class Vault:
    """A source of somebody's own, far away."""

    interval = 1.0
    reload_seconds = 60.0

    def __init__(self) -> None:
        self.loads, self.keys = 0, [Key("k1", ONE)]

    def stamp(self) -> int:
        return 0

    def load(self) -> LoadedKeys:
        self.loads += 1
        return LoadedKeys(self.keys)


async def test_a_source_of_your_own_is_loaded_in_a_thread_at_its_interval_and_for_unknown_ids():
    now, vault = [0.0], Vault()
    assert isinstance(vault, KeySource)
    ring = WatchedKeyRing(vault, clock=lambda: now[0])
    now[0] = 59.0
    assert ring.active().id == "k1"
    assert vault.loads == 1

    vault.keys = [Key("k1", ONE, state=KeyState.DECRYPT_ONLY), Key("k2", TWO)]
    assert await ring.refresh("k2")
    assert ring.active().id == "k2"
    assert vault.loads == 2

    vault.keys = [Key.revoked("k1"), Key("k2", TWO)]
    now[0] = 120.0
    ring.find("k1")
    with ring._looking:  # held by the thread that loads
        found = ring.find("k1")
    assert found is not None
    assert found.state is KeyState.REVOKED


def test_a_provider_that_is_built_from_a_source_is_a_ring():
    assert KeyRing.from_source(Vault()).active().reveal() == ONE
