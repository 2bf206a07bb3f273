"""What a process is told about its codecs, as settings hold it."""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trenova_codecs._chain import MAX_PAYLOADS_BYTES, CodecChain
from trenova_codecs._compression import CompressionCodec, CompressionOptions
from trenova_codecs._encryption import EncryptionCodec
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._keys import KeyProvider
from trenova_codecs._plaintext import OnPlaintext
from trenova_codecs._sealing import Format
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError

_DEVELOPMENT: Final = "dev"
_log = logging.getLogger("trenova_codecs")


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KeyFile(_Options):
    """A key ring file, as ``trenova-codecs keys init`` makes it."""

    source: Literal["file"] = "file"
    path: Path


class KeyDirectory(_Options):
    """A folder with a file per key, as Kubernetes mounts a secret."""

    source: Literal["directory"]
    path: Path


class KeyEnvironment(_Options):
    """Variables ``TEMPORAL_ENCRYPTION_KEY_<id>``; the path of another source, from a lower layer, may stay."""

    model_config = ConfigDict(extra="ignore")

    source: Literal["environment"]


class KeyAwsKms(_Options):
    """A key ring file whose keys AWS KMS has sealed.

    Attributes:
        path: Made by ``trenova-codecs keys init --aws-kms``.
        region: Of KMS, where the file does not say.
        endpoint_url: Another address of KMS, e.g. that of a VPC endpoint.
    """

    source: Literal["aws_kms"]
    path: Path
    region: str | None = None
    endpoint_url: str | None = None


KeySourceOptions: TypeAlias = Annotated[
    KeyFile | KeyDirectory | KeyEnvironment | KeyAwsKms, Field(discriminator="source")
]


class EncryptionOptions(_Options):
    """How to encrypt.

    Attributes:
        keys: Where the keys are; None if the program gives the ring itself.
        format: ``compat`` is read by the samples of other SDKs. ``v2`` authenticates its metadata and has no
            limit of messages per key; switch when every worker and client reads it.
        on_plaintext: ``reject``, ``warn`` or ``allow`` payloads that are not encrypted.
        plaintext_until: The last day (UTC) on which ``reject`` only warns.
        failures: Whether messages and stack traces of failures are encrypted. Their type never is.
        headers: Whether headers are encrypted, which trace contexts and the like travel in. Callers that
            write plain ones are then refused with ``on_plaintext="reject"``.
        prove_keys: Whether workers answer ``trenova-codecs keys promote``, on a task queue of each process.
        grpc_compression: Whether the connection compresses its messages once more, which is the SDK's default
            and takes time for nothing where payloads are encrypted.
    """

    keys: KeySourceOptions | None = None
    format: Format = "compat"
    on_plaintext: OnPlaintext = "reject"
    plaintext_until: date | None = None
    failures: bool = True
    headers: bool = True
    prove_keys: bool = True
    grpc_compression: bool = False


