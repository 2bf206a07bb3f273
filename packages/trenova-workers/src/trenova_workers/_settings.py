"""Settings of a service: the class, and how its values are collected layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from trenova_workers._explain import explain
from trenova_workers._layers import SHARED_PREFIX, Layer, environment_layer, merged, override_layer, yaml_layer
from trenova_workers._observability._options import ObservabilityOptions
from trenova_workers._options import HealthOptions, LogOptions, RoutingOptions, WorkerOptions
from trenova_workers._partial import describe_told
from trenova_workers._provenance import Setting, describe
from trenova_workers._tuning._profiles import profile_defaults


class ServiceSettings(BaseSettings):
    """What every service may be told. Subclass it, add fields, set ``env_prefix``.

    For example::

        class Settings(ServiceSettings):
            model_config = SettingsConfigDict(env_prefix="SHIPMENT_WORKER_")
            database: DatabaseOptions = DatabaseOptions()

    Constructing the class directly uses only what is passed and the defaults in code, so tests do
    not depend on where they run. `load_settings` collects the files, the environment and the flags.
    """

    model_config = SettingsConfigDict(
        env_prefix="", env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    env: Literal["dev", "staging", "prod"] = "dev"
    """Which of ``config/<env>.yaml`` applies; only the environment or a flag can say it."""
    data_dir: Path = Path(".trenova")
    """Where embedded databases and key files live, relative to the working directory."""
    worker: WorkerOptions = Field(default_factory=WorkerOptions)
    health: HealthOptions = Field(default_factory=HealthOptions)
    log: LogOptions = Field(default_factory=LogOptions)
    routing: RoutingOptions = Field(default_factory=RoutingOptions)
    observability: ObservabilityOptions = Field(default_factory=ObservabilityOptions)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from nowhere but the constructor; `load_settings` is the one that looks around."""
        return (init_settings,)


S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True)
class LoadedSettings(Generic[S]):
    """Settings and where each value came from."""

    values: S
    layers: Sequence[Layer]

    def describe(self) -> list[Setting]:
        """Return every effective value with its source, secrets masked, in the order of the fields."""
        return describe(self.values, self.layers)


def load_settings(
    settings: type[S],
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    config_file: Path | None = None,
    config_dir: Path | None = None,
) -> LoadedSettings[S]:
    """Collect settings; of two layers that give the same key, the later one here wins.

    1. defaults in code, or those of ``worker.profile``; 2. ``config/base.yaml``; 3. ``config/<env>.yaml``;
    4. ``config_file``; 5. ``TRENOVA_...`` variables; 6. ``<env_prefix>...`` variables; 7. ``overrides``.

    Args:
        settings: The class to fill. Its ``env_prefix`` is that of layer 6.
        environ: The process's environment; empty variables count as not set.
        overrides: ``key=value`` with dots between levels, e.g. ``worker.max_activities=5``.
        config_file: One more YAML file, e.g. a mounted one. It must exist.
        config_dir: In place of ``config/`` beside the class's module.

    Raises:
        ConfigurationError: A key is not known, a value does not fit, or a file cannot be read. The
            message names the source, the key and the nearest known key or what is expected.
    """
    layers = told_layers(settings, environ=environ, overrides=overrides, config_file=config_file, config_dir=config_dir)
    values: dict[str, Any] = merged(layers)
    try:
        made = settings(**values)
    except ValidationError as error:
        raise explain(settings, error, layers) from None
    return LoadedSettings(made, [_profile_layer(made.worker), *layers])


def told_layers(
    settings: type[S],
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    config_file: Path | None = None,
    config_dir: Path | None = None,
) -> list[Layer]:
    """Return what `load_settings` collects, the weakest first, before anybody looks whether it holds.

    Raises:
        ConfigurationError: A file cannot be read, or a variable or flag names what there is not.
    """
    told = [
        environment_layer(settings, SHARED_PREFIX, environ, exclusive=False),
        environment_layer(settings, settings.model_config.get("env_prefix", ""), environ, exclusive=True),
        override_layer(settings, overrides),
    ]
    folder = config_dir or _config_dir(settings)
    env = merged(told).get("env", settings.model_fields["env"].default)
    return [
        yaml_layer(settings, folder / "base.yaml", required=False),
        yaml_layer(settings, folder / f"{env}.yaml", required=False) if _is_env(env) else Layer("", {}),
        yaml_layer(settings, config_file, required=True) if config_file else Layer("", {}),
        *told,
    ]


def describe_refused(settings: type[S], layers: Sequence[Layer]) -> list[Setting]:
    """Return what there is of settings that do not hold; see `describe_told`."""
    try:
        profile = _profile_layer(WorkerOptions.model_validate(merged(layers).get("worker", {})))
    except ValidationError:
        profile = Layer("", {})
    return describe_told(settings, [profile, *layers])


def _profile_layer(options: WorkerOptions) -> Layer:
    """Return what the profile of the options gave, beneath all that was told."""
    if options.profile is None:
        return Layer("", {})
    given = profile_defaults(options.profile)
    return Layer(
        f"profile {options.profile}",
        {"worker": {key: value for key, value in given.items() if key not in options.model_fields_set}},
    )


def _is_env(value: object) -> bool:
    return value in {"dev", "staging", "prod"}


def _config_dir(settings: type[ServiceSettings]) -> Path:
    import sys

    file = getattr(sys.modules.get(settings.__module__), "__file__", None)
    return (Path(file).resolve().parent if file else Path()) / "config"
