"""``trenova-codecs lint``: what a team checks its own code with."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from trenova_codecs._cli_outcome import told
from trenova_codecs._lint import lint as lint_files
from trenova_codecs._lint_names import NameRules
from trenova_errors import ConfigurationError

_PYPROJECT = Path("pyproject.toml")
_NAMES = ("allow", "sensitive")


def lint(
    *,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Python files, or folders of such.")],
    allow: Annotated[
        list[str] | None, typer.Option("--allow", help="A name of a field that may be seen, e.g. pro or order.city.")
    ] = None,
    sensitive: Annotated[
        list[str] | None, typer.Option("--sensitive", help="A further word that names personal data or a secret.")
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", dir_okay=False, help="Holds [tool.trenova-codecs.lint] with the same names.")
    ] = _PYPROJECT,
) -> None:
    """Find data that flows into what Temporal stores in clear, by reading the source; nothing is imported.

    Search attribute values, schedule notes, reasons for termination and failure types have to be constants or
    harmless by their name (ids, status, dates, ...). Ids, task queues and identities must not be made of what is
    personal data or a secret by its name. Accept an exception with `# trenova: clear - <reason>` on its line.

    Exits 1 when something was found, 2 when a path or the configuration cannot be read.
    """
    with told():
        configured = _configured(config)
        rules = NameRules(
            allow=frozenset([*configured["allow"], *(allow or ())]),
            sensitive=frozenset(word.lower() for word in [*configured["sensitive"], *(sensitive or ())]),
        )
        findings, files = lint_files(paths, rules)
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(f"{files} files, {len(findings)} findings", err=True)
    raise typer.Exit(int(len(findings) > 0))


def _configured(path: Path) -> dict[str, list[str]]:
    """Return what a file says.

    Raises:
        ConfigurationError: It was named and is not there, is not TOML, or holds something else than lists of names.
    """
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        for name in ("tool", "trenova-codecs", "lint"):
            table = table.get(name, {})
    except FileNotFoundError:
        if path != _PYPROJECT:
            raise ConfigurationError(
                f"There is no {path}. Name a TOML file that exists, or leave --config out."
            ) from None
        table = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError):
        raise ConfigurationError(f"{path} is not TOML with a table [tool.trenova-codecs.lint]. Mend it.") from None
    known = isinstance(table, dict) and set(table) <= set(_NAMES) and all(map(_is_names, table.values()))
    if not known:
        raise ConfigurationError(
            f"[tool.trenova-codecs.lint] in {path} takes {' and '.join(_NAMES)}, each a list of texts. Change it."
        )
    return {name: table.get(name, []) for name in _NAMES}


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
