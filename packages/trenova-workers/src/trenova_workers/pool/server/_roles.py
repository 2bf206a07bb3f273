"""Three roles, and one for programs that people use; a grant is about one pool, by its name, or about all (``*``)."""

from typing import Final

from trenova_access import EVERYWHERE, Principal, Roles

VIEWER: Final = "viewer"
"""May look at pools, workers and decisions."""
OPERATOR: Final = "operator"
"""May also fix a pool's number, pause and resume it, and have a worker drained."""
ADMIN: Final = "admin"
"""May also read the audit trail, where its grant is ``*``."""
DELEGATE: Final = "delegate"
"""May say on whose behalf it orders (header ``On-Behalf-Of``), as a console does; gives no other right, and none of the
others includes it. The audit trail has both names."""
ROLES: Final = Roles({VIEWER: (), OPERATOR: [VIEWER], ADMIN: [OPERATOR], DELEGATE: ()})


def permits(principal: Principal, role: str, pool: str) -> bool:
    """Whether one of the principal's grants gives the role on a pool; ``*`` asks for all of them."""
    return any(
        ROLES.permits(principal, grant.resource, role)
        for grant in principal.grants
        if grant.resource in {EVERYWHERE, pool}
    )
