import uuid
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from sample_worker._settings import Settings

from trenova_errors import ConfigurationError
from trenova_workers import ServiceSettings, load_settings


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()

    def write(name, text):
        path = folder / name
        path.write_text(text)
        return path

    write.folder = folder
    return write


def load(config, environ=None, **arguments):
    return load_settings(Settings, environ=environ or {}, config_dir=config.folder, **arguments)


def sources(loaded):
    return {setting["key"]: (setting["value"], setting["source"]) for setting in loaded.describe()}


@pytest.mark.parametrize("given", ["bad.yaml", "deep/er/bad.yaml"])
def test_a_file_is_named_as_given_and_shorter_only_below_the_working_directory(tmp_path, monkeypatch, given):
    file, elsewhere = tmp_path / given, tmp_path / "elsewhere"
    for folder in (file.parent, elsewhere):
        folder.mkdir(parents=True, exist_ok=True)
    file.write_text("wroker: {}")

    def told(path):
        with pytest.raises(ConfigurationError) as caught:
            load_settings(Settings, environ={}, config_file=path)
        return caught.value.message.partition(": unknown key 'wroker'.")[0]

    monkeypatch.chdir(tmp_path)
    assert told(Path(given)) == told(file) == given
    monkeypatch.chdir(elsewhere)
    assert told(Path("..") / given) == f"../{given}"
    assert told(file) == str(file)
    monkeypatch.chdir("/")
    assert told(file) == str(file)


def test_each_layer_overrides_the_one_before_and_is_named(config, monkeypatch):
    monkeypatch.chdir(config.folder.parent)
    key = "store.pool_size"
    layers = {
        "config/base.yaml": lambda: config("base.yaml", "store: {pool_size: 1}"),
        "config/staging.yaml": lambda: config("staging.yaml", "store: {pool_size: 2}"),
        "config/more.yaml": lambda: arguments.update(config_file=config("more.yaml", "store: {pool_size: 3}")),
        "TRENOVA_STORE__POOL_SIZE": lambda: environ.update(TRENOVA_STORE__POOL_SIZE="4"),
        "SAMPLE_WORKER_STORE__POOL_SIZE": lambda: environ.update(SAMPLE_WORKER_STORE__POOL_SIZE="5"),
        "--set store.pool_size": lambda: arguments.update(overrides=["store.pool_size=6"]),
    }
    environ = {"TRENOVA_ENV": "staging"}
    arguments = {}
    assert sources(load(config, environ))[key] == (500, "default")

    for value, (name, write) in enumerate(layers.items(), start=1):
        write()
        assert sources(load(config, environ, **arguments))[key] == (value, name)


def test_a_layer_leaves_the_neighbours_of_what_it_sets(config):
    config("base.yaml", "store: {pool_size: 7, tags: [a]}")

    store = load(config, {"SAMPLE_WORKER_STORE__URL": "sqlite:///y"}).values.store

    assert (store.pool_size, store.tags, store.url) == (7, ["a"], "sqlite:///y")


def test_the_files_lie_beside_the_module_of_the_class():
    found = sources(load_settings(Settings, environ={"TRENOVA_ENV": "prod"}))

    assert found["worker.graceful_shutdown_s"] == (20.0, "config/base.yaml")
    assert found["store.pool_size"] == (500, "config/prod.yaml")
    assert found["env"] == ("prod", "TRENOVA_ENV")


def test_a_flag_can_choose_the_environment(config):
    config("prod.yaml", "store: {pool_size: 9}")

    assert load(config, {"TRENOVA_ENV": "dev"}, overrides=["env=prod"]).values.store.pool_size == 9


def test_settings_made_directly_look_at_nothing(monkeypatch):
    monkeypatch.setenv("SAMPLE_WORKER_STORE__POOL_SIZE", "77")

    assert Settings().store.pool_size == 500
    assert ServiceSettings().env == "dev"


