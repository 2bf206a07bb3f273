"""Writes the dashboards of ``panels.py`` as Grafana imports them: ``python services/observability/dashboards.py``."""

import json
from pathlib import Path
from typing import Any, Final

from panels import DASHBOARDS, Dashboard, Panel

FOLDER: Final = Path(__file__).parent / "dashboards"
_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
_WIDTH: Final = 24
_HEIGHT: Final = 8
_ACROSS: Final = 3


def main() -> None:
    """Write one file for each."""
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(rendered(dashboard))


def rendered(dashboard: Dashboard) -> str:
    """Return the JSON of one."""
    return json.dumps(_dashboard(dashboard), indent=1) + "\n"


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in dashboard.rows:
        position = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": position, "panels": []})
        for number, panel in enumerate(row):
            down, along = divmod(number, _ACROSS)
            width = _WIDTH // _ACROSS
            place = {"x": along * width, "y": top + 1 + down * _HEIGHT, "w": width, "h": _HEIGHT}
            panels.append(_panel(len(panels) + 1, panel, place))
        top += 1 + -(-len(row) // _ACROSS) * _HEIGHT
    return {
        "uid": f"trenova-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["trenova"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Trenova", "tags": ["trenova"], "asDropdown": True}],
        "templating": {"list": _variables(dashboard)},
        "panels": panels,
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": panel.query, "legendFormat": panel.legend}],
    }


def _variables(dashboard: Dashboard) -> list[dict[str, Any]]:
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    service = {
        "name": "service",
        "label": "Service",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(trenova_workers_event_loop_lag_seconds, service)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
    }
    return [source, service] if dashboard.by_service else [source]


if __name__ == "__main__":
    main()
