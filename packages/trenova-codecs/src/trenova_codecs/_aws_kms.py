"""AWS KMS over boto3 (extra ``[aws]``): data keys made and opened, and why one could not be."""

import logging
from dataclasses import dataclass, field
from typing import Any, Final

from trenova_codecs._errors import KeyRingError
from trenova_codecs._side import Side

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 5.0
ATTEMPTS: Final = 2

_REFUSALS: Final = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)
"""What KMS answers where a key may not be used: it was disabled, deleted or taken away, or is another one."""
_CONTEXT: Final = "trenova-codecs:key-id"
"""Encryption context: KMS opens a data key only under the id that it was made for, and logs that id."""


class KmsRefusedError(KeyRingError):
    """KMS answered that this key may not be used, which is how it is revoked there.

    Facts: ``key_id``, ``reason`` (the code that KMS gave).
    """

    code = "codec.kms_refused"


class KmsUnavailableError(KeyRingError):
    """KMS could not be asked: no network, no credentials, too many requests, or a fault of its own.

    Facts: ``reason``.
    """

    code = "codec.kms_unavailable"


@dataclass(frozen=True)
class AwsKms:
    """A connection to KMS; credentials and a default region are boto3's own chain.

    Attributes:
        region: Where the keys are; None for boto3's default.
        endpoint_url: Another address, e.g. that of a VPC endpoint.
    """

    region: str | None = None
    endpoint_url: str | None = None
    _clients: dict[str | None, Any] = field(default_factory=dict, repr=False, compare=False)

    def generate(self, key_id: str, kms_key: str, *, region: str | None = None) -> bytes:
        """Let KMS make a data key of 32 bytes; return it as KMS sealed it. Nobody has seen it then.

        Args:
            key_id: The id that the data key will have on the ring.
            kms_key: Id, ARN or alias of the KMS key.
            region: In place of the connection's.

        Raises:
            KmsRefusedError: The KMS key may not be used.
            KmsUnavailableError: KMS could not be asked.
        """
        answer = self._ask(
            *(key_id, region, "generate_data_key_without_plaintext"),
            KeyId=kms_key,
            KeySpec="AES_256",
            EncryptionContext={_CONTEXT: key_id},
        )
        return bytes(answer["CiphertextBlob"])

    def open(self, key_id: str, wrapped: bytes, kms_key: str, *, region: str | None = None) -> bytes:
        """Let KMS open a data key that :meth:`generate` made under the same id.

        Raises:
            KmsRefusedError: The KMS key may not be used, or did not seal this.
            KmsUnavailableError: KMS could not be asked.
        """
        answer = self._ask(
            key_id, region, "decrypt", KeyId=kms_key, CiphertextBlob=wrapped, EncryptionContext={_CONTEXT: key_id}
        )
        return bytes(answer["Plaintext"])

    def _ask(self, key_id: str, region: str | None, operation: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._client(region), operation)(**arguments)
        except ClientError as error:
            reason = str(error.response.get("Error", {}).get("Code", "unknown"))
            refused = reason in _REFUSALS
        except BotoCoreError as error:
            reason, refused = type(error).__name__, False
        else:
            return answer
        # Outside of the handlers: boto3's errors carry the whole request.
        raise _refusal(key_id, arguments["KeyId"], reason) if refused else _unavailable(key_id, reason)

    def _client(self, region: str | None) -> Any:
        wanted = region or self.region
        if wanted not in self._clients:
            self._clients[wanted] = _connect(wanted, self.endpoint_url)
        return self._clients[wanted]


def _connect(region: str | None, endpoint_url: str | None) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError:
        raise KeyRingError(
            'Keys sealed by AWS KMS need the extra [aws]: uv pip install "trenova-codecs[aws]"', side=Side.CALLER
        ) from None
    logging.getLogger("botocore.parsers").addFilter(_no_plaintext)
    retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    # A session of its own: boto3's default one is not safe to use from several threads.
    try:
        return boto3.session.Session().client("kms", region_name=region, endpoint_url=endpoint_url, config=config)
    except ValueError:
        raise KeyRingError(
            f"The address of AWS KMS {endpoint_url!r} is no URL. Give one as https://HOST, or leave it out.",
            side=Side.CALLER,
        ) from None


def _no_plaintext(record: logging.LogRecord) -> bool:
    """Take opened data keys out of what botocore logs at DEBUG: the bodies of all answers."""
    if isinstance(record.args, tuple) and any("Plaintext" in str(arg) for arg in record.args):
        record.args = ("(hidden: it holds a data key)",) * len(record.args)
    return True


def _refusal(key_id: str, kms_key: str, reason: str) -> KmsRefusedError:
    return KmsRefusedError(
        f"AWS KMS refuses key {key_id!r} under {kms_key!r}: {reason}. Enable the KMS key and allow kms:Decrypt with "
        f"the encryption context {_CONTEXT!r}, or revoke {key_id!r} on the ring.",
        side=Side.CALLER,
        key_id=key_id,
        reason=reason,
    )


def _unavailable(key_id: str, reason: str) -> KmsUnavailableError:
    return KmsUnavailableError(
        f"AWS KMS could not be asked for key {key_id!r}: {reason}. Check network, region and credentials.",
        side=Side.CALLER,
        key_id=key_id,
        reason=reason,
    )