def test_settings_cannot_be_changed_afterwards(config):
    with pytest.raises(ValidationError, match="frozen"):
        load(config).values.env = "prod"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "worker: {max_activites: 3}",
            "config/base.yaml: unknown key 'worker.max_activites'. Did you mean 'worker.max_activities'?",
        ),
        ("stoer: {}", "config/base.yaml: unknown key 'stoer'. Did you mean 'store'?"),
        (
            "worker: {max_activities: many}",
            "config/base.yaml: 'worker.max_activities': Input should be a valid integer, unable to parse string",
        ),
        ("worker: {graceful_shutdown_s: 0}", "'worker.graceful_shutdown_s': Input should be greater than 0, got 0."),
        ("worker: 3", "config/base.yaml: 'worker': Input should be a valid dictionary or instance of WorkerOptions"),
        ("env: prod", "config/base.yaml sets 'env'"),
        ("- worker", "config/base.yaml holds a list; it must hold keys"),
        ("worker: [", "config/base.yaml is not YAML at line 1, column 10"),
    ],
)
def test_a_fault_in_a_file_names_the_file_the_key_and_the_remedy(config, file, message):
    config("base.yaml", file)

    with pytest.raises(ConfigurationError) as caught:
        load(config)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SAMPLE_WORKER_STROE__URL": "x"}, "SAMPLE_WORKER_STROE__URL names the unknown key 'stroe'"),
        ({"SAMPLE_WORKER_STORE__POOLSIZE": "1"}, "Did you mean 'store.pool_size'?"),
        ({"TRENOVA_WORKER__POOL": "1"}, "TRENOVA_WORKER__POOL: unknown key 'worker.pool'"),
        ({"TRENOVA_ENV": "production"}, "TRENOVA_ENV: 'env': Input should be 'dev', 'staging' or 'prod'"),
        ({"SAMPLE_WORKER_STORE__TAGS": "[x"}, "SAMPLE_WORKER_STORE__TAGS begins like JSON and is not"),
        ({"SAMPLE_WORKER_STORE__TAGS": "x"}, "SAMPLE_WORKER_STORE__TAGS: 'store.tags': Input should be a valid list"),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(config, environ, message):
    with pytest.raises(ConfigurationError) as caught:
        load(config, environ)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("worker.max_activities", "--set needs key=value, got 'worker.max_activities' without a value"),
        ("wroker.max_activities=1", "--set wroker.max_activities names the unknown key 'wroker'"),
        ("worker.max_activities=x", "--set worker.max_activities: 'worker.max_activities': Input should be"),
    ],
)
def test_a_fault_in_a_flag_names_the_flag(config, override, message):
    with pytest.raises(ConfigurationError) as caught:
        load(config, overrides=[override])
    assert message in caught.value.message


def test_a_config_file_that_is_not_there_is_refused(config):
    with pytest.raises(ConfigurationError, match=r"nowhere.yaml' does not exist"):
        load(config, config_file=config.folder / "nowhere.yaml")


def test_every_fault_is_told_at_once(config):
    config("base.yaml", "worker: {a: 1, b: 2}")

    with pytest.raises(ConfigurationError) as caught:
        load(config)
    assert caught.value.message.count("unknown key") == 2


def test_variables_of_others_are_left_to_them(config):
    load(
        config,
        {
            "TRENOVA_CODEC__KEYS": "of another service",
            "SAMPLE_WORKER_SERVICE_HOST": "10.0.0.1",
            "SAMPLE_WORKER_PORT": "tcp://10.0.0.1:80",
            "SAMPLE_WORKER_PORT_80_TCP_ADDR": "10.0.0.1",
            "SAMPLE_WORKER_STORE__POOL_SIZE": "",
        },
    )


def test_lists_and_nothing_can_be_said_in_text(config):
    config("base.yaml", "worker: {activities_per_second: 5}")
    values = load(
        config,
        {"SAMPLE_WORKER_STORE": '{"tags": ["a", "b"], "url": "sqlite:///z"}', "SAMPLE_WORKER_STORE__URL": "[not json"},
        overrides=["worker.activities_per_second=null"],
    ).values

    assert values.store.tags == ["a", "b"]
    assert values.store.url == "[not json"
    assert values.worker.activities_per_second is None


def test_secrets_are_masked_wherever_they_stand(config):
    secret = uuid.uuid4().hex
    shown = sources(
        load(
            config,
            {
                "SAMPLE_WORKER_STORE__PASSWORD": secret,
                "SAMPLE_WORKER_STORE__URL": f"postgresql://app:{secret}@db/tms?sslpassword={secret}",
                "SAMPLE_WORKER_MORE_QUEUES": f'["redis://:{secret}@h/0"]',
            },
        )
    )

    assert shown["store.password"] == ("**********", "SAMPLE_WORKER_STORE__PASSWORD")
    assert shown["store.url"][0] == "postgresql://app:**********@db/tms?sslpassword=**********"
    assert secret not in str(shown)


@pytest.mark.parametrize(
    "file",
    [
        "store: {password: [hunter2]}",
        "store: {password: {a: hunter2}}",
        "store: {passwort: hunter2}",
        "store: {url: ['postgresql://a:hunter2@h/d']}",
        "store: {pool_size: 'password=hunter2'}",
        "store: hunter2: x",
    ],
)
def test_no_fault_shows_a_secret(config, file):
    config("base.yaml", file)

    with pytest.raises(ConfigurationError) as caught:
        load(config)
    assert "hunter2" not in caught.value.message


class FileKeys(BaseModel):
    source: Literal["file"]
    path: str


class OtherKeys(BaseModel):
    source: Literal["other"]


class Tagged(ServiceSettings):
    keys: Annotated[FileKeys | OtherKeys, Field(discriminator="source")]


def test_a_fault_in_one_of_several_kinds_is_named_as_settings_write_it():
    with pytest.raises(ConfigurationError, match=r"'keys\.path' is required .* Set TRENOVA_KEYS__PATH"):
        load_settings(Tagged, environ={"TRENOVA_KEYS__SOURCE": "file"})
