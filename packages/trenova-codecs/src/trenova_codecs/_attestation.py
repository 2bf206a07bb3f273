"""How a worker proves that it holds a key without showing it.

The one who asks seals a nonce under a subkey of the key; whoever holds the key opens it and seals it again
under another subkey. Neither message says anything about the key, and an answer counts only for the process
that was asked. Wire contract of version 1; everything else that is asked or answered is a field more::

    task queue   trenova-codecs/attest/<instance>
    workflow     trenova_codecs.AttestKey, one argument and one result, both JSON
    argument     {"version": 1, "instance": ..., "keyId": ..., "sealed": base64(iv || AES-256-GCM(nonce))}
    result       {"instance": ..., "proof": base64(iv || AES-256-GCM(nonce)) or null, "active": key id or null}
    subkeys      HKDF-SHA256(key, salt "", info "trenova-codecs/attest/1/question" or ".../answer")
    aad          instance || 0x00 || key id
"""

import hmac
import os
import secrets
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trenova_codecs._key_text import read_base64, write_base64
from trenova_codecs._keys import Key

ATTEST_WORKFLOW: Final = "trenova_codecs.AttestKey"
"""Workflow type; one run is one question to one process."""
QUEUE_PREFIX: Final = "trenova-codecs/attest/"
"""Followed by the instance: the task queue on which one process answers."""

PLUGIN_NAME: Final = "trenova_codecs.CodecPlugin"
"""Followed by ``/<instance>``: what ListWorkers shows among the plugins of a worker that can be asked."""

_QUESTION: Final = b"trenova-codecs/attest/1/question"
_ANSWER: Final = b"trenova-codecs/attest/1/answer"
_IV_BYTES: Final = 12
_NONCE_BYTES: Final = 32


def instance_of(plugin_names: Iterable[str]) -> str | None:
    """Return the instance in the names of a worker's plugins; None for a worker that cannot be asked."""
    found = (name.rpartition("/") for name in plugin_names)
    return next((instance for name, slash, instance in found if slash and name == PLUGIN_NAME), None)


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Question(_Wire):
    """Do you hold this key?"""

    version: int = 1
    instance: str = Field(max_length=200)
    key_id: str = Field(max_length=256)
    sealed: str = Field(max_length=500)


class Answer(_Wire):
    """What a process says.

    Attributes:
        instance: Whose answer it is.
        proof: The nonce, sealed again; None from a process that does not hold the key.
        active: The id of the key that the process encrypts with; None if it has none.
    """

    instance: str = Field(max_length=200)
    proof: str | None = Field(default=None, max_length=500)
    active: str | None = Field(default=None, max_length=256)


class Challenge:
    """One question to one process, and what only a holder of the key can answer.

    Args:
        key: The key that the process is to hold.
        instance: The process.
    """

    def __init__(self, key: Key, instance: str) -> None:
        self._key, self._nonce = key, secrets.token_bytes(_NONCE_BYTES)
        sealed = _seal(key.derive(b"", _QUESTION), self._nonce, _aad(instance, key.id))
        self.question = Question(instance=instance, key_id=key.id, sealed=sealed)

    def is_met_by(self, answer: Answer) -> bool:
        """Whether the answer proves that its sender holds the key."""
        if answer.proof is None or answer.instance != self.question.instance:
            return False
        aad = _aad(answer.instance, self._key.id)
        opened = _open(self._key.derive(b"", _ANSWER), self._key.id, answer.proof, aad)
        return opened is not None and hmac.compare_digest(opened, self._nonce)


def prove(question: Question, key: Key) -> str | None:
    """Answer a question about this key; None where the question was sealed under another."""
    aad = _aad(question.instance, key.id)
    nonce = _open(key.derive(b"", _QUESTION), key.id, question.sealed, aad)
    return None if nonce is None else _seal(key.derive(b"", _ANSWER), nonce, aad)


def _aad(instance: str, key_id: str) -> bytes:
    return instance.encode() + b"\0" + key_id.encode()


def _seal(cipher: AESGCM, plain: bytes, aad: bytes) -> str:
    iv = os.urandom(_IV_BYTES)
    return write_base64(iv + cipher.encrypt(iv, plain, aad))


def _open(cipher: AESGCM, key_id: str, sealed: str, aad: bytes) -> bytes | None:
    data = read_base64(key_id, sealed)
    try:
        return cipher.decrypt(data[:_IV_BYTES], data[_IV_BYTES:], aad)
    except (InvalidTag, ValueError):
        return None
