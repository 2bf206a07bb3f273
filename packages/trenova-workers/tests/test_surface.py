import trenova_workers
import trenova_workers.cli
import trenova_workers.routing


def test_the_public_names_are_these():
    assert trenova_workers.__all__ == [
        "AutoscalingPollers",
        "CheckEvent",
        "CompositeTuner",
        "DemoEvent",
        "DemoRun",
        "Finding",
        "FixedPollers",
        "FixedSlots",
        "FixedTuner",
        "Fleet",
        "ForcedShutdownError",
        "HealthOptions",
        "HistoryMonitor",
        "HistoryOptions",
        "Identity",
        "LoadedSettings",
        "LogOptions",
        "MetricsOptions",
        "PollerCounts",
        "ProgressEvent",
        "QueueStatus",
        "Registrations",
        "RegistrationsPlugin",
        "ResizableSlots",
        "ResizableTuner",
        "ResourceSlots",
        "ResourceTuner",
        "RoutingOptions",
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
    assert trenova_workers.routing.__all__ == [
        "ORGANIZATION_ATTRIBUTE",
        "Applied",
        "Choice",
        "Explanation",
        "LoadOptions",
        "Match",
        "OrganizationClass",
        "Overflow",
        "OverrideChange",
        "QueueLoads",
        "QueueView",
        "Reading",
        "Route",
        "Router",
        "RoutingPlugin",
        "RoutingRules",
        "Rule",
        "RulesFile",
        "StartRequest",
        "Step",
        "Target",
        "apply_weights",
        "check_routing",
        "choose",
        "fairness_key",
        "load_rules",
    ]


def test_every_public_name_says_what_it_is():
    for name in trenova_workers.__all__:
        if name not in {"DemoEvent", "ORGANIZATION_ATTRIBUTE"}:  # a union and a text cannot carry a docstring
            assert getattr(trenova_workers, name).__doc__
