"""Receipts of the command line are files of this user, found by their id and by nothing else."""

import stat

from trenova_schedules._cli_file_receipts import FileReceipts
from trenova_schedules._managing._receipts import Receipt


def receipt(receipt_id: str) -> Receipt:
    return Receipt(id=receipt_id, action="pause", actor="ada", reason="audit")


async def test_an_id_that_leads_elsewhere_finds_nothing(tmp_path):
    receipts = FileReceipts(tmp_path / "data")
    await receipts.keep(receipt("r1"))
    kept = tmp_path / "data/schedule-receipts/r1.json"
    for place in (tmp_path, tmp_path / "data"):
        (place / "other.json").write_bytes(kept.read_bytes())

    for elsewhere in ("../other", "../../other", str(tmp_path / "other"), "r1/../../other"):
        assert await receipts.find(elsewhere) is None
    assert (await receipts.find("r1")).id == "r1"


async def test_others_cannot_look_into_the_folder(tmp_path):
    await FileReceipts(tmp_path / "data").keep(receipt("r1"))

    assert stat.S_IMODE((tmp_path / "data/schedule-receipts").stat().st_mode) == 0o700
