"""What the one who is woken does about each kind of failure."""

from typing import Final

from trenova_errors._kinds import ErrorKind

RUNBOOK: Final = {
    ErrorKind.RETRYABLE: """\
Nothing yet: the next attempt is on its way. `temporal workflow describe -w ID` shows which attempt the activity is
at and what the last one failed with. If attempts go on past ten, look at `code`: a deadlock or a serialization
failure that does not end means that two jobs write the same rows in different orders, and `unclassified` means that
nobody has decided about this exception: decide with a `Rule`, or report it. After the cause is gone, `temporal
activity reset -w ID --activity-id NAME` makes the next attempt now instead of after its delay.""",
    ErrorKind.NON_RETRYABLE: """\
The run has failed and will fail the same way if it is started again as it is. Read the failure with `temporal
workflow show -w ID`; `code` and the stack trace name the line. Mostly it is a defect or a driver that was used
wrongly: hand it to those who own the job. When a mended worker is deployed, take the run up again.""",
    ErrorKind.THROTTLE: """\
The other side works and asks for fewer requests; attempts wait as long as it said. Do not restart anything, because
that forgets the delay and asks again. If it lasts, lower the rate of the queue or the concurrency of the activity,
or ask for a higher quota. SQLSTATE 53300 (too many connections) means that the pools of all processes together are
larger than `max_connections`.""",
    ErrorKind.INVALID_INPUT: """\
Nobody has to be woken: the request was wrong and its sender has the answer, with the path of each field. If many
arrive at once, a new version of a caller sends something else than the worker expects: compare when the two were
deployed, and roll back the one that changed. The same request fails again however often it is sent.
If `code` is `type.pydantic_core.ValidationError` and the caller is innocent, a model of our own did not fit an answer
or a stored row: the code that validates there should raise `DataIntegrityError` from it.""",
    ErrorKind.RESOURCE_NOT_FOUND: """\
Nobody has to be woken: what was asked for does not exist, or not for this organization. If it should exist, look
whether the id belongs to another environment or organization, and whether a replica that was read lags behind. An
HTTP 404 of everything means a wrong base URL, which is a setting of ours.""",
    ErrorKind.PERMISSION_DENIED: """\
Nobody has to be woken: the one who asked may not do this, and was told so; code that knows
raises it. If everybody is refused since a certain
moment, a role or a policy has changed; undo that. What our own process may not do (its login, its database role,
its cloud credentials, HTTP 403 from a service that it calls) is [`configuration`](#configuration), not this.""",
    ErrorKind.DATA_INTEGRITY: """\
Stored data and the request contradict each other, or stored data or an answer cannot be read; a retry meets
the same data. Stop what
writes there if `code` is `sqlstate.XX001`, `sqlstate.XX002` or `sqlite.SQLITE_CORRUPT`, and restore from a copy.
Otherwise the name of the constraint is in the database's log at the time of the failure: a violated foreign key or
check is a defect of the job or of whoever wrote the rows. Where two writers race to insert the same row by design,
SQLSTATE 23505 wants a `Rule` that makes it `retryable`.""",
    ErrorKind.CONFLICT: """\
Nobody has to be woken: what was asked for contradicts what has been done already, mostly the same key with another
content, or a workflow that runs already. The caller reads the present state and decides again. If a conflict seems
impossible, look for a second caller that uses the same keys.""",
    ErrorKind.AMBIGUOUS: """\
Look before doing anything again: a request was sent, and nobody knows whether it took effect. Ask the other side,
by the idempotency key or the row that the effect would have left (the job's own record, the carrier's portal, the
outbox of the mail server). If it took effect, complete the run by hand or let the saga go on; if it did not, start
it again with the same key. If this activity may be done twice, its author declares it idempotent, and this kind is
retried. A time-out of Temporal itself (START_TO_CLOSE, HEARTBEAT) is retried by the server before anybody is asked: an
activity that must not be done twice needs `maximum_attempts=1`, or `retry_timed_out=False` in its policy.""",
    ErrorKind.UNAVAILABLE: """\
Something the work depends on does not answer: the attempts go on and nothing is lost while it is down. The stack
trace names the client; check that host and port from the worker's machine, then the state of the service behind. A
database that is failing over, restarting or out of disk shows here too. Once it is back, `temporal activity reset
-w ID --activity-id NAME` makes the next attempt now instead of after its delay, which may have grown to minutes.""",
    ErrorKind.CONFIGURATION: """\
Somebody of ours has to change a setting; attempts would only repeat it, so there are none. `code` says which: a
login or a privilege that is refused (`sqlstate.28P01`, `sqlstate.42501`, `http.401`, `http.403`,
`grpc.UNAUTHENTICATED`), a table that is missing (`sqlstate.42P01`: run `prepare`), a host
name that does not exist (`getaddrinfo.EAI_NONAME`),
a certificate that is not trusted. Put it right, then take the run up again.""",
    ErrorKind.PAYLOAD_TOO_LARGE: """\
An argument, a result or a body is larger than the other side takes, and it will be the next time. Split the work,
or pass a reference to where the data is. A server refuses payloads beyond 2 MiB unless it was told otherwise;
raising that limit moves the problem.""",
}
"""One paragraph of Markdown for each kind, for somebody who sees it for the first time at 3 am."""

AGAIN: Final = """\
To take a failed run up again: `temporal workflow show -w ID` lists its events. Find the `ActivityTaskScheduled` of the
activity that failed and the `WorkflowTaskCompleted` before it, and give that one's number N to
`temporal workflow reset -w ID --event-id N --reason TEXT`. What the run did before N is kept; the activity is
done anew. `temporal workflow list --query "ExecutionStatus='Failed'"` finds the runs."""
"""How the paragraphs' last step is done."""

WORKFLOW_TASK: Final = """\
The code of a line that says that a workflow task failed; no kind. Workflow code has raised what is no failure of the
run, mostly a bug or something that a workflow may not do, so the run stays open, and Temporal tries the task again
until it succeeds. The same code fails again however often that is; `error_types` and `error_stack` name the line.
Deploy mended code, and the runs go on where they were; `temporal workflow reset` is for those that have to go back."""
