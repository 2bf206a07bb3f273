"""What a test of jobs needs: a real PostgreSQL server, and a TMS database that is not ours.

Needs the extras ``testing``, ``database``, ``postgresql`` and ``sqlite``. Fixtures for pytest are in
``trenova_activities.testing.fixtures``.
"""

from trenova_activities.testing._current_tms import CURRENT_TENANTS, CurrentTenant, install_current_tms
from trenova_store.testing import PostgresServer

__all__ = ["CURRENT_TENANTS", "CurrentTenant", "PostgresServer", "install_current_tms"]
