"""``trenova-codecs keys attest | promote | report | retire | revoke | restore``: the steps of a rotation."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trenova_codecs._cli_outcome import run, told
from trenova_codecs._cli_ring import Ring
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_archive import archive_key, archived_key, destroy_archived
from trenova_codecs._ring_changes import promoted, require_gone, restored, taken_away
from trenova_codecs._ring_document import RingDocument
from trenova_codecs._ring_storage import change_ring, read_ring
from trenova_errors import InvalidInputError

Id = Annotated[str, typer.Argument(metavar="ID")]
if TYPE_CHECKING:  # it needs Temporal's client, which the other commands do without
    from trenova_codecs._cli_attest import Asked

_NONE: list[str] = []
_LONGEST_WAIT = 24 * 3600
Ignored = Annotated[
    list[str],
    typer.Option(
        "--ignore-worker", metavar="NAME", help="Identity or instance key of a worker that need not answer; repeat it."
    ),
]
Namespaces = Annotated[
    list[str],
    typer.Option(
        "--namespace", "-n", help="A namespace whose workers use the ring; repeat it.", show_default="the profile's"
    ),
]
Rate = Annotated[float, typer.Option(help="Requests a second to the server, at most.", min=0.1)]
Destroy = Annotated[bool, typer.Option("--destroy", help="Keep no copy: what still needs the key is lost.")]
Wait = Annotated[
    float | None,
    typer.Option(
        help="Seconds to wait for an answer.", min=1, max=_LONGEST_WAIT, show_default="three heartbeats of each worker"
    ),
]
Endpoint = Annotated[
    str | None, typer.Option("--aws-endpoint-url", help="Another address of AWS KMS.", envvar="AWS_ENDPOINT_URL_KMS")
]


def attest(
    key_id: Id,
    *,
    ring: Ring,
    active: Annotated[bool, typer.Option("--active", help="Each has to encrypt with it, too.")] = False,
    ignore_worker: Ignored = _NONE,
    namespace: Namespaces = _NONE,
    wait: Wait = None,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Ask every live worker to prove that it holds this key; the exit status is 1 if one does not."""
    from trenova_codecs._cli_attest import key_to_ask_for, nobody, sentence, show_attested

    asked = _asked(ignore_worker, namespace, wait)
    with told(ring):
        key = key_to_ask_for(ring, key_id, aws_endpoint_url=aws_endpoint_url)
    said = run(asked.of(key))
    show_attested(said, asked.ignored)
    _note(asked.unknown(said))
    wrong = [*nobody(said, none_yet="there is nobody to ask"), *(sentence(one, key_id) for one in asked.missing(said))]
    if active:
        others = [one for attested in said.values() for one in attested if one.active and one.active != key_id]
        wrong += [f"{one.worker.name} still encrypts with {one.active!r}: give it the ring." for one in others]
    _refuse(wrong)
    typer.echo(f"Every worker that was asked holds key {key_id!r}.")


