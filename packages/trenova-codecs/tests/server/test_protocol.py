import base64
import random

import pytest
from temporalio.api.common.v1 import Payload

UI = "http://127.0.0.1:8233"


@pytest.mark.parametrize("layout", ["compat", "v2"])
@pytest.mark.parametrize("path", ["/decode", "/codec/decode", "/payments/decode", "/a/b%2Fc/decode", "/x//decode"])
async def test_only_the_last_segment_of_the_path_counts(server, sealed, to_payload, path, layout):
    payloads = await sealed({"a": 1}, "x" * 5000, key="pay-1", layout=layout)

    assert await server.decode(payloads, path=path) == [to_payload({"a": 1}), to_payload("x" * 5000)]


async def test_what_is_encoded_here_a_worker_of_the_namespace_reads(server, to_payload):
    mine = [to_payload({"rate": 12}), to_payload("y" * 5000)]
    encoded = await server.encode(mine)

    assert [payload.metadata["encryption-key-id"] for payload in encoded] == [b"pay-2"] * 2
    assert encoded[1].ByteSize() < 1000  # compressed first
    assert await server.decode(encoded) == mine


async def test_a_namespace_encodes_with_its_own_key(server, to_payload):
    (encoded,) = await server.encode([to_payload(1)], "shipments")

    assert encoded.metadata["encryption-key-id"] == b"ship-1"


async def test_what_is_not_encrypted_comes_back_as_it_was(server, to_payload):
    mixed = [to_payload(1), Payload(), Payload(metadata={"encoding": b"binary/null"})]

    assert await server.decode(mixed) == mixed
    assert await server.decode([]) == []


async def test_the_answer_is_the_json_of_the_protocol(server, sealed):
    answer = await server.post("/decode?preserveStorageRefs=true", await sealed({"a": 1}, key="pay-1"))

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    encoding, data = (base64.b64encode(one).decode() for one in (b"json/plain", b'{"a": 1}'))
    assert answer.json() == {"payloads": [{"metadata": {"encoding": encoding}, "data": data}]}
    assert (await server.post("/decode", b"{}")).json() == {"payloads": []}


async def test_fields_of_later_versions_are_ignored(server):
    answer = await server.post("/decode", b'{"payloads": [{"data": "AA==", "later": {"a": 1}}], "more": 5}')

    assert answer.json() == {"payloads": [{"data": "AA=="}]}


async def test_references_to_external_storage_stay_and_there_is_nothing_to_download(server):
    reference = Payload(metadata={"encoding": b"json/protobuf"}, data=b'{"driverName": "s3"}')

    assert await server.decode([reference], path="/decode?preserveStorageRefs=true") == [reference]
    answer = await server.post("/download", [reference])
    assert answer.status_code == 404
    assert "no external storage" in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"5",
        b"null",
        b'"x"',
        b'{"payloads": 5}',
        b'{"payloads": [5]}',
        b'{"payloads": [{"data": 5}]}',
        b'{"payloads": [{"metadata": []}]}',
        b'{"payloads": [{"metadata": {"encoding": 5}}]}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"payloads":' * 5000,
        b'{"payloads": [{"data": "A"}]}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"payloads": [{"data": "\\ud800"}]}',
    ],
)
async def test_a_body_that_is_no_payloads_is_a_bad_request_with_a_reason(server, body):
    answer = await server.post("/decode", body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"
    assert answer.json()["message"].startswith("The request's body is not the JSON of payloads.")


@pytest.mark.parametrize("layout", ["compat", "v2"])
async def test_a_flipped_bit_anywhere_is_a_bad_request(server, sealed, layout):
    (good,) = await sealed({"a": "x" * 2000}, key="pay-1", layout=layout)
    dice = random.Random(7)
    spots = [0, len(good.data) - 1, *(dice.randrange(len(good.data)) for _ in range(30))]

    for spot in spots:
        data = bytearray(good.data)
        data[spot] ^= 1 << dice.randrange(8)
        answer = await server.post("/decode", [Payload(metadata=good.metadata, data=bytes(data))])
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] == "codec.corrupt_payload"
        assert "pay-1" in answer.json()["message"]


@pytest.mark.parametrize("cut", [0, 1, 11, 12, 27, 28, 40])
async def test_a_cut_payload_is_a_bad_request(server, sealed, cut):
    (good,) = await sealed({"a": 1}, key="pay-1")

    answer = await server.post("/decode", [Payload(metadata=good.metadata, data=good.data[:cut])])

    assert answer.status_code == 400
    assert answer.json()["code"] == "codec.corrupt_payload"


