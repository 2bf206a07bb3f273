"""What the tests of sagas share: a worker of theirs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
