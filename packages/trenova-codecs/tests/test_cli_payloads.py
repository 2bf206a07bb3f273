import asyncio
import base64
import dataclasses
import json
import os
import sysconfig
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf import json_format
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from typer.testing import CliRunner

from trenova_codecs import CodecChain, CompressionCodec, EncryptionCodec, KeyRing
from trenova_codecs._key_text import write_base64
from trenova_codecs.cli import app

SECRETS = {key_id: os.urandom(32) for key_id in ("k1", "k2")}
RING = KeyRing.from_keys(SECRETS, active="k1")


class Outcome:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Run a command with the keys `held` in its environment, in an empty folder and in a thread of this process."""
    monkeypatch.chdir(tmp_path)
    one_at_a_time = asyncio.Lock()  # the runner exchanges stdin, stdout and the environment of the process

    async def run(*words, stdin="", held=("k1", "k2"), **environ):
        keys = {f"TEMPORAL_ENCRYPTION_KEY_{key_id}": write_base64(SECRETS[key_id]) for key_id in held}
        active = {"TEMPORAL_ENCRYPTION_ACTIVE_KEY": held[0]} if held else {}
        arguments = [*words, *(["--keys-from-environment"] if held else [])]
        async with one_at_a_time:
            told = {"input": stdin, "env": {**keys, **active, **environ}}
            result = await asyncio.wait_for(asyncio.to_thread(CliRunner().invoke, app, arguments, **told), 60)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


async def sealed(*values, key="k1", layout="compat"):
    ring = KeyRing.from_keys({key: SECRETS[key]}, active=key)
    chain = CodecChain.outbound(CompressionCodec(), EncryptionCodec(ring, format=layout))
    plain = [Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode()) for value in values]
    return Payloads(payloads=await chain.encode(plain))


def text(message):
    return json_format.MessageToJson(message)


@pytest.mark.parametrize("layout", ["compat", "v2"])
async def test_what_is_encoded_is_decoded_again(ask, layout):
    encoded = await ask("encode", "--value", "--format", layout, stdin='{"city": "Zürich"}')
    decoded = await ask("decode", stdin=encoded.out)

    assert encoded.status == decoded.status == 0
    assert base64.b64decode(json.loads(encoded.out)["metadata"]["encryption-key-id"]) == b"k1"
    assert json.loads(decoded.out) == {"city": "Zürich"}


@pytest.mark.parametrize(
    ("words", "variables", "written"),
    [
        ([], {}, ["encryption-key-id", "binary/encrypted", "compressed"]),
        ([], {"ENCRYPTION__FORMAT": "v2"}, ["v2", "compressed"]),
        (["--format", "compat"], {"ENCRYPTION__FORMAT": "v2"}, ["compat", "compressed"]),
        ([], {"COMPRESSION": "null"}, ["compat", "not compressed"]),
        (["--keys-from-environment"], {"ENCRYPTION": "null"}, ["compat", "compressed"]),
    ],
)
async def test_what_services_are_told_of_their_codec_counts_for_encoding(ask, words, variables, written):
    variables = {f"TRENOVA_CODEC__{name}": value for name, value in variables.items()}
    encoded = await ask("encode", "--value", *words, stdin=json.dumps("x" * 3000), **variables)
    metadata = json.loads(encoded.out)["metadata"]
    size = len(base64.b64decode(json.loads(encoded.out)["data"]))

    assert encoded.status == 0, encoded.err
    assert ("encryption-salt" in metadata) == ("v2" in written)
    assert (size > 3000) == ("not compressed" in written)


async def test_without_encryption_encoding_is_plain_where_that_is_allowed(ask):
    def asked(*words, **environ):
        environ = {f"TRENOVA_{name}": value for name, value in environ.items()}
        value = json.dumps("x" * 3000)
        return ask("encode", "--value", *words, stdin=value, held=(), TRENOVA_CODEC__ENCRYPTION="null", **environ)

    plain, refused, reasoned, both = await asyncio.gather(
        asked(),
        asked(ENV="production"),
        asked(ENV="production", CODEC__PLAIN_BECAUSE="nothing of it is personal"),
        asked("--format", "v2"),
    )

    for one in (plain, reasoned):
        assert one.status == 0, one.err
        assert base64.b64decode(json.loads(one.out)["metadata"]["encoding"]) == b"binary/gzip"
        assert "not encrypted: TRENOVA_CODEC__ENCRYPTION is null" in one.err
    assert refused.status == both.status == 2
    assert refused.out == both.out == ""
    assert "codec.plain_because" in refused.err
    assert "--format" in both.err


async def test_payloads_decode_to_what_they_hold_or_to_temporal_s_own_json(ask):
    payloads = await sealed({"a": 1}, "x" * 3000)
    payloads.payloads.append(Payload(metadata={"encoding": b"binary/null"}))
    payloads.payloads.append(Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff"))

    readable, own = await asyncio.gather(
        ask("decode", stdin=text(payloads)), ask("decode", "--proto-json", stdin=text(payloads))
    )

    assert json.loads(readable.out) == [
        {"a": 1},
        "x" * 3000,
        None,
        {"metadata": {"encoding": "binary/plain"}, "data": "AP8="},
    ]
    assert json_format.Parse(own.out, Payloads()).payloads[0].data == b'{"a": 1}'


async def test_inspecting_needs_no_key_and_shows_no_content(ask):
    payloads = await sealed("planted-rate", "x" * 3000, layout="v2")

    seen = await ask("inspect", "--json", stdin=text(payloads), held=())

    assert seen.status == 0
    assert [[layer["key_id"] for layer in row["layers"]] for row in seen.lines] == [["k1"], ["k1"]]
    assert seen.lines[0]["layers"][0]["encoding"] == "binary/trenova-encrypted-v2"
    assert seen.lines[0]["layers"][0]["size"] == len(payloads.payloads[0].data)


async def test_with_keys_every_layer_is_shown(ask):
    seen = await ask("inspect", stdin=text(await sealed("planted-rate", "planted" * 1000)))

    assert seen.status == 0
    first, second = seen.out.splitlines()
    assert first.startswith("payloads[0]  binary/encrypted under 'k1', ")
    assert first.endswith("bytes > json/plain, 14 bytes")
    assert " > binary/gzip, " in second
    assert "planted" not in seen.out + seen.err
    assert "2 payloads, 0 with a problem" in seen.err


async def test_what_cannot_be_decoded_is_named_and_stays_as_it_is(ask):
    (good,) = (await sealed("good")).payloads
    (strange,) = (await sealed("other", key="k2")).payloads
    cut = Payload(metadata=good.metadata, data=good.data[:-1])
    foreign = Payload(metadata={**good.metadata, "encryption-dek": b"x"}, data=good.data)
    payloads = text(Payloads(payloads=[good, strange, cut, foreign]))

    decoded, seen, blind = await asyncio.gather(
        ask("decode", stdin=payloads, held=["k1"]),
        ask("inspect", "--json", stdin=payloads, held=["k1"]),
        ask("inspect", "--json", stdin=payloads, held=()),
    )

    assert decoded.status == seen.status == 1
    assert json.loads(decoded.out)[0] == "good"
    assert json.loads(decoded.out)[1]["data"] == base64.b64encode(strange.data).decode()
    assert [line.split(": ")[:2] for line in decoded.err.splitlines()] == [
        ["payloads[1]", "codec.unknown_key"],
        ["payloads[2]", "codec.corrupt_payload"],
        ["payloads[3]", "codec.foreign_encryption"],
    ]
    problems = [(row["problem"] or "none").split(":")[0] for row in seen.lines]
    assert problems == ["none", "codec.unknown_key", "codec.corrupt_payload", "codec.foreign_encryption"]
    assert blind.status == 1
    assert [bool(row["problem"]) for row in blind.lines] == [False, False, False, True]

    left = [json_format.ParseDict(one, Payload()) for one in json.loads(decoded.out)[1:]]
    assert left == [strange, cut, foreign]


@pytest.mark.parametrize("alone", [True, False])
async def test_what_one_ring_leaves_another_decodes(ask, alone):
    payloads = await sealed("one", "two", key="k2")
    left = await ask("decode", stdin=text(payloads.payloads[0] if alone else payloads), held=["k1"])
    inspected, decoded = await asyncio.gather(ask("inspect", "--json", stdin=left.out), ask("decode", stdin=left.out))

    assert left.status == 1
    assert [row["layers"][0]["key_id"] for row in inspected.lines] == ["k2"] * (1 if alone else 2)
    assert json.loads(decoded.out) == ("one" if alone else ["one", "two"])


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["decode"], "planted", "The input is no payload"),
        (["decode"], "[]", "The input is no payload"),
        (["decode"], '{"events": [5]}', "The input is no payload"),
        (["inspect", "missing.json"], "", "The file 'missing.json' cannot be read"),
        (["inspect", "some.json", "-w", "x"], "", "are two sources"),
        (["encode", "--value"], "planted", "The input is no JSON value"),
        (["encode"], '{"events": []}', "Only a payload or payloads can be encoded"),
        (
            ["encode"],
            '{"city": "planted"}',
            "it has the fields 'city', and a payload has data, externalPayloads, metadata",
        ),
        (["encode"], '{"payloads": [{}, {"city": "planted"}]}', "payloads[1] is no payload: it has the fields 'city'"),
        (["encode"], '{"payloads": [], "city": 1}', "no list of payloads: it has the fields 'city'"),
        (["encode"], "{}", "it is an object without fields"),
        (["inspect"], "", "The input is empty"),
        (["inspect"], '{"data": "plan', "it is no JSON from line 1, column 10 on"),
        (["inspect"], '{"data": "ab*plantedQ=="}', "data is no base64: its character 3 is none of base64"),
        (["inspect"], '{"data": "AA==AA=="}', "data is no base64: its character 3 "),
        (["inspect"], '{"data": "AAAAA"}', "data is no base64: it is cut, at 5 characters"),
        (["inspect"], '{"data": "AA="}', "data is no base64: it is cut, at 3 characters"),
        (["inspect"], '{"data": 5}', "data is int, not text in base64"),
        (
            ["inspect"],
            '{"payloads": [{"metadata": {"encoding": "!"}}]}',
            "payloads[0].metadata['encoding'] is no base64",
        ),
        (
            ["inspect"],
            '{"events": [{"workflowExecutionStartedEventAttributes": {"input": {"payloads": [{"data": "?"}]}}}]}',
            "events[0].workflowExecutionStartedEventAttributes.input.payloads[0].data is no base64",
        ),
        (["decode", "--run-id", "x"], "", "--run-id is of a run on the server"),
        (["decode", "--ring", "x.json"], "{}", "--ring and --keys-from-environment are two sources of keys"),
    ],
)
async def test_an_input_that_is_none_is_refused_without_being_quoted(ask, words, stdin, said):
    outcome = await ask(*words, stdin=stdin)

    assert outcome.status == 2
    assert said in outcome.err
    assert "planted" not in outcome.err


async def test_without_a_ring_decoding_says_where_it_looked(ask):
    outcome = await ask("decode", stdin="{}", held=())

    assert outcome.status in {1, 2}
    assert "keyring.json" in outcome.err


@workflow.defn(name="CodecsFailWorkflow")
class FailWorkflow:
    @workflow.run
    async def run(self, rate: str) -> None:
        await workflow.execute_activity(
            refuse, rate, activity_id="refuse", start_to_close_timeout=timedelta(seconds=10)
        )


@activity.defn(name="codecs.refuse")
async def refuse(rate: str) -> None:
    try:
        raise ValueError(f"inner planted {rate}")  # noqa: TRY301  # the cause whose text is looked for
    except ValueError as error:
        raise ApplicationError(f"outer planted {rate}", {"detail": rate}, type="no", non_retryable=True) from error


@pytest.fixture
async def failed():
    """A run whose failure is encrypted, on a real server; its address."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        address = environment.client.service_client.config.target_host
        converter = dataclasses.replace(
            DataConverter.default,
            payload_codec=CodecChain.outbound(CompressionCodec(), EncryptionCodec(RING)),
            failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        )
        client = await Client.connect(address, data_converter=converter)
        queue = str(uuid.uuid4())
        runner = UnsandboxedWorkflowRunner()
        async with Worker(
            client, task_queue=queue, workflows=[FailWorkflow], activities=[refuse], workflow_runner=runner
        ):
            with pytest.raises(WorkflowFailureError):
                await client.execute_workflow(
                    FailWorkflow.run, "rate-17", id="failed", task_queue=queue, memo={"note": "planted memo"}
                )
        yield address


