"""The setting by which a service or a tool is told its rules."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class RoutingOptions(BaseModel):
    """How starts are routed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Path | None = None
    """YAML or JSON file of routing rules, relative to the working directory; without it starts go as callers say."""
