"""The server's description of itself (OpenAPI 3.1), at ``/openapi.json``."""

from importlib.metadata import version
from typing import Any, Final

from trenova_codecs.server._options import BatchOptions

_JSON: Final = "application/json"
_BASE64: Final = {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"}
_PAYLOAD: Final = {
    "type": "object",
    "properties": {"metadata": {"type": "object", "additionalProperties": _BASE64}, "data": _BASE64},
}


def describe(batch: BatchOptions) -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Codec server",
            "version": version("trenova-codecs"),
            "description": "Temporal's remote codec protocol. Only the last segment of a path counts, so that the "
            "endpoint may have a prefix, with or without {namespace}.",
        },
        "paths": {
            "/decode": {"post": _operation("decode", "Decode payloads; needs the role reader on X-Namespace.")},
            "/encode": {"post": _operation("encode", "Encode payloads; needs the role writer on X-Namespace.")},
            "/download": {"post": _operation("download", "There is no external storage here: 404.", found=False)},
            "/healthz": {"get": _probe("healthz", "Whether the process answers.")},
            "/readyz": {"get": _probe("readyz", "Whether it holds keys.", "503")},
        },
        "components": {
            "schemas": {
                "Payloads": {
                    "type": "object",
                    "properties": {
                        "payloads": {"type": "array", "items": _PAYLOAD, "maxItems": batch.max_payloads},
                    },
                },
                "Refusal": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(name: str, summary: str, *, found: bool = True) -> dict[str, Any]:
    payloads = {_JSON: {"schema": {"$ref": "#/components/schemas/Payloads"}}}
    refused = {"400": "not payloads, or they cannot be processed", "401": "not signed in", "403": "not permitted"}
    refused |= {"404": "nothing there", "408": "took too long", "413": "too much", "503": "busy, or no keys"}
    answers: dict[str, Any] = {status: _refusal(what) for status, what in refused.items()}
    if found:
        answers["200"] = {"description": "One output for each input, in order.", "content": payloads}
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"bearer": []}],
        "parameters": [
            {"name": "X-Namespace", "in": "header", "required": True, "schema": {"type": "string", "minLength": 1}},
            {"name": "preserveStorageRefs", "in": "query", "required": False, "schema": {"type": "boolean"}},
        ],
        "requestBody": {"required": True, "content": payloads},
        "responses": answers,
    }


def _probe(name: str, summary: str, *others: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {_JSON: {"schema": {"type": "object"}}}}
    return {"operationId": name, "summary": summary, "responses": dict.fromkeys(("200", *others), answer)}


def _refusal(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
