import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from service_processes import services, temporal  # noqa: F401 (fixtures)
