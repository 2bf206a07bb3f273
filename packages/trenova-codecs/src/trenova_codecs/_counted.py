"""Numbers with what they count, in sentences."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return ``1 run`` or ``2 runs``; ``many`` where that is not ``one`` with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
