"""Three roles, and the schedules that a grant is about.

The resource of a grant is ``*`` or conditions on labels with commas between, all of which a schedule has to meet:
``organization=acme``, ``team=dispatch`` or ``organization=acme,team=dispatch``. The organization of a schedule is its
label ``organization``. A schedule without labels, thus every one that is not ours, is met by ``*`` alone.
"""

from collections.abc import Mapping
from typing import Final

from trenova_access import EVERYWHERE, Principal, Roles

VIEWER: Final = "viewer"
"""May look at schedules, their ticks, backfills and history."""
OPERATOR: Final = "operator"
"""May also pause, resume, trigger and backfill."""
ADMIN: Final = "admin"
"""May also create, change and delete, and read the audit trail of everything where its grant is ``*``."""
ROLES: Final = Roles({VIEWER: (), OPERATOR: [VIEWER], ADMIN: [OPERATOR]})


def meets(labels: Mapping[str, str], resource: str) -> bool:
    """Whether a schedule with these labels is one of those that a grant is about; what is no condition meets none."""
    if resource == EVERYWHERE:
        return True
    for condition in resource.split(","):
        name, equals, value = (part.strip() for part in condition.partition("="))
        if not (name and equals and value) or labels.get(name) != value:
            return False
    return True


def permits(principal: Principal, role: str, labels: Mapping[str, str]) -> bool:
    """Whether one of the principal's grants gives the role on a schedule with these labels."""
    return any(
        meets(labels, grant.resource) and ROLES.permits(principal, grant.resource, role) for grant in principal.grants
    )


def permits_everywhere(principal: Principal, role: str) -> bool:
    """Whether the principal has the role on every schedule, labelled or not."""
    return permits(principal, role, {})


def permits_somewhere(principal: Principal, role: str) -> bool:
    """Whether one of the principal's grants gives the role on any schedule."""
    return any(ROLES.permits(principal, grant.resource, role) for grant in principal.grants)
