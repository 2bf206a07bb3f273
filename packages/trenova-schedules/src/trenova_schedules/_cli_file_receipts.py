"""Receipts of the command line where there is no database: a file each."""

from pathlib import Path

import typer

from trenova_errors import InvalidInputError
from trenova_schedules._managing._listed_receipts import (
    ListedReceipt,
    ReceiptFilter,
    ReceiptPage,
    cursor_after,
    reached,
)
from trenova_schedules._managing._receipts import Receipt


class FileReceipts:
    """Keeps each receipt in a file of its own.

    Args:
        data_dir: Made when the first receipt is kept.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "schedule-receipts"

    async def keep(self, receipt: Receipt) -> None:
        """Write it beside, then into place, so that a kill leaves the old or the new one.

        One of several schedules is named before anything is done, for whoever has to undo what was interrupted.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._path(receipt.id)
        if len(receipt.items) > 1 and not target.exists():
            typer.echo(f"Should this be interrupted: receipt {receipt.id} undoes what was done.", err=True)
        beside = target.with_suffix(".new")
        beside.write_text(receipt.model_dump_json(by_alias=True, indent=2))
        beside.replace(target)

    async def find(self, receipt_id: str) -> Receipt | None:
        """Read it.

        Raises:
            InvalidInputError: The file holds something else.
        """
        path = self._path(receipt_id)
        if not path.exists():
            return None
        try:
            return Receipt.model_validate_json(path.read_text())
        except ValueError:
            raise InvalidInputError(
                f"The file {str(path)!r} holds no receipt. Restore it, or change the schedules back one by one. "
                "Nothing was changed.",
                receipt_id=receipt_id,
            ) from None

    async def read(
        self, wanted: ReceiptFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> ReceiptPage:
        """Return a page of those that match, newest first; a file that holds something else is named and left out.

        Raises:
            InvalidInputError: The cursor is none of ours.
        """
        after = None if cursor is None else reached(cursor)
        found = [(_place(one), one) for one in await self._all() if one.matches(wanted or ReceiptFilter())]
        rest = sorted((one for one in found if after is None or one[0] < after), key=lambda one: one[0], reverse=True)
        shown = tuple(one for _, one in rest[:limit])
        more = cursor_after(shown[-1].created_at, shown[-1].id) if len(rest) > limit else None
        return ReceiptPage(receipts=shown, next_cursor=more)

    async def undone(self, receipt_id: str, *, actor: str) -> bool:
        """Mark it."""
        found = await self.find(receipt_id)
        if found is None or found.undone_at is not None:
            return False
        at = Receipt(action=found.action, actor=actor).created_at
        await self.keep(found.model_copy(update={"undone_at": at, "undone_by": actor}))
        return True

    def _path(self, receipt_id: str) -> Path:
        return self._folder / f"{Path(receipt_id).name}.json"

    async def _all(self) -> list[ListedReceipt]:
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                receipt = await self.find(path.stem)
            except InvalidInputError as error:
                typer.echo(error.message, err=True)
                continue
            if receipt is not None:
                found.append(ListedReceipt(**receipt.model_dump(exclude={"items"}), schedule_ids=receipt.schedule_ids))
        return found


def _place(one: ListedReceipt) -> tuple[int, str]:
    return int(one.created_at.timestamp()), one.id
