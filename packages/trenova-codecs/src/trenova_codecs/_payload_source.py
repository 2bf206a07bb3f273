"""Where the payloads come from that a command looks at: stdin, a file, or a run on the server."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_codecs._cli_connect import connect_all, reason, refused
from trenova_codecs._payload_document import Document, read_document
from trenova_errors import ApplicationError, ConfigurationError, InvalidInputError, ResourceNotFoundError

STDIN: Final = "-"


@dataclass(frozen=True)
class Source:
    """What a command was pointed at.

    Attributes:
        file: Path of a file, or ``-`` for stdin; of no meaning with a workflow id.
        workflow_id: A run on the server instead.
        run_id: Which run; the latest if None.
        namespace: Where; the profile's if None.
    """

    file: str = STDIN
    workflow_id: str | None = None
    run_id: str | None = None
    namespace: str | None = None

    async def document(self, environ: Mapping[str, str]) -> Document:
        """Read it.

        Args:
            environ: Where ``temporalio.envconfig`` finds the server.

        Raises:
            InvalidInputError: What was read is no payload and no history, or two sources were named.
            ResourceNotFoundError: The server has no such run.
            UnavailableError: The server does not answer.
        """
        if self.workflow_id is None:
            self._require_no_run()
            return read_document(read_text(self.file))
        if self.file != STDIN:
            raise InvalidInputError("A file and --workflow-id are two sources. Give one.")
        (client,) = await connect_all(environ, [] if self.namespace is None else [self.namespace])
        try:
            return await self._live(client, self.workflow_id)
        except RPCError as error:
            raise self._refused(client, error) from None

    def _require_no_run(self) -> None:
        if self.run_id is not None or self.namespace is not None:
            option = "--run-id" if self.run_id is not None else "--namespace"
            raise InvalidInputError(f"{option} is of a run on the server. Give its --workflow-id too, or leave it out.")

    async def _live(self, client: Client, workflow_id: str) -> Document:
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=self.run_id or "")
        description = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
        )
        run_id = description.workflow_execution_info.execution.run_id
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        return Document({"description": description, "history": History(events=history.events)})

    def _refused(self, client: Client, error: RPCError) -> ApplicationError:
        other = refused(client, error, f"does not show workflow {self.workflow_id!r}")
        if isinstance(other, ConfigurationError):
            return other
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return ResourceNotFoundError(
                f"The server has no such run of workflow {self.workflow_id!r}: {reason(error)}. Look it up with "
                "`temporal workflow list`.",
                workflow_id=self.workflow_id,
            )
        return other


def read_text(file: str) -> str:
    """Read a file, or stdin for ``-``.

    Raises:
        InvalidInputError: It cannot be read, or is no text.
    """
    try:
        return sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"The file {file!r} cannot be read: {error.strerror}. Correct its path or rights.", path=file
        ) from None
    except UnicodeDecodeError:
        what = "stdin" if file == STDIN else repr(file)
        raise InvalidInputError(f"{what} is no UTF-8 text. Give JSON.", path=file) from None