def promote(
    key_id: Id,
    *,
    ring: Ring,
    i_have_updated: Annotated[
        bool,
        typer.Option(
            "--i-have-updated",
            help="Clients that start or query workflows, codec servers and command lines hold the key as well.",
        ),
    ] = False,
    ignore_worker: Ignored = _NONE,
    skip_workers: Annotated[
        bool, typer.Option("--skip-workers", help="Ask no worker: there is none yet, or the server cannot list them.")
    ] = False,
    namespace: Namespaces = _NONE,
    wait: Wait = None,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Encrypt with this key from now on; the one before decrypts.

    Every live worker of the namespaces has to prove first that it holds the key: what one of them cannot
    decrypt makes its runs wait. Workers are found by their heartbeats and asked through a task queue of
    their own. Clients cannot be found, so you have to say that you have updated them.
    """
    from trenova_codecs._cli_attest import key_to_ask_for, nobody, sentence, show_attested

    asked = _asked(ignore_worker, namespace, wait)
    with told(ring):
        if skip_workers and (ignore_worker or wait is not None or namespace):
            raise InvalidInputError(
                "--skip-workers asks nobody; --ignore-worker, --namespace and --wait say nothing then. Leave them out."
            )
        promoted(read_ring(ring), key_id)
        key = key_to_ask_for(ring, key_id, aws_endpoint_url=aws_endpoint_url)
    said = {} if skip_workers else run(asked.of(key))
    show_attested(said, asked.ignored)
    _note(asked.unknown(said))
    wrong = [
        *nobody(said, none_yet="say so with --skip-workers"),
        *(sentence(one, key_id) for one in asked.missing(said)),
    ]
    if not i_have_updated:
        wrong.append(
            "Clients outside of workers cannot be asked: once those that start, signal or query workflows, codec "
            "servers and command lines hold the key, say so with --i-have-updated."
        )
    _refuse([*wrong, f"Key {key_id!r} was not promoted."] if wrong else [])
    with told(ring):
        change_ring(ring, lambda document: promoted(document, key_id))
    typer.echo(f"{ring}: key {key_id!r} is active. Distribute the ring once more, then look with:")
    typer.echo(f"  trenova-codecs keys attest {key_id} --active --ring {ring}")


def report(
    *,
    ring: Ring,
    namespace: Namespaces = _NONE,
    scan: Annotated[
        bool, typer.Option("--scan", help="Look into closed runs too, instead of going by when they began.")
    ] = False,
    rate: Rate = 20,
    checkpoint: Annotated[
        Path | None, typer.Option(help="With --scan: remember here what was seen, and go on from it.", dir_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say what still needs each key, and from when on it may be retired.

    Open runs and schedules are counted exactly, by reading their histories. Closed runs that began before
    the key was out of use count as needing it until the server deletes them; --scan looks into each. What
    was copied out of the server (archives, exports) is not seen.
    """
    from trenova_codecs._cli_report import Report, show_report

    with told(ring):
        if checkpoint is not None and not scan:
            raise InvalidInputError("--checkpoint is where --scan remembers what it has seen. Give both, or neither.")
        document = read_ring(ring)
    found, plain = run(Report(os.environ, namespace, scan, rate, checkpoint).of(document))
    show_report(found, plain, as_json=as_json)


def retire(
    key_id: Id,
    *,
    ring: Ring,
    skip_usage: Annotated[
        bool, typer.Option("--skip-usage", help="Do not look whether something needs it still.")
    ] = False,
    namespace: Namespaces = _NONE,
    scan: Annotated[bool, typer.Option("--scan", help="Look into closed runs too: exact, and slower.")] = False,
    rate: Rate = 20,
    destroy: Destroy = False,
) -> None:
    """Take a key off the ring that nothing needs any more; its id stays taken.

    It refuses while an open run, a schedule or a closed run that the server keeps needs the key, as
    'keys report' counts them. The key moves to an archive beside the ring, from which 'keys restore' brings
    it back.
    """
    from trenova_codecs._cli_report import Report, show_report

    with told(ring):
        if skip_usage and (scan or namespace):
            raise InvalidInputError("--skip-usage looks into nothing. Leave --namespace and --scan out, or it.")
        document = read_ring(ring)
        taken_away(document, key_id, KeyState.RETIRED)
    if not skip_usage:
        found, plain = run(Report(os.environ, namespace, scan, rate).of(document))
        show_report(found, plain, as_json=False)
        verdict = next(verdict for verdict in found if verdict.key_id == key_id)
        if not verdict.allows_retirement(datetime.now(UTC)):
            _refuse([f"Key {key_id!r} was not retired: {verdict.why}."])
    _take_away(ring, key_id, KeyState.RETIRED, destroy=destroy)


def revoke(
    key_id: Id,
    *,
    ring: Ring,
    destroy: Destroy = False,
) -> None:
    """Refuse a key by name from now on: what it encrypted is not read any more, and runs that need it wait."""
    _take_away(ring, key_id, KeyState.REVOKED, destroy=destroy)


def restore(key_id: Id, *, ring: Ring) -> None:
    """Bring a retired or revoked key back from the archive, to decrypt what still needs it."""
    with told(ring):
        require_gone(read_ring(ring), key_id)
        archived = archived_key(ring, key_id)
        change_ring(ring, lambda document: restored(document, archived))
    typer.echo(f"{ring}: key {key_id!r} decrypts again. Distribute the ring.")


def reencrypt_schedules(
    *,
    ring: Ring,
    schedule: Annotated[
        list[str], typer.Option(help="Id of a schedule; repeat it.", show_default="all of the namespace")
    ] = _NONE,
    namespace: Namespaces = _NONE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    new_format: Annotated[
        Literal["compat", "v2"], typer.Option(help="For arguments that were not encrypted; others keep theirs.")
    ] = "compat",
    recreate: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Make schedules again whose own memo cannot be changed; each is kept here until it is there again.",
            file_okay=False,
        ),
    ] = None,
    rate: Rate = 5,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Rewrite what schedules start their runs with under the active key.

    Arguments, memo, headers and summaries of the action are rewritten, compression and layout kept, spec and
    state untouched. The schedule's own memo only where the server allows it: schedules that are backed by a
    workflow keep theirs until they are made again, which --recreate does: their counters begin anew then, and
    for a moment there is no schedule. The exit status is 1 if something is left.
    """
    from trenova_codecs._cli_schedules import Rewriting

    work = Rewriting(os.environ, ring, namespace, schedule, rate, new_format, dry_run, recreate, aws_endpoint_url)
    if not run(work.run(), ring):
        raise typer.Exit(1)


def _take_away(ring: Path, key_id: str, state: KeyState, *, destroy: bool) -> None:
    kept: Path | None = None

    def taking(document: RingDocument) -> RingDocument:
        nonlocal kept
        without, entry = taken_away(document, key_id, state)
        kept = None if destroy else archive_key(ring, entry)
        return without

    with told(ring):
        before = read_ring(ring).find(key_id)
        change_ring(ring, taking)
        destroyed = destroy_archived(ring, before) if destroy and before else None
    typer.echo(f"{ring}: key {key_id!r} is {state.value}. Distribute the ring.")
    if kept:
        typer.echo(f"A copy is in {kept}, which is for nobody but you; '--destroy' keeps none.")
    if destroyed:
        typer.echo(f"The copy of before was taken out of {destroyed}. Backups of either file have theirs still.")


def _asked(ignored: Sequence[str], namespaces: Sequence[str], wait: float | None) -> "Asked":
    from trenova_codecs._cli_attest import Asked

    return Asked(os.environ, namespaces, ignored, None if wait is None else timedelta(seconds=wait))


def _note(lines: Sequence[str]) -> None:
    for line in lines:
        typer.secho(line, fg="yellow", err=True)


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        for line in wrong:
            typer.secho(line, fg="red", err=True)
        raise typer.Exit(1)
