"""Write ``docs/reference/configuration.md`` from the settings models, or with ``--check`` say whether it is up to date.

What each setting is comes from the docstrings: the text below a field, or its line under *Attributes* of the class.
"""

import inspect
import sys
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import griffe
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from notification_worker._settings import Settings as NotificationSettings
from shipment_worker._settings import Settings as ShipmentSettings
from system_worker._settings import Settings as SystemSettings
from trenova_codecs.server import ServeOptions as CodecServerOptions
from trenova_schedules.server import ServeOptions as DashboardOptions
from trenova_workers.pool import PoolsOptions

Row = tuple[str, str, str, str]
"""Name, type, default and meaning of a setting."""
PAGE = Path(__file__).parents[1] / "docs/reference/configuration.md"
SERVICES = {
    "shipment-worker": ShipmentSettings,
    "notification-worker": NotificationSettings,
    "system-worker": SystemSettings,
}
FILES = {
    "The codec server": ("codec-server.yaml", CodecServerOptions, "../codec-server.md"),
    "The dashboard and the API of schedules": ("schedules-server.yaml", DashboardOptions, "../schedules-api.md"),
    "The pool manager": ("pools.yaml", PoolsOptions, "../worker-pools.md"),
}
HEAD = """# Configuration

Every setting of the services and of the servers, from the models that read them. Do not change this page:
`python .ci/reference.py` writes it.

A service takes its settings from, each above the one before: defaults, `config/base.yaml` and `config/<env>.yaml` in
its package, a mounted file (`run --config FILE`), variables, `--set KEY=VALUE`. The first column is the key, with a dot
for each level of the file. The variable of the second is for all services; for one alone its own prefix stands in place
of `TRENOVA_`, e.g. `SHIPMENT_WORKER_WORKER__MAX_ACTIVITIES`. What is below a name of your own has none, and is said in
a file. The codec server, the dashboard and the pool manager have all of theirs in their files.
`shipment-worker config show` prints what
is in force and where each value is from. The connection to Temporal is not among them: `TEMPORAL_ADDRESS`,
`TEMPORAL_NAMESPACE`, `TEMPORAL_PROFILE` and the others of Temporal's own client configuration hold for every program.
"""


def main(*, check: bool) -> int:
    text = page()
    if not check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print(f"{PAGE.name} is not what the models say. Run `python .ci/reference.py` and commit it.")
    return 1


def page() -> str:
    parts = [HEAD, "## Services\n", _table(_services())]
    for title, (file, model, more) in FILES.items():
        rows = [(name, *told, "") for name, *told in settings(model)]
        parts += [f"## {title}\n", f"In `{file}`; see [there]({more}).\n", _table(rows, who=False)]
    return "\n".join(parts)


def _services() -> list[tuple[str, str, str, str, str]]:
    """Every setting once, with the services that read it where not all do."""
    of: dict[str, dict[str, tuple[str, str, str]]] = {}
    for service, model in SERVICES.items():
        for name, *told in settings(model):
            of.setdefault(name, {})[service] = (told[0], told[1], told[2])
    rows = []
    for name, told in of.items():
        kind, default, what = next(iter(told.values()))
        defaults = {one[1] for one in told.values()}
        shown = default if len(defaults) == 1 else "depends on the service"
        rows.append((name, kind, shown, what, "" if len(told) == len(SERVICES) else ", ".join(told)))
    return rows


def _table(rows: list[tuple[str, str, str, str, str]], *, who: bool = True) -> str:
    if not who:
        lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
        return "\n".join([*lines, *(f"| `{one[0]}` | {one[1]} | {one[2]} | {_cell(one[3])} |" for one in rows)]) + "\n"
    lines = ["| key | variable | type | default | meaning |", "|---|---|---|---|---|"]
    for name, kind, default, what, services in rows:
        only = f" Only {services}." if services else ""
        lines.append(f"| `{name}` | {variable_of(name, kind)} | {kind} | {default} | {_cell(what + only)} |")
    return "\n".join(lines) + "\n"