async def test_the_failures_of_a_live_run_are_read_which_temporal_s_command_line_does_not(ask, failed, tmp_path):
    address = {"TEMPORAL_ADDRESS": failed}
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    shown = await asyncio.create_subprocess_exec(
        *(str(binary), "workflow", "show", "--address", failed, "-w", "failed", "-o", "json"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(shown.communicate(), 30)
    (tmp_path / "history.json").write_bytes(out)
    assert b"planted" not in out
    assert b"Encoded failure" in out

    live, file, own, seen, missing = await asyncio.gather(
        ask("decode", "--workflow-id", "failed", **address),
        ask("decode", "history.json"),
        ask("decode", "history.json", "--proto-json"),
        ask("inspect", "-w", "failed", "--json", held=(), **address),
        ask("decode", "-w", "nobody", **address),
    )

    for outcome in (live, file, own):
        assert outcome.status == 0, outcome.err
        assert "Encoded failure" not in outcome.out
        assert "outer planted rate-17" in outcome.out
        assert "inner planted rate-17" in outcome.out
        assert 'raise ApplicationError(f\\"outer' in outcome.out  # the stack trace with its source
    assert "planted memo" in file.out
    assert set(json.loads(live.out)) == {"description", "history"}
    failure = json.loads(file.out)["events"][-1]["workflowExecutionFailedEventAttributes"]["failure"]["cause"]
    assert failure["applicationFailureInfo"]["details"] == [{"detail": "rate-17"}]
    assert WorkflowHistory.from_json("failed", own.out).events[0].event_id == 1
    assert seen.status == 0
    assert {layer["key_id"] for row in seen.lines for layer in row["layers"]} == {"k1"}
    assert any(row["path"].endswith("failure.cause.encodedAttributes") for row in seen.lines)
    assert missing.status == 2
    assert "no such run of workflow 'nobody'" in missing.err


@pytest.fixture
def data_folder(tmp_path):
    folder = tmp_path / "data"
    made = CliRunner().invoke(app, ["keys", "init"], env={"TRENOVA_DATA_DIR": str(folder)})
    assert made.exit_code == 0, made.stderr
    return folder


async def test_the_ring_is_found_in_the_data_folder(ask, data_folder):
    here = {"TRENOVA_DATA_DIR": str(data_folder)}
    encoded = await ask("encode", "--value", stdin='"Reno"', held=(), **here)
    assert encoded.status == 0, encoded.err
    decoded = await ask("decode", stdin=encoded.out, held=(), **here)
    seen = await ask("inspect", stdin=encoded.out, held=(), **here)

    assert json.loads(decoded.out) == "Reno"
    assert "> json/plain, 6 bytes" in seen.out
    assert f"looked at with the keys of '{data_folder / 'keyring.json'}'" in seen.err


async def test_a_ring_that_is_named_goes_before_the_data_folder_and_that_before_the_environment(ask, data_folder):
    key = {"TEMPORAL_ENCRYPTION_KEY_env": write_base64(SECRETS["k1"]), "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "env"}
    named = {"TRENOVA_CODECS_RING": str(data_folder / "none.json")}
    here = {"TRENOVA_DATA_DIR": str(data_folder)}

    async def used(*words, **environ):
        outcome = await ask("encode", "--value", *words, stdin="1", held=(), **environ)
        if outcome.status:
            return outcome.err
        return base64.b64decode(json.loads(outcome.out)["metadata"]["encryption-key-id"]).decode()

    assert "none.json'" in await used(**key, **here, **named)
    assert "TRENOVA_CODECS_RING names it" in await used(**key, **here, **named)
    assert await used("--ring", str(data_folder / "keyring.json"), **key, **named) == "k1"
    assert await used(**key, **here) == "k1"
    assert await used(**key) == "env"
    of_services = {"TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE": "environment"}
    assert await used(**key, **here, **of_services) == "env"
    assert "none.json'" in await used(**key, **of_services, **named)
    assert await used("--keys-from-environment", **key, **here, **named) == "env"


async def test_without_keys_it_says_everywhere_it_looked(ask):
    outcome = await ask("decode", stdin="{}", held=(), TRENOVA_DATA_DIR="/nowhere")

    assert outcome.status == 2
    for place in (
        "--ring",
        "TRENOVA_CODECS_RING",
        "TRENOVA_CODEC__",
        "/nowhere/keyring.json",
        "TRENOVA_DATA_DIR",
        "TEMPORAL_ENCRYPTION_",
    ):
        assert place in outcome.err


async def test_what_a_ring_could_not_decode_names_the_ring(ask, data_folder):
    payloads = text(await sealed("other", key="k2"))
    outcome = await ask("decode", stdin=payloads, held=(), TRENOVA_DATA_DIR=str(data_folder))

    assert outcome.status == 1
    assert f"Decoded with the keys of '{data_folder / 'keyring.json'}'" in outcome.err


async def test_url_safe_base64_and_base64_without_padding_are_read(ask):
    seen = await ask("inspect", stdin='{"metadata": {"encoding": "anNvbi9wbGFpbg"}, "data": "_-8"}', held=())

    assert (seen.status, seen.out) == (0, "payload  json/plain, 2 bytes\n")


async def test_an_active_key_that_is_revoked_is_said_to_be_and_what_to_do(ask, data_folder):
    revoked = await ask("encode", "--value", stdin="1", held=["k1", "k2"], TEMPORAL_ENCRYPTION_REVOKED_KEYS="k1")
    assert revoked.status == 2
    assert "names 'k1', which TEMPORAL_ENCRYPTION_REVOKED_KEYS revokes" in revoked.err
    assert "Name another key (k2)" in revoked.err

    file = data_folder / "keyring.json"
    document = json.loads(file.read_text())
    document["keys"][0]["state"] = "revoked"
    file.write_text(json.dumps(document))
    kept = await ask("encode", "--value", "--ring", str(file), stdin="1", held=())
    assert kept.status == 2
    assert "key 'k1' is revoked, but its material is there still" in kept.err
    assert "promote another key" in kept.err

    del document["keys"][0]["material"]
    file.write_text(json.dumps(document))
    gone = await ask("encode", "--value", "--ring", str(file), stdin="1", held=())
    assert gone.status == 2
    assert gone.err.count("'k1' is revoked") == 1
    assert "promote" in gone.err
    assert str(file) in gone.err
