"""gRPC status codes (grpc.io/docs/guides/status-codes), as a client sees them."""

from typing import Final

from trenova_errors._decision import Decision, rows

_TABLE: Final = """\
# key kind name
CANCELLED unavailable cancelled, or out of time (what clients in Rust and Temporal's say)
UNKNOWN retryable unknown
INVALID_ARGUMENT invalid_input invalid argument
DEADLINE_EXCEEDED unavailable deadline exceeded
NOT_FOUND resource_not_found not found
ALREADY_EXISTS conflict already exists
PERMISSION_DENIED configuration permission denied
RESOURCE_EXHAUSTED throttle resource exhausted
FAILED_PRECONDITION non_retryable failed precondition
ABORTED retryable aborted
OUT_OF_RANGE invalid_input out of range
UNIMPLEMENTED configuration unimplemented
INTERNAL retryable internal
UNAVAILABLE unavailable unavailable
DATA_LOSS data_integrity data loss
UNAUTHENTICATED configuration unauthenticated
"""

GRPC: Final[dict[str, Decision]] = dict(rows(_TABLE))
"""Every code but ``OK``, by name."""

NUMBERS: Final = ("OK", *GRPC)
"""Names in the order of their numbers, from 0, as the table has them."""
