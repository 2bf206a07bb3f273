"""A real gRPC server on loopback that ends every call as a test wants."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio

PATH = "/test.Loopback/Ask"
_HANDSHAKE = "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo"
"""Temporal's clients call it to connect."""

Context = grpc.aio.ServicerContext
Answer = Callable[[Context], Awaitable[None] | None]


@asynccontextmanager
async def grpc_server(answer: Answer) -> AsyncIterator[str]:
    """Serve every method but the handshake by ending it as ``answer`` says; yield the address."""

    async def end(request: bytes, context: Context) -> bytes:
        waiting = answer(context)
        if waiting is not None:
            await waiting
        return b""

    async def greet(request: bytes, context: Context) -> bytes:
        return b""

    class Everything(grpc.GenericRpcHandler):
        def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(greet if call.method == _HANDSHAKE else end)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Everything()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
