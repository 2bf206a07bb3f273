"""Traces in files: JSON or YAML with all fields, or CSV with a count for each second."""

import csv
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_workers.routing._problems import in_words, problems_in
from trenova_workers.scaling._file import read_mapping
from trenova_workers.simulate._trace import Trace

_COLUMNS: Final = ("second", "tasks")
_WANTED: Final = (
    "A trace is a CSV file with the columns second,tasks, or JSON or YAML with 'arrivals': how many tasks came in each "
    "second."
)
_SHOWN: Final = 5


def load_trace(path: Path) -> Trace:
    """Read a recorded trace.

    A CSV file has the columns ``second`` and ``tasks``: how many tasks arrived in a second, counted from 0. Seconds
    that are left out had none. All else has its default. Any other file is JSON or YAML with the fields of `Trace`.

    Raises:
        ConfigurationError: It cannot be read or does not hold.
    """
    data = _from_csv(path) if path.suffix == ".csv" else _from_document(path)
    data.setdefault("name", path.stem)
    try:
        return Trace.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(in_words(problems_in(Trace, data, error), str(path))) from None


def _from_document(path: Path) -> dict[str, object]:
    try:
        data = read_mapping(path)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error.message} {_WANTED}") from None
    if "arrivals" not in data and not get_close_matches("arrivals", map(str, data)):
        there = ", ".join(map(str, list(data)[:_SHOWN])) or "nothing"
        raise ConfigurationError(f"{path}: is no trace: it has {there}, and no 'arrivals'. {_WANTED}")
    return data


def _from_csv(path: Path) -> dict[str, object]:
    counts: dict[int, int] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                there = ", ".join(rows.fieldnames or ()) or "nothing"
                raise ConfigurationError(f"{path}: the first line has {there}. Write the columns second,tasks.")
            for number, row in enumerate(rows, 2):
                try:
                    second, tasks = int(row["second"]), int(row["tasks"])
                except (TypeError, ValueError):
                    said = f"{path}: line {number} has {row['second']!r} and {row['tasks']!r}"
                    raise ConfigurationError(f"{said}. Write whole numbers: second,tasks.") from None
                if second < 0 or tasks < 0:
                    raise ConfigurationError(f"{path}: line {number} is negative. Count from 0.")
                counts[second] = counts.get(second, 0) + tasks
    except FileNotFoundError:
        raise ConfigurationError(f"{str(path)!r} does not exist. Correct the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}. Correct the file or its rights.") from None
    last = max(counts, default=-1)
    if last >= 7 * 86_400:
        raise ConfigurationError(f"{path}: reaches second {last}, and a week is the most. Cut it.")
    return {"arrivals": [counts.get(second, 0) for second in range(last + 1)]}
