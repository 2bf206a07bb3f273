"""What the dashboards show: a title, its rows, and in each its panels with a query, a unit and what a line is called.

``dashboards.py`` makes Grafana's JSON of it.
"""

from dataclasses import dataclass
from typing import Final

_OURS: Final = 'task_queue!~"trenova-codecs/.*", service=~"$service"'


@dataclass(frozen=True)
class Panel:
    """One graph, or with ``stat`` one number."""

    title: str
    query: str
    legend: str
    unit: str = "short"
    help: str = ""
    stat: bool = False


@dataclass(frozen=True)
class Dashboard:
    """One page; ``name`` is its file and its address."""

    name: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    by_service: bool = True


def _quantile(share: float, metric: str, by: str, labels: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"


def _rate(metric: str, by: str, labels: str = 'service=~"$service"') -> str:
    return f"sum by ({by}) (rate({metric}{{{labels}}}[$__rate_interval]))"


WORKERS: Final = Dashboard(
    "workers",
    "Trenova: workers",
    (
        (
            "Processes",
            (
                Panel("Workers that answer", 'sum(up{job="trenova-workers"})', "workers", stat=True),
                Panel("Workers that do not", 'count(up{job="trenova-workers"} == 0) or vector(0)', "away", stat=True),
                Panel(
                    "Event loop lag",
                    'max by (service, host, pid) (trenova_workers_event_loop_lag_seconds{service=~"$service"})',
                    "{{service}} {{host}}:{{pid}}",
                    "s",
                    "The worst of the last minute. Above two seconds something blocks the loop; the log has its stack.",
                ),
            ),
        ),
        (
            "Slots and cache",
            (
                Panel(
                    "Slots in use",
                    f"sum by (task_queue, worker_type) (temporal_worker_task_slots_used{{{_OURS}}})",
                    "{{task_queue}} {{worker_type}}",
                ),
                Panel(
                    "Free slots, the fullest worker",
                    f"min by (task_queue, worker_type) (temporal_worker_task_slots_available{{{_OURS}}})",
                    "{{task_queue}} {{worker_type}}",
                    help="At 0 nothing is fetched. Slots that are resizable are not told.",
                ),
                Panel(
                    "Cached workflows",
                    'sum by (service) (temporal_sticky_cache_size{service=~"$service"})',
                    "{{service}}",
                ),
                Panel("Cache hits", _rate("temporal_sticky_cache_hit_total", "service"), "{{service}}", "ops"),
            ),
        ),
        (
            "Work",
            (
                Panel(
                    "Activities, 95 %",
                    _quantile(0.95, "temporal_activity_execution_latency_seconds", "activity_type", _OURS),
                    "{{activity_type}}",
                    "s",
                    "Buckets end at each declared timeout and at 80 % of it.",
                ),
                Panel(
                    "Failed attempts",
                    _rate("trenova_errors_failures_total", "activity_type, error_kind"),
                    "{{activity_type}} {{error_kind}}",
                    "ops",
                ),
                Panel(
                    "Errors that nobody decided about",
                    _rate("trenova_errors_unclassified_total", "activity_type, exception"),
                    "{{activity_type}} {{exception}}",
                    "ops",
                ),
                Panel(
                    "Largest history",
                    'max by (workflow_type) (trenova_workers_workflow_history_largest_events{service=~"$service"})',
                    "{{workflow_type}}",
                    help="The server terminates a run at 51,200 events.",
                ),
                Panel(
                    "Events of a run at its end, 95 %",
                    _quantile(0.95, "trenova_workers_workflow_history_events", "workflow_type", 'service=~"$service"'),
                    "{{workflow_type}}",
                ),
            ),
        ),
    ),
)

QUEUES: Final = Dashboard(
    "queues",
    "Trenova: queues",
    (
        (
            "Waiting",
            (
                Panel(
                    "Workflow tasks wait, 99 %",
                    _quantile(0.99, "temporal_workflow_task_schedule_to_start_latency_seconds", "task_queue", _OURS),
                    "{{task_queue}}",
                    "s",
                    "Above 5 s there are too few workers, or their slots are full.",
                ),
                Panel(
                    "Activities wait, 99 %",
                    _quantile(0.99, "temporal_activity_schedule_to_start_latency_seconds", "task_queue", _OURS),
                    "{{task_queue}}",
                    "s",
                ),
                Panel(
                    "Pollers",
                    f"sum by (task_queue, poller_type) (temporal_num_pollers{{{_OURS}}})",
                    "{{task_queue}} {{poller_type}}",
                ),
            ),
        ),
        (
            "Runs",
            (
                Panel(
                    "Completed", _rate("temporal_workflow_completed_total", "workflow_type"), "{{workflow_type}}", "ops"
                ),
                Panel("Failed", _rate("temporal_workflow_failed_total", "workflow_type"), "{{workflow_type}}", "ops"),
                Panel(
                    "From start to end, 95 %",
                    _quantile(0.95, "temporal_workflow_endtoend_latency_seconds", "workflow_type", _OURS),
                    "{{workflow_type}}",
                    "s",
                ),
                Panel(
                    "Workflow tasks that failed",
                    _rate("temporal_workflow_task_execution_failed_total", "workflow_type, failure_reason"),
                    "{{workflow_type}} {{failure_reason}}",
                    "ops",
                    "Such a run stands still until a worker can go on with it.",
                ),
            ),
        ),
        (
            "Server",
            (
                Panel(
                    "Requests, 99 %",
                    _quantile(0.99, "temporal_request_latency_seconds", "operation", 'service=~"$service"'),
                    "{{operation}}",
                    "s",
                ),
                Panel(
                    "Requests that failed",
                    _rate("temporal_request_failure_total", "operation, status_code"),
                    "{{operation}} {{status_code}}",
                    "ops",
                ),
                Panel(
                    "Notifications",
                    _rate("trenova_notification_deliveries_total", "channel, outcome"),
                    "{{channel}} {{outcome}}",
                    "ops",
                ),
            ),
        ),
    ),
)

SCHEDULES: Final = Dashboard(
    "schedules",
    "Trenova: schedules",
    (
        (
            "Ticks",
            (
                Panel("Schedules that miss their objective", "sum(trenova_schedules_failing)", "failing", stat=True),
                Panel(
                    "Ticks by what became of them",
                    "sum by (class) (increase(trenova_schedules_ticks_total[$__rate_interval]))",
                    "{{class}}",
                ),
                Panel(
                    "Ticks that should have run",
                    'sum by (schedule_id) (increase(trenova_schedules_ticks_total{class="real_miss"}[1h]))',
                    "{{schedule_id}}",
                ),
                Panel(
                    "Delay of a run, 95 %",
                    "histogram_quantile(0.95, sum by (le, schedule_id) "
                    "(rate(trenova_schedules_delay_seconds_bucket[$__rate_interval])))",
                    "{{schedule_id}}",
                    "s",
                ),
                Panel("Alerts told", "sum by (kind) (increase(trenova_schedules_alerts_total[1h]))", "{{kind}}"),
            ),
        ),
    ),
    by_service=False,
)

RETENTION: Final = Dashboard(
    "retention",
    "Trenova: retention and nightly jobs",
    (
        (
            "What is due",
            (
                Panel("Rows that are due", "max by (job_type) (trenova_nightly_debt_rows)", "{{job_type}}"),
                Panel("Age of the oldest", "max by (job_type) (trenova_nightly_debt_age_seconds)", "{{job_type}}", "s"),
                Panel("Done in", "max by (job_type) (trenova_nightly_eta_seconds)", "{{job_type}}", "s"),
                Panel("Not done before the next night", "max by (job_type) (trenova_nightly_behind)", "{{job_type}}"),
                Panel(
                    "Grew from night to night", "sum by (job_type) (trenova_nightly_growing_runs_total)", "{{job_type}}"
                ),
            ),
        ),
        (
            "How it goes",
            (
                Panel("Rows a second", "sum by (job_type) (trenova_nightly_rows_per_second)", "{{job_type}}"),
                Panel("Rows", "sum by (job_type) (increase(trenova_nightly_rows_total[1h]))", "{{job_type}}"),
                Panel("Rows of the next batch", "max by (job_type) (trenova_nightly_batch_size)", "{{job_type}}"),
                Panel(
                    "A batch, 95 %",
                    "histogram_quantile(0.95, sum by (le, job_type) "
                    "(rate(trenova_nightly_batch_duration_seconds_bucket[$__rate_interval])))",
                    "{{job_type}}",
                    "s",
                ),
                Panel(
                    "Gives way",
                    "max by (job_type, reason) (trenova_nightly_braked)",
                    "{{job_type}} {{reason}}",
                    help="1 while a run is slower than it could be, so that dispatchers do not wait for the database.",
                ),
                Panel(
                    "Batches that were turned away",
                    "sum by (job_type) (increase(trenova_nightly_batches_refused_total[1h]))",
                    "{{job_type}}",
                ),
            ),
        ),
    ),
    by_service=False,
)

CODECS: Final = Dashboard(
    "codecs",
    "Trenova: payloads and keys",
    (
        (
            "Reading",
            (
                Panel(
                    "Tasks that wait for a key",
                    "sum by (service, code) (increase(trenova_codecs_undecoded_tasks_total[$__rate_interval]))",
                    "{{service}} {{code}}",
                ),
                Panel(
                    "Payloads that could not be read or written",
                    "sum by (code, side) (increase(trenova_codecs_errors_total[$__rate_interval]))",
                    "{{code}} {{side}}",
                ),
                Panel(
                    "Payloads in clear",
                    "sum by (service) (increase(trenova_codecs_plaintext_payloads_total[$__rate_interval]))",
                    "{{service}}",
                ),
            ),
        ),
        (
            "Keys",
            (
                Panel(
                    "Messages by key",
                    "sum by (key_id) (rate(trenova_codecs_key_messages_total[$__rate_interval]))",
                    "{{key_id}}",
                    "ops",
                ),
                Panel(
                    "Bytes by key",
                    "sum by (key_id) (rate(trenova_codecs_key_bytes_total[$__rate_interval]))",
                    "{{key_id}}",
                    "Bps",
                ),
            ),
        ),
        (
            "Codec server and sign-in",
            (
                Panel(
                    "Requests",
                    "sum by (operation, outcome) (rate(trenova_codecs_server_requests_total[$__rate_interval]))",
                    "{{operation}} {{outcome}}",
                    "ops",
                ),
                Panel(
                    "Payloads",
                    "sum by (operation) (rate(trenova_codecs_server_payloads_total[$__rate_interval]))",
                    "{{operation}}",
                    "ops",
                ),
                Panel(
                    "A request, 95 %",
                    "histogram_quantile(0.95, sum by (le, operation) "
                    "(rate(trenova_codecs_server_duration_seconds_bucket[$__rate_interval])))",
                    "{{operation}}",
                    "s",
                ),
                Panel(
                    "Decisions about callers",
                    "sum by (action, outcome) (rate(trenova_access_decisions_total[$__rate_interval]))",
                    "{{action}} {{outcome}}",
                    "ops",
                ),
                Panel(
                    "Refused callers",
                    "sum by (reason) (rate(trenova_access_refusals_total[$__rate_interval]))",
                    "{{reason}}",
                    "ops",
                ),
            ),
        ),
    ),
    by_service=False,
)

SCALING: Final = Dashboard(
    "scaling",
    "Trenova: pools",
    (
        (
            "Workers",
            (
                Panel("Managers that act", "sum(trenova_workers_pool_leader)", "leaders", stat=True),
                Panel("Wanted", "max by (pool) (trenova_workers_pool_desired)", "{{pool}}"),
                Panel("There are", "sum by (pool, state) (trenova_workers_pool_workers)", "{{pool}} {{state}}"),
                Panel("Phase", "max by (pool, phase) (trenova_workers_pool_phase) == 1", "{{pool}} {{phase}}"),
            ),
        ),
        (
            "What was done",
            (
                Panel("Started", "sum by (pool) (increase(trenova_workers_pool_starts_total[1h]))", "{{pool}}"),
                Panel("Drained", "sum by (pool) (increase(trenova_workers_pool_drains_total[1h]))", "{{pool}}"),
                Panel("Crashed", "sum by (pool) (increase(trenova_workers_pool_crashes_total[1h]))", "{{pool}}"),
            ),
        ),
    ),
    by_service=False,
)

DASHBOARDS: Final = (WORKERS, QUEUES, SCHEDULES, RETENTION, CODECS, SCALING)
"""In the order of Grafana's folder."""
