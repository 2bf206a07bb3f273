"""The Web UI of Temporal's dev server in Chromium, on histories that are encrypted.

Needs Chromium, Debian's `chromium` for one, and Playwright, which the root environment has.
"""

import dataclasses
import shutil
import socket
import sysconfig
import time
import uuid
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CodecChain, CompressionCodec, EncryptionCodec
from trenova_codecs.server import CodecServerOptions, NamespaceOptions

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
playwright = pytest.importorskip(
    "playwright.async_api", reason="needs playwright, which is in the root environment: uv sync"
)
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install --no-install-recommends chromium"),
]
OK = 200
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


@workflow.defn(name="CodecsWhisperWorkflow")
class WhisperWorkflow:
    @workflow.run
    async def run(self, text: str) -> str:
        return f"whisper {text}"


@pytest.fixture
async def ui(ring):
    """The UI's address, on a server with one encrypted run."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sysconfig.get_path("scripts")) / "temporal"),
        dev_server_log_level="error",
        ui=True,
        ui_port=port,
        dev_server_extra_args=["--ui-disable-news-fetch"],
    ) as environment:
        codec = CodecChain.outbound(CompressionCodec(), EncryptionCodec(ring))
        converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
        address = environment.client.service_client.config.target_host
        client = await Client.connect(address, data_converter=converter)
        queue = str(uuid.uuid4())
        runner = UnsandboxedWorkflowRunner()
        async with Worker(client, task_queue=queue, workflows=[WhisperWorkflow], workflow_runner=runner):
            await client.execute_workflow(WhisperWorkflow.run, "planted-rate", id="good", task_queue=queue)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def codec(serve, options, ui):
    """The codec server, in which the namespace of the dev server has the keys of payments."""
    return await serve(told(options, ui, "pay-*"))


def told(options, ui, keys):
    access = options.access.model_copy(update={"origins": (ui,)})
    namespaces = {"default": NamespaceOptions(keys=(keys,))}
    return CodecServerOptions(access=access, namespaces=namespaces)


@pytest.fixture
async def page():
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            context = await browser.new_context()
            context.set_default_timeout(45_000)
            yield await context.new_page()
        finally:
            await browser.close()


async def sign_in(page, codec):
    await page.goto(f"{codec.url}/sign-in#{codec.access.sign_in.new_link()}")
    await page.wait_for_url("**/sign-in/done")
    assert codec.url in await page.inner_text("main")


async def set_up(page, ui, codec, *, toggle):
    """Do what a person does in the UI's dialog: an endpoint for this browser, and one of the two switches."""
    await page.goto(f"{ui}/namespaces/default/workflows/good")
    await page.locator("[data-testid^=data-encoder-status]").first.click()
    dialog = page.locator("dialog[open]")
    await dialog.get_by_test_id("use-local-endpoint-input").check()
    await dialog.locator("textarea").fill(codec.url)
    if toggle:
        await dialog.get_by_text(toggle).click()
    await dialog.get_by_test_id("confirm-modal-button").click()


async def seen(page, ui, codec):
    """What the UI shows of the run once the codec server has answered."""
    async with page.expect_response(lambda answer: answer.url.startswith(f"{codec.url}/decode")) as answered:
        await page.goto(f"{ui}/namespaces/default/workflows/good")
    status = (await answered.value).status
    # The symbol says what became of decoding, once every payload of the page was tried.
    state = "success" if status == OK else "error"
    await page.get_by_test_id(f"data-encoder-status-{state}").first.wait_for()
    if status == OK:
        await page.get_by_text("whisper planted-rate").first.wait_for()
    return status, await page.inner_text("body")


async def test_it_decodes_for_a_browser_that_signed_in_once(page, ui, codec):
    await sign_in(page, codec)
    await set_up(page, ui, codec, toggle="Include cross-origin credentials")

    status, shown = await seen(page, ui, codec)

    assert status == 200
    assert "whisper planted-rate" in shown
    assert {event.subject for event in codec.events} == {"local"}
    assert {event.method for event in codec.events} == {"session"}


@pytest.mark.slow
async def test_it_does_not_decode_for_a_browser_that_did_not(page, ui, codec):
    await set_up(page, ui, codec, toggle="Include cross-origin credentials")
    status, shown = await seen(page, ui, codec)
    assert status == 401
    assert "planted" not in shown

    await sign_in(page, codec)
    assert (await seen(page, ui, codec))[0] == 200
    await page.context.clear_cookies()
    status, shown = await seen(page, ui, codec)

    assert status == 401
    assert "planted" not in shown


@pytest.mark.slow
async def test_it_does_not_decode_what_is_another_namespace_s(page, ui, serve, options):
    codec = await serve(told(options, ui, "ship-1"))
    await sign_in(page, codec)
    await set_up(page, ui, codec, toggle="Include cross-origin credentials")

    status, shown = await seen(page, ui, codec)

    assert status == 403
    assert "planted" not in shown


@pytest.mark.slow
async def test_a_page_of_another_origin_cannot_use_the_browser_s_sign_in(page, ui, serve, options):
    codec = await serve(told(options, "https://temporal.example.com", "pay-*"))
    await sign_in(page, codec)
    await set_up(page, ui, codec, toggle="Include cross-origin credentials")

    await page.goto(f"{ui}/namespaces/default/workflows/good")
    await page.get_by_test_id("data-encoder-status-error").first.wait_for()

    assert "planted" not in await page.inner_text("body")
    assert codec.events == []


@pytest.mark.slow
async def test_the_access_token_of_the_ui_decodes_only_if_it_is_good(page, ui, codec):
    """The dev server signs nobody in, so the token stands where the UI keeps that of an OIDC sign-in."""
    issuer = codec.issuer
    may = {"permissions": ["default:read"]}
    head = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ"
    bad = {
        "another namespace": (403, issuer.token(permissions=["payments:write"])),
        "another audience": (401, issuer.token(aud="temporal", **may)),
        "expired": (401, issuer.token(exp=int(time.time()) - 300, **may)),
        "alg none": (401, f"{head}.{issuer.token(**may).split('.')[1]}."),
    }
    await set_up(page, ui, codec, toggle=None)

    for how, (expected, token) in bad.items():
        await page.context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        status, shown = await seen(page, ui, codec)
        assert (status, "planted" in shown) == (expected, False), how
    await page.context.set_extra_http_headers({"Authorization": f"Bearer {issuer.token(**may)}"})
    status, shown = await seen(page, ui, codec)

    assert status == 200
    assert "whisper planted-rate" in shown
    assert {event.method for event in codec.events if event.outcome == "done"} == {"token"}
