"""A second decoder, written from docs/payload-formats.md alone; it shares no code with the package.

Messages are parsed by hand, HKDF is HMAC twice, and AES-GCM is the cipher with a mode rather than the AEAD class.
"""

import gzip
import hashlib
import hmac
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

Message = tuple[dict[str, bytes], bytes]


def decode(serialized: bytes, keys: dict[str, bytes]) -> bytes:
    """Return the serialized content of a serialized payload."""
    for _ in range(8):
        metadata, data = parse(serialized)
        encoding = metadata.get("encoding")
        if encoding == b"binary/encrypted":
            serialized = open_gcm(keys[metadata["encryption-key-id"].decode()], data, b"")
        elif encoding == b"binary/trenova-encrypted-v2":
            serialized = open_v2(metadata, data, keys)
        elif encoding == b"binary/gzip" and len(metadata) == 1:
            serialized = gzip.decompress(data)
        elif encoding == b"binary/zlib" and len(metadata) == 1:
            serialized = zlib.decompress(data)
        elif encoding == b"binary/trenova-literal" and len(metadata) == 1:
            return data
        else:
            return serialized
    raise ValueError("more than eight layers")


def open_v2(metadata: dict[str, bytes], data: bytes, keys: dict[str, bytes]) -> bytes:
    assert metadata["encryption-algorithm"] == b"HKDF-SHA256/AES-256-GCM"
    salt = metadata["encryption-salt"]
    key = keys[metadata["encryption-key-id"].decode()]
    extracted = hmac.digest(salt, key, hashlib.sha256)
    subkey = hmac.digest(extracted, b"trenova-codecs v2 payload key\x01", hashlib.sha256)
    names = ("encoding", "encryption-algorithm", "encryption-key-id", "encryption-salt", "encryption-data-key")
    aad = b""
    for name in names:
        value = metadata.get(name, b"")
        aad += len(value).to_bytes(4, "big") + value
    return open_gcm(subkey, data, aad)


def open_gcm(key: bytes, data: bytes, aad: bytes) -> bytes:
    nonce, ciphertext, tag = data[:12], data[12:-16], data[-16:]
    decryptor = Cipher(AES(key), GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(ciphertext) + decryptor.finalize()


def parse(message: bytes) -> Message:
    metadata: dict[str, bytes] = {}
    data = b""
    for field, value in fields(message):
        if field == 1:
            entry = dict(fields(value))
            metadata[entry.get(1, b"").decode()] = entry.get(2, b"")
        elif field == 2:
            data = value
    return metadata, data


def fields(message: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(message):
        tag, at = varint(message, at)
        assert tag & 7 == 2, "only length-delimited fields"
        size, at = varint(message, at)
        found.append((tag >> 3, message[at : at + size]))
        at += size
    assert at == len(message)
    return found


def varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
