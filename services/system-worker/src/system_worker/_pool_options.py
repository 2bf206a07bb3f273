"""Which pool manager the console asks."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PoolManagerOptions(BaseModel):
    """Which pool manager the page of workers asks.

    Attributes:
        url: Address of its API, without ``/api/v1``; without one it is found by the file that it leaves in the data
            folder of this machine.
        token_file: Holds an API token of the manager, with the roles ``operator`` and ``delegate`` there.
        timeout_s: Seconds for one request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str | None = None
    token_file: Path | None = None
    timeout_s: float = Field(default=5, gt=0, le=60)

    @model_validator(mode="after")
    def _hold_together(self) -> "PoolManagerOptions":
        if self.token_file is not None and self.url is None:
            raise ValueError("token_file is the token for url; give both, or neither")
        return self
