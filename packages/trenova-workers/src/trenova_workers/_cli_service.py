"""The verbs that every service has."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.envconfig import ClientConnectConfig

from trenova_errors import ApplicationError, ConfigurationError, ErrorKind
from trenova_errors.connecting import connect_config
from trenova_workers._drain import ForcedShutdownError
from trenova_workers._identity import Identity, host_of
from trenova_workers._observability._trace_ids import TraceIds
from trenova_workers._preflight import build_of, refuse_impossible
from trenova_workers._prepare import prepare
from trenova_workers._run import run
from trenova_workers._service import S, Service
from trenova_workers._settings import LoadedSettings, load_settings, told_layers

# What escapes from a verb as unavailable is what it needs first of all: its database.
_NOT_FOUND = (ErrorKind.CONFIGURATION, ErrorKind.UNAVAILABLE)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. worker.max_activities=5."),
]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="One more YAML file, above config/<env>.yaml.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Token = Annotated[str | None, typer.Option(help="Distinguishes demonstrations; a new one unless given.")]


def service_app(service: Service[S]) -> typer.Typer:
    """Return the command line of ``service``."""
    app = typer.Typer(
        name=service.name,
        help=service.summary,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    config_app = typer.Typer(help="The settings in force.", no_args_is_help=True)
    app.add_typer(config_app, name="config")

    @app.command("run")
    def run_(set_: Set = None, config: Config = None) -> None:
        """Poll the queues until SIGTERM or SIGINT, then drain; a second one cuts off. SIGHUP reads settings again."""
        _exit(service, lambda: _serve(service, set_, config))

    @app.command("prepare")
    def prepare_(set_: Set = None, config: Config = None) -> None:
        """Migrate databases and register search attributes. Safe to repeat."""
        _exit(service, lambda: _main(service, set_, config, lambda s, c, _: prepare(service, s, connection=c)))

    @app.command("check")
    def check_(*, json_: Json = False, set_: Set = None, config: Config = None) -> None:
        """Look at what the service needs; exit 1 if anything is amiss."""
        from trenova_workers._cli_output import print_findings
        from trenova_workers._verbs import check

        async def verb(settings: S, connection: ClientConnectConfig, _: Identity) -> int:
            findings = await check(service, settings, connection)
            print_findings(findings, as_json=json_)
            return 0 if all(finding.ok for finding in findings) else 1

        _exit(service, lambda: _main(service, set_, config, verb, load=_load))

    @app.command("demo")
    def demo_(*, json_: Json = False, token: Token = None, set_: Set = None, config: Config = None) -> None:
        """Push real work through the running service and check the result; exit 1 if it differs."""
        from trenova_workers._reporters import json_lines, terminal
        from trenova_workers._verbs import demo

        async def verb(settings: S, connection: ClientConnectConfig, _: Identity) -> int:
            with json_lines() if json_ else terminal() as report:
                return 0 if await demo(service, settings, connection, report, token) else 1

        _exit(service, lambda: _main(service, set_, config, verb))

    @config_app.command("show")
    def show(*, json_: Json = False, set_: Set = None, config: Config = None) -> None:
        """Print every setting with value and source, secrets masked; if some do not hold, what there is, and exit 2."""
        from trenova_workers._verbs import described

        def verb() -> int:
            try:
                loaded = _load(service, set_, config)
            except ConfigurationError as error:
                _show_refused(service, set_, config, error, as_json=json_)
                raise
            _print_shown(described(service, loaded), as_json=json_)
            return 0

        _exit(service, verb)

    _add_console(app, service)
    return app


def _add_console(app: typer.Typer, service: Service[S]) -> None:
    if service.console is None:
        return

    @app.command("console")
    def console_(*, set_: Set = None, config: Config = None) -> None:
        """Serve the web console until SIGTERM or SIGINT."""
        from trenova_workers._verbs import console

        async def verb(settings: S, connection: ClientConnectConfig, _: Identity) -> None:
            await console(service, settings, connection, os.environ)

        _exit(service, lambda: _main(service, set_, config, verb, load=_load))


def _serve(service: Service[S], set_: list[str] | None, config: Path | None) -> int:
    def again() -> S:
        return _possible(service, set_, config).values

    return _main(service, set_, config, lambda s, c, i: run(service, s, connection=c, reload=again, identity=i))


def _show_refused(
    service: Service[S], set_: list[str] | None, config: Path | None, error: ConfigurationError, *, as_json: bool
) -> None:
    from trenova_workers._verbs import refused

    try:
        layers = told_layers(service.settings, environ=os.environ, overrides=set_ or (), config_file=config)
    except ConfigurationError:
        layers = None
    if as_json or layers is not None:
        _print_shown(refused(service, layers, error.message), as_json=as_json)


def _print_shown(shown: dict[str, Any], *, as_json: bool) -> None:
    from trenova_workers._cli_output import print_settings

    if as_json:
        typer.echo(json.dumps(shown))
    else:
        print_settings(shown)


def _load(service: Service[S], set_: list[str] | None, config: Path | None) -> LoadedSettings[S]:
    return load_settings(service.settings, environ=os.environ, overrides=set_ or (), config_file=config)


def _possible(service: Service[S], set_: list[str] | None, config: Path | None) -> LoadedSettings[S]:
    """Load settings that the work and the machine can bear."""
    loaded = _load(service, set_, config)
    refuse_impossible(service, loaded.values, loaded.layers)
    return loaded


def _main(
    service: Service[S],
    set_: list[str] | None,
    config: Path | None,
    verb: Callable[[S, ClientConnectConfig, Identity], Coroutine[Any, Any, int | None]],
    *,
    load: Callable[[Service[S], list[str] | None, Path | None], LoadedSettings[S]] = _possible,
) -> int:
    from trenova_errors.structlog import configure_logging

    settings = load(service, set_, config).values
    connection = connect_config(os.environ)
    build_id = settings.worker.build_id or build_of(service)
    identity = Identity.of_this_process(service.name, host=host_of(os.environ), build_id=build_id)
    logging_ = settings.log.logging(env=settings.env, service=service.name)
    configure_logging(replace(logging_, context={**logging_.context, **identity.fields()}))
    if settings.observability.otlp_url is not None:
        for handler in logging.getLogger().handlers:
            handler.addFilter(TraceIds())
    return asyncio.run(verb(settings, connection, identity)) or 0


def _exit(service: Service[S], verb: Callable[[], int]) -> None:
    """End the process with what ``verb`` returns, or with the code of what it raises."""
    try:
        code = verb()
    except ApplicationError as error:  # typed: the message says it all, a traceback would bury it
        typer.echo(f"{service.name}: {error.message}", err=True)
        # The kind and not the class: what a plugin lacks, such as its keys, is an error of the plugin's own.
        code = 2 if error.type in _NOT_FOUND else 1
    except ForcedShutdownError as error:
        typer.echo(f"{service.name}: {error}", err=True)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logging.getLogger(service.name).exception("failed")
        code = 1
    raise typer.Exit(code)
