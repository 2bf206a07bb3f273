import time
from collections.abc import Callable
from typing import Any


def eventually(look: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Return the first true answer of ``look``."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.05)
    return found
