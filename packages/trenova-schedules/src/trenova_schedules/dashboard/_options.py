"""What the dashboard is told."""

from typing import Annotated
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it is no address of a page; write it as in 'https://temporal.example.com'")
    return value.rstrip("/")


class DashboardOptions(BaseModel):
    """The pages.

    Attributes:
        enabled: Whether there are any.
        title: What the pages are called, beside the namespace: which environment this is.
        temporal_ui: Address of the Temporal UI, for links to runs and schedules; without it there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True
    title: str = "Schedules"
    temporal_ui: Annotated[str, AfterValidator(_address)] | None = None

    def run_link(self, namespace: str, workflow_id: str, run_id: str = "") -> str | None:
        """Return the address of a run in the Temporal UI; None without one."""
        if self.temporal_ui is None:
            return None
        run = f"/{_segment(run_id)}" if run_id else ""
        return f"{self.temporal_ui}/namespaces/{_segment(namespace)}/workflows/{_segment(workflow_id)}{run}"

    def schedule_link(self, namespace: str, schedule_id: str) -> str | None:
        """Return the address of a schedule in the Temporal UI; None without one."""
        if self.temporal_ui is None:
            return None
        return f"{self.temporal_ui}/namespaces/{_segment(namespace)}/schedules/{_segment(schedule_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="")
