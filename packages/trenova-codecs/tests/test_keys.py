import copy
import pickle

import pytest

from trenova_codecs import Key, KeyProvider, KeyRing, KeyState, NoActiveKeyError, RevokedKeyError
from trenova_errors import ConfigurationError

SECRET = bytes(range(40, 72))


def test_a_key_is_never_shown():
    key = Key("k1", SECRET)
    ring = KeyRing([key])
    shown = " ".join([repr(key), str(key), repr(ring), f"{ring}", repr(vars(ring)), repr([key])])

    assert repr(key) == "Key(id='k1', state='active')"
    assert SECRET.decode() not in shown
    assert repr(SECRET)[2:-1] not in shown
    assert SECRET.hex() not in shown


def test_a_key_does_not_leave_the_process():
    with pytest.raises(TypeError, match="keys do not leave the process"):
        pickle.dumps(Key("k1", SECRET))
    with pytest.raises(TypeError):
        copy.deepcopy(Key("k1", SECRET))


@pytest.mark.parametrize("key_id", ["", "a b", "ä", "x" * 65, "k/1", "k1\n"])
def test_ids_are_plain(key_id):
    with pytest.raises(ConfigurationError, match="A key id is 1 to 64 of"):
        Key(key_id, SECRET)


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (b"short", "must be 32 random bytes; got 5 bytes"),
        (SECRET + b"x", "got 33 bytes"),
        (SECRET.decode(), "got a str"),
        (b"secret".ljust(32, b"\0"), "a padded text"),
        (bytes(32), "a pattern"),
        (b"ab" * 16, "a pattern"),
        (b"test-key-test-key-test-key-test!", "a published sample"),
    ],
)
def test_weak_keys_are_refused_without_being_shown(secret, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        Key("k1", secret)

    shown = str(caught.value) + repr(caught.value.facts)
    assert not any(part in shown for part in ("short", "secret", "abab", "test-key", SECRET.decode()))


def test_a_legacy_key_is_made_of_text_as_the_replaced_system_did():
    assert Key.from_legacy_text("old", "short").reveal() == b"short".ljust(32, b"\0")
    assert Key.from_legacy_text("old", "x" * 40).reveal() == b"x" * 32
    assert Key.from_legacy_text("old", "short").state is KeyState.DECRYPT_ONLY
    with pytest.raises(ConfigurationError, match="empty id or text"):
        Key.from_legacy_text("old", "")


def test_derived_keys_depend_on_key_salt_and_purpose():
    nonce = bytes(12)
    ciphers = [
        Key("k1", SECRET).derive(b"s" * 16, b"a"),
        Key("k1", SECRET).derive(b"t" * 16, b"a"),
        Key("k1", SECRET).derive(b"s" * 16, b"b"),
        Key("k1", SECRET[::-1]).derive(b"s" * 16, b"a"),
        Key("k1", SECRET).aead,
    ]

    assert len({cipher.encrypt(nonce, b"x" * 16, None) for cipher in ciphers}) == len(ciphers)


def test_a_ring_has_one_active_key_and_says_which_others_it_holds():
    ring = KeyRing.from_keys({"k2": SECRET, "k1": SECRET[::-1]}, active="k2", revoked=["k0"])

    assert isinstance(ring, KeyProvider)
    assert (ring.active().id, ring.ids()) == ("k2", ["k2", "k1"])
    assert ring.find("k0").state is KeyState.REVOKED
    assert ring.find("k9") is None
    with pytest.raises(RevokedKeyError):
        _ = ring.find("k0").aead
    with pytest.raises(RevokedKeyError):
        ring.find("k0").derive(b"", b"")


def test_every_change_begins_a_generation():
    ring = KeyRing.from_keys({"k1": SECRET}, active="k1")
    first = ring.generation

    ring.revoke("unheard of")
    second = ring.generation
    ring.replace([Key("k2", SECRET, state=KeyState.DECRYPT_ONLY)])

    assert first < second < ring.generation
    with pytest.raises(NoActiveKeyError, match="holds k2, none of which is active"):
        ring.active()


async def test_a_ring_in_memory_has_nobody_to_ask():
    assert await KeyRing.from_keys({"k1": SECRET}, active="k1").refresh("k9") is False


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([Key("k1", SECRET), Key("k1", SECRET)], "Key ids occur twice: k1"),
        ([Key("k1", SECRET), Key("k2", SECRET)], "k1, k2 are all active"),
    ],
)
def test_contradictions_are_refused_and_change_nothing(keys, message):
    ring = KeyRing.from_keys({"k0": SECRET}, active="k0")

    with pytest.raises(ConfigurationError, match=message):
        ring.replace(keys)
    assert ring.active().id == "k0"


@pytest.mark.parametrize(("active", "revoked"), [("k9", []), ("k1", ["k1"])])
def test_the_active_key_has_to_be_usable(active, revoked):
    with pytest.raises(ConfigurationError, match="not among the usable keys"):
        KeyRing.from_keys({"k1": SECRET}, active=active, revoked=revoked)


def test_keys_are_equal_by_what_they_are():
    assert Key("k1", SECRET) == Key("k1", SECRET)
    assert len({Key("k1", SECRET), Key("k1", SECRET)}) == 1
    assert Key("k1", SECRET) != Key("k1", SECRET[::-1])
    assert Key("k1", SECRET) != Key("k1", SECRET).with_state(KeyState.DECRYPT_ONLY)
    assert Key("k1", SECRET) != "k1"