@pytest.mark.parametrize(
    "metadata",
    [
        {"encoding": b"binary/encrypted"},
        {"encoding": b"binary/encrypted", "encryption-key-id": b"pay-1", "encryption-dek": b"x"},
        {"encoding": b"binary/trenova-encrypted-v2"},
        {"encoding": b"binary/encrypted", "encryption-key-id": b"\xff\xfe"},
        {"encoding": b"binary/gzip"},
        {"encoding": b"binary/zlib"},
        {"encoding": b"binary/zstd"},
    ],
)
async def test_what_only_claims_to_be_encoded_is_refused_without_an_error_of_ours(server, metadata):
    answer = await server.post("/decode", [Payload(metadata=metadata, data=b"garbage" * 10)])

    assert answer.status_code in {400, 403}
    assert set(answer.json()) == {"code", "message"}


async def test_a_key_that_is_not_on_the_ring_is_named(server, sealed):
    answer = await server.post("/decode", await sealed(1, key="pay-9"))

    assert answer.status_code == 400
    assert answer.json()["code"] == "codec.unknown_key"
    assert "needs key 'pay-9'; this process holds pay-2, pay-1." in answer.json()["message"]


async def test_a_revoked_key_decodes_nothing(server, sealed, ring):
    payloads = await sealed(1, key="pay-1")
    assert await server.decode(payloads)

    ring.revoke("pay-1")

    answer = await server.post("/decode", payloads)
    assert answer.status_code == 400
    assert answer.json()["code"] == "codec.revoked_key"


async def test_other_paths_and_methods_are_refused_in_json(server):
    assert (await server.post("/decoded", b"{}")).status_code == 404
    assert (await server.post("/decode/", b"{}")).status_code == 404
    get = await server.client.get("/decode")
    assert get.status_code == 405
    assert get.json()["code"] == "http.405"
    assert (await server.client.get("/favicon.ico")).status_code in {404, 405}


async def test_a_request_is_bounded_in_number_and_bytes(server, sealed, to_payload):
    many = await server.post("/decode", [to_payload(1)] * 51)
    assert many.status_code == 413
    assert "holds 51 payloads; this server takes 50" in many.json()["message"]

    large = await server.post("/decode", b"x" * (1024 * 1024 + 1))
    assert large.status_code == 413

    growing = await sealed(*["z" * 1_500_000] * 4, key="pay-1")
    grown = await server.post("/decode", growing)
    assert grown.status_code == 413
    assert "become more than 4194304 bytes" in grown.json()["message"]
    assert len(await server.decode(growing[:2])) == 2


async def test_health_is_open_and_says_nothing_more(server, serve, ring):
    assert (await server.client.get("/healthz")).json() == {"status": "ok"}
    assert (await server.client.get("/readyz")).json() == {"ready": True}

    ring.replace([])

    answer = await server.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reason": "the key ring holds no usable key"}


async def test_metrics_are_for_whoever_is_signed_in(serve, sealed):
    server = await serve(exposition=lambda: b"# metrics\n")

    assert (await server.client.get("/metrics")).status_code == 401
    answer = await server.client.get("/metrics", headers=server.token())
    assert answer.text == "# metrics\n"


async def test_the_ui_may_ask_across_origins_and_read_why_it_is_refused(server, sealed):
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-namespace,authorization,authorization-extras",
    }
    preflight = await server.client.options("/decode", headers={"Origin": UI, **asked})
    refused = await server.post("/decode", b"{}", headers={"Origin": UI})
    corrupt = await server.post("/decode", b"!", headers={"Origin": UI, **server.token("payments:read")})

    for answer, status in ((preflight, 200), (refused, 401), (corrupt, 400)):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-credentials"] == "true"


async def test_fifty_payloads_come_back_in_order(server, sealed):
    decoded = await server.decode(await sealed(*range(50), key="pay-1"))

    assert [int(payload.data) for payload in decoded] == list(range(50))


async def test_durations_are_counted_in_buckets_of_seconds(serve, sealed, durations):
    server = await serve()
    assert await server.decode(await sealed("a", key="pay-1"))
    histogram = durations()[0]
    assert histogram.explicit_bounds[0] <= 0.001
    assert histogram.explicit_bounds[-1] <= 60
    assert sum(histogram.bucket_counts[:-1]) == histogram.count
