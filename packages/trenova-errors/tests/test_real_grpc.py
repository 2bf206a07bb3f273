"""Failures of gRPC calls as a real server on loopback makes them, for all three clients."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

import grpc
import grpc.aio
import pytest
import temporalio.service
from grpc_peer import PATH, Context, grpc_server
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from trenova_errors import classify, sending
from trenova_errors._table_grpc import GRPC

Ask = Callable[[str, float], Awaitable[BaseException]]
CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


async def by_aio(address: str, timeout_s: float = 10) -> BaseException:
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.RpcError) as caught, sending("the call"):
            await channel.unary_unary(PATH)(b"", timeout=timeout_s)
    return caught.value


async def by_thread(address: str, timeout_s: float = 10) -> BaseException:
    def ask() -> BaseException:
        with grpc.insecure_channel(address) as channel:
            with pytest.raises(grpc.RpcError) as caught, sending("the call"):
                channel.unary_unary(PATH)(b"", timeout=timeout_s)
            return caught.value

    return await asyncio.to_thread(ask)


async def by_temporal(address: str, timeout_s: float = 10) -> BaseException:
    config = temporalio.service.ConnectConfig(target_host=address, lazy=True)
    client = await temporalio.service.ServiceClient.connect(config)
    limit = timedelta(seconds=timeout_s)
    with pytest.raises(temporalio.service.RPCError) as caught, sending("the call"):
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(), timeout=limit)
    return caught.value


CLIENTS = pytest.mark.parametrize("ask", [by_aio, by_thread, by_temporal])


@CLIENTS
async def test_every_status_is_what_the_table_says(ask: Ask):
    found = {}
    for code in CODES:

        def answer(context: Context, code: grpc.StatusCode = code) -> None:
            context.set_code(code)
            context.set_details("hunter2")

        async with grpc_server(answer) as address:
            error = await ask(address)
        error.__dict__.pop("__trenova_sent__")
        found[code.name] = classify(error)

    assert {name: one.kind for name, one in found.items()} == {name: row.kind for name, row in GRPC.items()}
    assert {one.source for one in found.values()} == {f"gRPC {name}" for name in GRPC}
    assert "hunter2" not in repr(found)


@CLIENTS
async def test_a_handler_that_raises_is_an_unknown_status_and_retried(ask: Ask):
    def answer(context: Context) -> None:
        raise LookupError("hunter2")

    async with grpc_server(answer) as address:
        assert classify(await ask(address)).source == "gRPC UNKNOWN"


@CLIENTS
async def test_a_deadline_that_passes_is_ambiguous_where_the_call_was_one_with_an_effect(ask: Ask):
    async def answer(context: Context) -> None:
        await asyncio.sleep(5)

    async with grpc_server(answer) as address:
        error = await ask(address, 0.3)
    marked = classify(error)
    error.__dict__.pop("__trenova_sent__")

    assert marked.kind == "ambiguous"
    assert (classify(error).kind, classify(error).retryable) == ("unavailable", True)


@pytest.mark.parametrize("ask", [by_aio, by_thread])
async def test_a_server_that_is_not_there_is_unavailable(ask: Ask):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await ask(f"127.0.0.1:{free.getsockname()[1]}")
    error.__dict__.pop("__trenova_sent__")

    assert classify(error).source == "gRPC UNAVAILABLE"
