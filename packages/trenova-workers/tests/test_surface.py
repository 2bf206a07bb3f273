import trenova_workers
import trenova_workers.cli


def test_the_public_names_are_these():
    assert trenova_workers.__all__ == [
        "CheckEvent",
        "DemoEvent",
        "DemoRun",
        "Finding",
        "ForcedShutdownError",
        "HealthOptions",
        "LoadedSettings",
        "LogOptions",
        "ProgressEvent",
        "Service",
        "ServiceSettings",
        "Setting",
        "SummaryEvent",
        "Work",
        "WorkLimits",
        "WorkerOptions",
        "connect",
        "connect_config",
        "load_settings",
        "prepare",
        "run",
    ]
    assert trenova_workers.cli.__all__ == ["main", "service_main"]


def test_every_public_name_says_what_it_is():
    for name in trenova_workers.__all__:
        if name != "DemoEvent":  # a union cannot carry a docstring
            assert getattr(trenova_workers, name).__doc__
