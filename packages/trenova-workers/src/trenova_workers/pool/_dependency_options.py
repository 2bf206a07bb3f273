"""What the tasks of a pool need, and how to see whether it works."""

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

_PORTS = range(1, 65_536)


class DependencyOptions(BaseModel):
    """One dependency: an address to connect to, or a health check over HTTP.

    Attributes:
        name: As the sentences of decisions call it.
        tcp: ``host:port``; it works if it takes a connection.
        url: It works if it answers with a status below 500. Without user and password: the file is read by many.
        timeout_s: Seconds in which it has to answer.
        every_s: Seconds for which an answer is good.
        failures: So many in a row, and it is down. One answer, and it is up again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    tcp: str | None = Field(default=None, max_length=300)
    url: str | None = Field(default=None, max_length=2000)
    timeout_s: float = Field(default=2, gt=0, le=5)
    every_s: float = Field(default=10, ge=1, le=3600)
    failures: int = Field(default=2, ge=1, le=100)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.tcp is None) == (self.url is None):
            raise ValueError("say either tcp (host:port) or url, and not both")
        if self.tcp is not None:
            _, port = _split(self.tcp)
            if port not in _PORTS:
                raise ValueError("tcp is no host:port; write for instance db.internal:5432, or [::1]:5432")
        if self.url is not None:
            _require_plain(self.url)
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of ``tcp``."""
        return _split(self.tcp or "")

    @property
    def target(self) -> str:
        """What is asked, for people; of a URL only the host."""
        return self.tcp or str(TypeAdapter(HttpUrl).validate_python(self.url).host)


def _split(text: str) -> tuple[str, int]:
    """Return host and port; port 0 where it is neither."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    plain = bool(bare) and (":" not in bare or bare != host) and not set(bare) & set(" /@")
    return bare, int(port) if plain and port.isascii() and port.isdecimal() else 0


def _require_plain(url: str) -> None:
    try:
        told = TypeAdapter(HttpUrl).validate_python(url)
    except ValidationError:
        raise ValueError("url is none; write for instance https://rates.internal/health") from None
    if told.username or told.password:
        raise ValueError("url has a user or a password in it; give it an address that needs none")
