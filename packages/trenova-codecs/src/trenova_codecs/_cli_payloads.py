"""``trenova-codecs inspect | encode | decode``: look at payloads, with and without their keys."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trenova_codecs._chain import CodecChain
from trenova_codecs._cli_outcome import run, told
from trenova_codecs._cli_payload_codec import NOT_ENCRYPTED, encrypting, plain
from trenova_codecs._cli_payload_keys import FromEnvironment, Keys, Ring, find_keys, looked_for
from trenova_codecs._counted import counted
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._payload_decoding import Undecoded, all_places, decode_document, encode_document
from trenova_codecs._payload_document import Document, read_document, value_document
from trenova_codecs._payload_layers import Layers, layers_of
from trenova_codecs._payload_source import STDIN, Source, read_text
from trenova_codecs._sealing import Format

_WHAT = "Temporal's JSON of a payload, of payloads or of a history; - for stdin."
File = Annotated[str, typer.Argument(metavar="[FILE]", help=_WHAT, show_default="stdin")]
WorkflowId = Annotated[
    str | None, typer.Option("--workflow-id", "-w", help="A run on the Temporal profile's server, instead of a file.")
]
RunId = Annotated[str | None, typer.Option("--run-id", "-r", help="Of that workflow.", show_default="the latest")]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Of that workflow.", show_default="the profile's")
]


def inspect(
    *,
    file: File = STDIN,
    workflow_id: WorkflowId = None,
    run_id: RunId = None,
    namespace: Namespace = None,
    ring: Ring = None,
    from_environment: FromEnvironment = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what each payload is wrapped in: layers, key ids, sizes. No key is needed, no content is shown.

    With keys, where it finds some, it also looks inside what is encrypted, and says what they could not decode.

    Exits 1 when a payload is damaged, foreign or, with keys, cannot be decoded, 2 when the input or
    the source of the keys is wrong.
    """
    keys = _keys(ring, from_environment=from_environment, needed=False)
    looked = run(_looked(Source(file, workflow_id, run_id, namespace), keys.ring))
    for path, layers in looked:
        typer.echo(_row(path, layers) if as_json else _line(path, layers))
    problems = sum(layers.problem is not None for _, layers in looked)
    if not as_json:
        typer.echo(f"{counted(len(looked), 'payload')}, {problems} with a problem; looked at with {keys}", err=True)
    raise typer.Exit(int(problems > 0))


def decode(
    *,
    file: File = STDIN,
    workflow_id: WorkflowId = None,
    run_id: RunId = None,
    namespace: Namespace = None,
    ring: Ring = None,
    from_environment: FromEnvironment = False,
    proto_json: Annotated[
        bool, typer.Option("--proto-json", help="Print Temporal's own JSON, in which data is base64.")
    ] = False,
) -> None:
    """Decode payloads, also those of failures, and print the whole with JSON payloads as what they hold.

    What cannot be decoded stays as it is, in Temporal's own JSON, with one line on stderr that says where and why.

    Exits 1 when something could not be decoded, 2 when the input or the source of the keys is wrong.
    """
    keys = _keys(ring, from_environment=from_environment)
    # What the codec logs for an operator is said below, where it stands.
    logging.getLogger("trenova_codecs").setLevel(logging.CRITICAL)
    with told():
        codec = encrypting(os.environ, keys.ring)
    document, undecoded = run(_decoded(Source(file, workflow_id, run_id, namespace), codec), keys.file)
    typer.echo(document.to_json(readable=not proto_json))
    for one in undecoded:
        typer.secho(f"{one.path}: {one.code}: {one.reason}", fg="red", err=True)
    if undecoded and keys.file:
        typer.echo(f"Decoded with {keys}. {keys.why}".rstrip(), err=True)
    raise typer.Exit(int(len(undecoded) > 0))


def encode(
    *,
    file: File = STDIN,
    ring: Ring = None,
    from_environment: FromEnvironment = False,
    value: Annotated[bool, typer.Option("--value", help="The input is any JSON value, not a payload.")] = False,
    layout: Annotated[
        Format | None,
        typer.Option(
            "--format",
            show_default="TRENOVA_CODEC__ENCRYPTION__FORMAT, else compat",
            help="What to encrypt in, as the namespace's workers do.",
        ),
    ] = None,
) -> None:
    """Encode a payload or payloads with the active key, and print Temporal's own JSON.

    The variables TRENOVA_CODEC__... count as for the services: format, compression, limits. Where they say that nothing
    is encrypted and no keys are named here, it only compresses, outside of TRENOVA_ENV=dev with a reason in
    TRENOVA_CODEC__PLAIN_BECAUSE.

    Exits 2 when the input is neither, or there is no key to encrypt with.
    """
    # What the codec logs for an operator is what this command says.
    logging.getLogger("trenova_codecs").setLevel(logging.CRITICAL)
    with told():
        codec = None if from_environment else plain(os.environ, ring, layout)
    keys = Keys(None) if codec else _keys(ring, from_environment=from_environment)
    with told():
        chosen = codec or encrypting(os.environ, keys.ring, layout)

    async def work() -> Document:
        document = (value_document if value else read_document)(read_text(file))
        await encode_document(document, chosen)
        return document

    typer.echo(run(work(), keys.file).to_json(readable=False))
    if codec:
        typer.echo(NOT_ENCRYPTED, err=True)


async def _looked(source: Source, keys: KeyRing | None) -> Sequence[tuple[str, Layers]]:
    document = await source.document(os.environ)
    return [(place.path, await layers_of(place.payload, keys)) for place in all_places(document)]


async def _decoded(source: Source, codec: CodecChain) -> tuple[Document, Sequence[Undecoded]]:
    document = await source.document(os.environ)
    return document, await decode_document(document, codec)


def _keys(ring: Path | None, *, from_environment: bool, needed: bool = True) -> Keys:
    with told(None if from_environment else looked_for(ring, os.environ)):
        return find_keys(ring, os.environ, from_environment=from_environment, needed=needed)


def _line(path: str, layers: Layers) -> str:
    wrapped = " > ".join(str(layer) for layer in layers.seen)
    return f"{path}  {wrapped}" + (f"  ! {layers.problem}" if layers.problem else "")


def _row(path: str, layers: Layers) -> str:
    seen = [{"encoding": one.encoding, "size": one.size, "key_id": one.key_id} for one in layers.seen]
    return json.dumps({"path": path, "layers": seen, "problem": layers.problem})
