import trenova_workers
import trenova_workers.cli
import trenova_workers.deploy
import trenova_workers.pool
import trenova_workers.pool.client
import trenova_workers.pool.kubernetes
import trenova_workers.pool.server
import trenova_workers.pool.store
import trenova_workers.routing
import trenova_workers.scaling
import trenova_workers.simulate


def test_the_public_names_are_these():
    assert trenova_workers.__all__ == [
        "AutoscalingPollers",
        "CheckEvent",
        "CompositeTuner",
        "ConsoleAddress",
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
        "ObservabilityOptions",
        "ObservabilityPlugin",
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
        "TraceIds",
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
    assert trenova_workers.deploy.__all__ == [
        "Changed",
        "Counts",
        "DeploymentConflictError",
        "DeploymentReader",
        "DeploymentRefusedError",
        "DeploymentStatus",
        "Operator",
        "Rollout",
        "RolloutEvent",
        "RolloutOptions",
        "RolloutThresholds",
        "Verdict",
        "VersionChange",
        "VersionStatus",
        "deployment_names",
        "judge",
    ]
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
    assert trenova_workers.scaling.__all__ == [
        "Action",
        "Allocation",
        "Budget",
        "BusinessClass",
        "Candidates",
        "Clamp",
        "Decision",
        "ExpectedArrivals",
        "FireCalendar",
        "Held",
        "Observation",
        "Override",
        "PoolDemand",
        "ScalingPolicy",
        "ScalingState",
        "SlotsSeen",
        "Trigger",
        "VersionState",
        "WorkerCounts",
        "arbitrate",
        "decide",
        "load_policy",
    ]
    assert trenova_workers.simulate.__all__ == [
        "Case",
        "Comparison",
        "Fire",
        "FixedLaw",
        "KedaLaw",
        "Law",
        "Outage",
        "OwnLaw",
        "Plan",
        "PlannedLaw",
        "RateLaw",
        "Run",
        "Span",
        "Trace",
        "case",
        "cases",
        "compare",
        "load_trace",
        "names",
        "oracle",
        "run",
        "work_seconds",
    ]


def test_every_public_name_says_what_it_is():
    for name in trenova_workers.__all__:
        if name not in {"DemoEvent", "ORGANIZATION_ATTRIBUTE"}:  # a union and a text cannot carry a docstring
            assert getattr(trenova_workers, name).__doc__
    literals = {"Action", "Clamp", "Held", "Trigger", "VersionState"}
    for part in (trenova_workers.scaling, trenova_workers.simulate):
        for name in set(part.__all__) - literals:
            assert getattr(part, name).__doc__


def test_the_public_names_of_pools_are_these():
    assert trenova_workers.pool.__all__ == [
        "Backend",
        "BuildOptions",
        "Capabilities",
        "Clerk",
        "ContentionOptions",
        "CrashOptions",
        "DependencyHealth",
        "DependencyOptions",
        "DependencyProbes",
        "Figures",
        "ManagedPool",
        "ManagerReport",
        "OpenedManager",
        "PoolDesk",
        "PoolManager",
        "PoolOptions",
        "PoolReport",
        "PoolVersion",
        "PoolView",
        "PoolWorker",
        "PoolsOptions",
        "PoolsReport",
        "ProcessBackend",
        "ProcessOptions",
        "QueueObserver",
        "ScheduleCalendar",
        "TemporalObserver",
        "WorkerEnd",
        "WorkerPhase",
        "WorkerSlots",
        "WorkersReport",
        "load_pools",
        "open_manager",
        "open_store",
    ]
    assert trenova_workers.pool.store.__all__ == [
        "DECISIONS_KEPT",
        "LEASE_S",
        "DecisionPage",
        "Decisions",
        "DrainOrder",
        "DrainOrders",
        "Ending",
        "HistoryPoint",
        "KeptDecision",
        "Lease",
        "LeaseHolder",
        "LeaseLostError",
        "Leases",
        "OrderBook",
        "Pause",
        "PoolAudit",
        "PoolAuditEntry",
        "PoolAuditPage",
        "PoolBounds",
        "PoolHistory",
        "PoolMigration",
        "PoolOrders",
        "PoolPhase",
        "PoolState",
        "PoolStates",
        "PoolStore",
        "PoolStoreOptions",
        "WorkerRecord",
        "WorkerRecords",
    ]
    assert trenova_workers.pool.kubernetes.__all__ == [
        "Cluster",
        "ContendedError",
        "KubernetesBackend",
        "KubernetesOptions",
        "KubernetesVersions",
        "open_cluster",
        "open_deployments",
    ]
    assert trenova_workers.pool.client.__all__ == ["AddressFile", "PoolClient", "PoolServerAddress", "fixed_address"]
    assert trenova_workers.pool.server.__all__ == [
        "ADMIN",
        "DELEGATE",
        "OPERATOR",
        "ROLES",
        "VIEWER",
        "PoolServerOptions",
        "RateOptions",
        "create_app",
        "require_safe",
        "server_options",
        "serving",
    ]


def test_every_public_name_of_pools_says_what_it_is():
    for module in (trenova_workers.pool, trenova_workers.pool.kubernetes, trenova_workers.pool.store):
        for name in module.__all__:
            if name not in {"DECISIONS_KEPT", "LEASE_S", "Ending"}:  # numbers and a union cannot carry a docstring
                assert getattr(module, name).__doc__
