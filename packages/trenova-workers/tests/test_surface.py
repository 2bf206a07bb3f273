import trenova_workers
import trenova_workers.cli


def test_the_public_names_are_these():
    assert trenova_workers.__all__ == [
        "AutoscalingPollers",
        "CheckEvent",
        "CompositeTuner",
        "DemoEvent",
        "DemoRun",
        "Explanation",
        "Finding",
        "FixedPollers",
        "FixedSlots",
        "FixedTuner",
        "ForcedShutdownError",
        "HealthOptions",
        "LoadOptions",
        "LoadedSettings",
        "LogOptions",
        "MetricsOptions",
        "ProgressEvent",
        "ResizableSlots",
        "ResizableTuner",
        "ResourceSlots",
        "ResourceTuner",
        "Service",
        "ServiceSettings",
        "Setting",
        "StartRequest",
        "Step",
        "SummaryEvent",
        "Target",
        "Work",
        "WorkLimits",
        "WorkerOptions",
        "apply_weights",
        "check_routing",
        "choose",
        "connect",
        "connect_config",
        "fairness_key",
        "load_rules",
        "load_settings",
        "parse_identity",
        "prepare",
        "run",
    ]
    assert trenova_workers.cli.__all__ == ["main", "service_main"]


def test_every_public_name_says_what_it_is():
    for name in trenova_workers.__all__:
        if name not in {"DemoEvent", "ORGANIZATION_ATTRIBUTE"}:  # a union and a text cannot carry a docstring
            assert getattr(trenova_workers, name).__doc__
