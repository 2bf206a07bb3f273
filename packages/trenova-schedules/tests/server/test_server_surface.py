import subprocess
import sys

import trenova_schedules.server


def test_the_server_exports_exactly_what_is_public():
    assert set(trenova_schedules.server.__all__) == {
        "ADMIN",
        "OPERATOR",
        "ORGANIZATION",
        "ROLES",
        "VIEWER",
        "DashboardOptions",
        "EventOptions",
        "RateOptions",
        "ServeOptions",
        "ServerOptions",
        "create_app",
        "load_options",
        "serve",
    }
    assert all(hasattr(trenova_schedules.server, name) for name in trenova_schedules.server.__all__)


def test_the_root_and_its_command_line_start_neither_a_server_nor_a_database():
    code = (
        "import sys, trenova_schedules, trenova_schedules.cli; "
        "print([name for name in ('fastapi', 'uvicorn', 'sqlalchemy', 'trenova_access') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"