class CodecOptions(_Options):
    """Everything a process may be told about its codecs.

    Attributes:
        encryption: None not to encrypt; encrypted payloads are then refused by a typed error.
        compression: None not to compress; compressed payloads are read all the same.
        max_encoded: Most bytes that the payloads of one field may have together once encoded; what Temporal
            takes by default. It does not apply where external storage is set up.
        max_decompressed: Most bytes that one payload may have once decompressed, without ``compression``,
            which has its own.
        plain_because: Why payloads may be in clear outside development, in a sentence that the log repeats at
            every start; see :meth:`require_protection`. Refused where nothing may be in clear.
    """

    encryption: EncryptionOptions | None
    compression: CompressionOptions | None = CompressionOptions()
    max_encoded: int = Field(default=MAX_PAYLOADS_BYTES, ge=1024)
    plain_because: str | None = Field(default=None, min_length=10, max_length=500)

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.encryption is None and self.compression is None:
            raise ValueError("neither encryption nor compression is set: leave the codec out instead")
        if self.plain_because is not None and not self._in_clear():
            raise ValueError("plain_because is set, but nothing may be in clear: remove it")
        return self

    def require_protection(self, env: str) -> Self:
        """Refuse settings that leave payloads in clear outside development, unless they say why.

        Args:
            env: ``dev``, or what else ``TRENOVA_ENV`` says.

        Returns:
            These options. What ``plain_because`` allows is logged as a warning.

        Raises:
            ConfigurationError: Something may be in clear, and ``plain_because`` is not set.
        """
        what = self._in_clear()
        if not what or env == _DEVELOPMENT:
            return self
        if self.plain_because is None:
            raise ConfigurationError(
                f"With env {env!r} {what}, so nothing was started. Set codec.encryption with its keys and "
                "on_plaintext: reject; what was stored before encryption is read until the day in plaintext_until. "
                "Where it has to be like this, say why in codec.plain_because (TRENOVA_CODEC__PLAIN_BECAUSE).",
                option="plain_because",
            )
        _log.warning("With env %r %s: %s", env, what, self.plain_because)
        return self

    def _in_clear(self) -> str:
        """Say what may be in clear; empty where nothing may."""
        if self.encryption is None:
            return "payloads are not encrypted (codec.encryption is null)"
        if self.encryption.on_plaintext != "reject":
            how = self.encryption.on_plaintext
            return f"payloads that nobody encrypted are accepted (codec.encryption.on_plaintext is {how})"
        return ""

    def within(self, data_dir: Path) -> Self:
        """Return these options with ``{data_dir}`` in the path of the keys replaced."""
        if self.encryption is None or not isinstance(self.encryption.keys, KeyFile | KeyDirectory | KeyAwsKms):
            return self
        path = Path(str(self.encryption.keys.path).replace("{data_dir}", str(data_dir)))
        keys = self.encryption.keys.model_copy(update={"path": path})
        return self.model_copy(update={"encryption": self.encryption.model_copy(update={"keys": keys})})

    def open_ring(self, environ: Mapping[str, str]) -> KeyProvider | None:
        """Open the key ring that ``encryption.keys`` names; None without encryption.

        Args:
            environ: The environment of the process, as its entry function has it.

        Raises:
            ConfigurationError: No source is named, or what it holds are no keys.
            CodecError: It cannot be read.
        """
        if self.encryption is None:
            return None
        keys = self.encryption.keys
        match keys:
            case KeyFile(path=path):
                return KeyRing.from_file(path)
            case KeyDirectory(path=path):
                return KeyRing.from_directory(path)
            case KeyEnvironment():
                return KeyRing.from_environ(environ)
            case KeyAwsKms(path=path, region=region, endpoint_url=endpoint_url):
                return KeyRing.from_aws_kms(path, region=region, endpoint_url=endpoint_url)
        raise ConfigurationError(
            "CodecOptions.encryption names no keys. Set encryption.keys.source to file, directory, environment or "
            "aws_kms, and what that source needs (TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE, ..._PATH); or give "
            "CodecPlugin a ring.",
            option="keys",
        )

    def chain(self, ring: KeyProvider | None, *, side: Side = Side.CALLER) -> CodecChain:
        """Build the codec that these options describe.

        Args:
            ring: The keys; needed with encryption and of no use without.
            side: Where errors are met.

        Raises:
            ConfigurationError: There is encryption without a ring, or the other way round.
        """
        if (self.encryption is None) != (ring is None):
            raise ConfigurationError(
                "A key ring is needed with encryption and of no use without: "
                f"encryption is {'off' if self.encryption is None else 'on'}, "
                f"a ring was {'not ' if ring is None else ''}given.",
                option="encryption",
            )
        codecs: list[CompressionCodec | EncryptionCodec] = []
        if self.compression is not None:
            codecs.append(CompressionCodec(self.compression))
        if self.encryption is not None and ring is not None:
            codecs.append(
                EncryptionCodec(
                    ring,
                    format=self.encryption.format,
                    on_plaintext=self.encryption.on_plaintext,
                    plaintext_until=self.encryption.plaintext_until,
                )
            )
        chain = CodecChain.outbound(*codecs, max_encoded=self.max_encoded)
        chain.side = side
        return chain
