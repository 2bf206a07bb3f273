import trenova_workers
import trenova_workers.cli


def test_the_public_names_are_these():
    assert trenova_workers.__all__ == [
        "CheckEvent",
        "DemoEvent",
        "DemoRun",
        "Finding",
        "Fleet",
        "ForcedShutdownError",
        "HealthOptions",
        "Identity",
        "LoadedSettings",
        "LogOptions",
        "PollerCounts",
        "ProgressEvent",
        "QueueStatus",
        "Registrations",
        "RegistrationsPlugin",
        "Service",
        "ServiceSettings",
        "Setting",
        "SlotUse",
        "SummaryEvent",
        "Work",
        "WorkLimits",
        "WorkerOptions",
        "WorkerState",
        "WorkerStatus",
        "connect",
        "connect_config",
        "host_of",
        "list_workers",
        "load_settings",
        "parse_identity",
        "prepare",
        "run",
    ]
    assert trenova_workers.cli.__all__ == ["main", "service_main"]


def test_every_public_name_says_what_it_is():
    for name in trenova_workers.__all__:
        if name != "DemoEvent":  # a union cannot carry a docstring
            assert getattr(trenova_workers, name).__doc__