def variable_of(name: str, kind: str) -> str:
    """The variable that says a setting to all services; none of a group, nor below a name of one's own."""
    if kind == "group" or "NAME" in name or "[]" in name:
        return ""
    return f"`TRENOVA_{name.replace('.', '__').upper()}`"


def _cell(text: str) -> str:
    """A docstring as one cell: no roles of Sphinx, no double backticks, no bars."""
    plain = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
    return plain.replace(":meth:", "").replace(":class:", "")


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[Row]:
    """Name, type, default and meaning of each setting, those of nested models in their place."""
    for name, field in model.model_fields.items():
        said = meanings(model).get(name) or field.description or ""
        inner = nested(field.annotation)
        if inner is None or prefix.count(".") > 5:
            yield f"{prefix}{name}", kind_of(field.annotation), default_of(field), said
            continue
        where, models = inner
        if said:
            yield f"{prefix}{name}", "group", default_of(field) if field.default is None else "", said
        yield from _merged([list(settings(one, f"{prefix}{name}{where}.")) for one in models])


def _merged(kinds: list[list[Row]]) -> Iterator[Row]:
    """The settings of a group that has several kinds, each once, with all values that tell the kinds apart."""
    of: dict[str, list[Row]] = {}
    for row in (row for rows in kinds for row in rows):
        of.setdefault(row[0], []).append(row)
    for name, rows in of.items():
        types_ = " or ".join(dict.fromkeys(kind for row in rows for kind in row[1].split(" or ")))
        defaults = dict.fromkeys(row[2] for row in rows)
        default = next(iter(defaults)) if len(defaults) == 1 else "depends on the kind"
        yield name, types_, default, next((row[3] for row in rows if row[3]), "")


def nested(annotation: Any) -> tuple[str, list[type[BaseModel]]] | None:
    """The models that an annotation holds, and how their names are reached."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "", [annotation]
    arguments = [one for one in get_args(annotation) if one is not type(None)]
    origin = get_origin(annotation)
    models = [one for one in map(_bare, arguments) if inspect.isclass(one) and issubclass(one, BaseModel)]
    if origin in {Union, types.UnionType} and models:
        return "", models
    if origin in {tuple, list} and models:
        return "[]", models
    if origin is not None and len(arguments) == 2 and models and arguments[0] is not models[0]:  # a mapping
        return ".NAME", models
    if origin is not None and str(origin).endswith("Annotated'>") and models:
        return nested(arguments[0])
    return None


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def kind_of(annotation: Any) -> str:  # noqa: PLR0911  # one for each kind
    """A type in the words of somebody who writes YAML."""
    if hasattr(annotation, "__metadata__"):
        return kind_of(get_args(annotation)[0])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin in {Union, types.UnionType}:
        shown = dict.fromkeys(kind_of(one) for one in arguments if one is not type(None))
        return ", ".join(shown)
    if origin in {tuple, list, set, frozenset}:
        return f"list of {kind_of(arguments[0])}"
    if origin is not None:
        return "mapping"
    if annotation is SecretStr:
        return "secret"
    names = {"bool": "true or false", "int": "integer", "float": "number", "str": "text", "Path": "path"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def default_of(field: FieldInfo) -> str:  # noqa: PLR0911  # one for each kind
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    if value is None:
        return "none"
    if value in ((), {}, [], ""):
        return "empty"
    if isinstance(value, tuple | list):
        return ", ".join(f"`{one}`" for one in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


@cache
def _package(name: str) -> griffe.Module:
    found = griffe.load(name, docstring_parser="google")
    assert isinstance(found, griffe.Module)
    return found


@cache
def meanings(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a class and of those that it inherits from say of its fields."""
    told: dict[str, str] = {}
    for one in reversed(model.__mro__):
        root = one.__module__.partition(".")[0]
        if not (root.startswith("trenova_") or root.endswith("_worker")):
            continue
        found = _package(root)[f"{one.__module__.partition('.')[2]}.{one.__qualname__}".lstrip(".")]
        if found.docstring:
            for section in found.docstring.parsed:
                if section.kind is griffe.DocstringSectionKind.attributes:
                    told |= {attribute.name: attribute.description for attribute in section.value}
        told |= {name: member.docstring.value for name, member in found.members.items() if member.docstring}
    return told


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
