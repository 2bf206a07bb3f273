"""What a codec server is told: frozen, checked when it is given."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trenova_access import AccessOptions, Grant, LimitOptions, Roles, SignInOptions
from trenova_access.serving import ListenOptions
from trenova_codecs._options import CodecOptions, EncryptionOptions

READER: Final = "reader"
"""May decode."""
WRITER: Final = "writer"
"""May encode, and decode: as in Temporal's own authorizer, who may write a namespace may read it."""
ROLES: Final = Roles({READER: (), WRITER: [READER]})

DEFAULT_PORT: Final = 8234
"""Beside the Temporal UI's 8233."""

_EVERYWHERE: Final = (Grant(resource="*", role=WRITER),)


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _trimmed(value: str) -> str:
    if value != value.strip() or not value:
        raise ValueError("it is empty or has spaces around it; write the name alone")
    return value


KeyPattern = Annotated[str, AfterValidator(_trimmed)]
Namespace = Annotated[str, Field(max_length=255), AfterValidator(_trimmed)]
"""At most what Temporal takes, and what a request may name."""


class NamespaceOptions(_Options):
    """What one namespace may use.

    Attributes:
        keys: Ids of its keys; ``*`` stands for any characters, so that ``payments-*`` also covers the keys of
            later rotations. ``*`` alone assigns every key of the ring, which is right where it has one tenant.
        encode_with: The id of the key to encode with; otherwise it is the ring's active one, which then has
            to be among ``keys``.

    Raises:
        ValueError: An id is empty, or ``encode_with`` is none of ``keys``.
    """

    keys: tuple[KeyPattern, ...] = Field(min_length=1)
    encode_with: str | None = None

    @model_validator(mode="after")
    def _encodes_with_its_own(self) -> "NamespaceOptions":
        if self.encode_with is not None and not self.assigned(self.encode_with):
            raise ValueError("encode_with is none of keys, so nothing could be encoded; add it to keys")
        return self

    def assigned(self, key_id: str) -> bool:
        """Whether a key is one of this namespace's."""
        return any(re.fullmatch(_as_pattern(one), key_id) for one in self.keys)


def _as_pattern(assigned: str) -> str:
    return ".*".join(re.escape(part) for part in assigned.split("*"))


class BatchOptions(_Options):
    """What one request may hold and become.

    Attributes:
        max_payloads: Payloads in one request.
        max_output: Bytes of all payloads together once they are decoded or encoded.
    """

    max_payloads: int = Field(default=2000, gt=0)
    max_output: int = Field(default=32 * 1024 * 1024, gt=0)


def _local_access() -> AccessOptions:
    return AccessOptions(
        origins=("http://127.0.0.1:8233", "http://localhost:8233"),
        sign_in=SignInOptions(cookie="trenova-codec-server", grants=_EVERYWHERE),
        limits=LimitOptions(max_body=8 * 1024 * 1024, max_concurrent=32),
    )


class CodecServerOptions(_Options):
    """One codec server.

    Attributes:
        access: Who may call it; by default whoever can sign in on this machine, from the Temporal UI's pages.
        namespaces: Which namespaces are served, and with which keys.
        batch: Bounds of a request beside those of ``access``.
        codec: What encoding does: the same block that the workers and clients of the namespaces have. Decoding
            reads everything whatever it says, and lets pass what is not encrypted, because the Temporal UI
            sends whatever a history holds.
    """

    access: AccessOptions = Field(default_factory=_local_access)
    namespaces: Mapping[Namespace, NamespaceOptions] = Field(
        default_factory=lambda: {"default": NamespaceOptions(keys=("*",))}, min_length=1
    )
    batch: BatchOptions = BatchOptions()
    codec: CodecOptions = CodecOptions(encryption=EncryptionOptions())


class ServeOptions(CodecServerOptions, ListenOptions):
    """A codec server and where it listens; what is not said here is of ``trenova_access.serving.ListenOptions``.

    Attributes:
        keys_optional: Serve without keys while the ring file is not there yet, and take it up once it is.
        port: 0 chooses a free one.
        data_dir: Private folder, in which the running server leaves its address, sign-in link and key.
    """

    keys_optional: bool = False
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    data_dir: Path = Path(".trenova")
