"""The command ``trenova-codecs`` (extra ``[cli]``): keys, payloads and the codec server."""

import os
import sys
import traceback

try:
    import typer
except ModuleNotFoundError:
    sys.exit('The command needs its extra: uv pip install "trenova-codecs[cli]"')

from trenova_codecs._cli_keys import keys
from trenova_codecs._cli_lint import lint
from trenova_codecs._cli_payloads import decode, encode, inspect
from trenova_codecs._cli_serve import serve

app = typer.Typer(
    name="trenova-codecs",
    help="Keys, payloads and the codec server of Temporal applications.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys, name="keys")
app.command("inspect")(inspect)
app.command("encode")(encode)
app.command("decode")(decode)
app.command("serve")(serve)
app.command("lint")(lint)


def main() -> None:
    """Run the command with the process's arguments.

    It leaves without finalizing the interpreter: threads of a Temporal client that was used a moment ago may
    still call into it then, which ends the process with a signal (temporalio/sdk-python issue 300).
    """
    status = 1
    try:
        app()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - what nobody expected is shown, and the process still leaves as above
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
