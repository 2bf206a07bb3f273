"""Where a load is pushed to."""

from dataclasses import dataclass

from temporalio.client import Client


@dataclass(frozen=True)
class Site:
    """One queue.

    Attributes:
        client: As a caller has it.
        queue: The task queue; the ids of its workflows begin with it.
        carrier_port: Where the slow carrier listens on loopback.
    """

    client: Client
    queue: str
    carrier_port: int
