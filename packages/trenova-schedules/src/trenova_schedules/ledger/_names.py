"""Names on the wire; only ever added to."""

from typing import Final

HARVEST_WORKFLOW: Final = "HarvestScheduleLedgerWorkflow"
REGISTER_ACTIVITY: Final = "RegisterSchedulesActivity"
HARVEST_ACTIVITY: Final = "HarvestScheduleLedgerActivity"
