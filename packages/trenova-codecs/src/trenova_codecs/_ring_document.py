"""The key ring file's content: JSON, version 1.

::

    {"version": 1, "revision": 3, "plaintext_until": null, "keys": [
      {"id": "k1", "state": "decrypt_only", "since": "2026-11-22T10:00:00Z", "created": ...,
       "material": {"kind": "aes-256", "key": "<32 bytes, base64>"}},
      {"id": "k2", "state": "active", ...,
       "material": {"kind": "aws-kms", "wrapped": "<base64>", "kms_key": "arn:aws:kms:...", "region": "eu-west-1"}},
      {"id": "old key", "state": "decrypt_only", ..., "material": {"kind": "legacy", "text": "<as it was typed>"}},
      {"id": "k0", "state": "retired", ...}]}

Retired and revoked keys stay as names without material, so that an id is never used twice.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_serializer,
    model_validator,
)

from trenova_codecs._errors import KeyRingError
from trenova_codecs._key_text import read_key, write_base64
from trenova_codecs._keys import KEY_ID, Key, KeyState
from trenova_codecs._side import Side

USABLE: Final = (KeyState.ACTIVE, KeyState.DECRYPT_ONLY)
"""The states in which a key has material."""


class _Frozen(BaseModel):
    # A validation error must not show what it was given: it may be a key in the wrong place.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AesMaterial(_Frozen):
    """32 random bytes, in base64."""

    kind: Literal["aes-256"] = "aes-256"
    key: SecretStr

    @field_serializer("key", when_used="json")
    def _reveal(self, key: SecretStr) -> str:
        return key.get_secret_value()

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """Hold the secret."""
        return cls(key=SecretStr(write_base64(secret)))


class LegacyMaterial(_Frozen):
    """The text from which the replaced system made a key by padding or cutting it; it only decrypts."""

    kind: Literal["legacy"] = "legacy"
    text: SecretStr = Field(min_length=1)

    @field_serializer("text", when_used="json")
    def _reveal(self, text: SecretStr) -> str:
        return text.get_secret_value()


class AwsKmsMaterial(_Frozen):
    """A data key as AWS KMS sealed it; only KMS can open it."""

    kind: Literal["aws-kms"] = "aws-kms"
    wrapped: str = Field(min_length=1, max_length=8192, description="CiphertextBlob, base64")
    kms_key: str = Field(min_length=1, max_length=2048, description="id, ARN or alias of the KMS key")
    region: str | None = None


Material: TypeAlias = Annotated[AesMaterial | LegacyMaterial | AwsKmsMaterial, Field(discriminator="kind")]


class KeyEntry(_Frozen):
    """One key of the file.

    Attributes:
        id: As it stands in payloads.
        state: What may be done with it.
        created: When it was made.
        since: When it came into its state.
        used: Whether anything may have been encrypted with it; false for a new key until it is promoted.
        material: The key, sealed or not; None once it is retired or revoked.
    """

    id: str = Field(min_length=1, max_length=256)
    state: KeyState
    created: AwareDatetime
    since: AwareDatetime
    used: bool = True
    material: Material | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        legacy = isinstance(self.material, LegacyMaterial)
        if self.material is not None and not legacy and not KEY_ID.fullmatch(self.id):
            raise ValueError("a key id is 1 to 64 of A-Z, a-z, 0-9, '_' and '-'")
        if self.material is not None and self.state not in USABLE:
            raise ValueError(
                f"key {self.id!r} is {self.state.value}, but its material is there still: no command took it away; "
                "make it decrypt_only here, promote another key ('keys promote ID', 'keys add' makes "
                "one), then run 'keys retire' or 'keys revoke'"
            )
        if self.material is None and self.state in USABLE:
            raise ValueError(f"key {self.id!r} is {self.state.value}, but has no material")
        if legacy and self.state is KeyState.ACTIVE:
            raise ValueError("a legacy key only decrypts")
        return self

    def to_key(self) -> Key | None:
        """Return the key as codecs take it; None where KMS has to open it first.

        Raises:
            ConfigurationError: The material is no key.
        """
        match self.material:
            case AesMaterial(key=key):
                return read_key(self.id, key.get_secret_value(), state=self.state)
            case LegacyMaterial(text=text):
                return Key.from_legacy_text(self.id, text.get_secret_value())
            case AwsKmsMaterial():
                return None
        return Key.revoked(self.id) if self.state is KeyState.REVOKED else None


class RingDocument(_Frozen):
    """The whole file.

    Attributes:
        version: Of this layout.
        revision: Grows with every change.
        plaintext_until: The last day (UTC) on which payloads that are not encrypted are accepted; None for
            never. It is set where a ring is adopted beside histories that are there already.
        keys: In the order in which they were added.
    """

    version: Literal[1] = 1
    revision: int = Field(default=1, ge=1)
    plaintext_until: date | None = None
    keys: tuple[KeyEntry, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        ids = [key.id for key in self.keys]
        if len(set(ids)) != len(ids):
            raise ValueError("a key id occurs twice")
        if sum(key.state is KeyState.ACTIVE for key in self.keys) > 1:
            raise ValueError("more than one key is active")
        return self

    @property
    def active(self) -> KeyEntry | None:
        """The key to encrypt with."""
        return next((key for key in self.keys if key.state is KeyState.ACTIVE), None)

    def find(self, key_id: str) -> KeyEntry | None:
        """Return the entry of that id, whatever its state."""
        return next((key for key in self.keys if key.id == key_id), None)

    def changed(self, *entries: KeyEntry) -> Self:
        """Return the next revision, with entries in place of those of the same id, new ones at the end."""
        replaced = {entry.id: entry for entry in entries}
        kept = [replaced.pop(key.id, key) for key in self.keys]
        return type(self)(
            revision=self.revision + 1,
            plaintext_until=self.plaintext_until,
            keys=(*kept, *replaced.values()),
        )

    def to_json(self) -> str:
        """Return the file's content, keys in clear."""
        return self.model_dump_json(indent=2, exclude_none=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, path: str) -> Self:
        """Read a file's content.

        Raises:
            KeyRingError: It is not one. The message has places and rules, never values.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: "
                + fault["msg"].removeprefix("Value error, ")
                for fault in error.errors(include_input=False, include_url=False, include_context=False)[:5]
            )
        # Outside of the handler: the cause would keep what was read.
        raise KeyRingError(
            f"{path} is not a key ring: {faults}. Restore it from a backup; keys cannot be made again.",
            side=Side.CALLER,
            path=path,
        )


def new_entry(key_id: str, state: KeyState, material: Material | None, *, used: bool) -> KeyEntry:
    """Make an entry for a key that comes onto the ring just now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return KeyEntry(id=key_id, state=state, created=now, since=now, used=used, material=material)


def moved(key: KeyEntry, state: KeyState, material: Material | None) -> KeyEntry:
    """Return the entry in the state that it comes into just now."""
    now = datetime.now(UTC).replace(microsecond=0)
    used = key.used or state is KeyState.ACTIVE
    return KeyEntry(id=key.id, state=state, created=key.created, since=now, used=used, material=material)
