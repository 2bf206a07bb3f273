"""Cron strings that Temporal reads otherwise than their author means; seen on Server 1.32.

The server accepts five to seven fields, shorthands, comments and time zones inside the string. Six fields end
in the year where other crons begin with seconds, and a day of month together with a day of week fires only
where both match, where other crons fire on either. Whether the rest is well formed is the server's to say.
"""

_SHORTHANDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_FIELDS = 5
_DAY_OF_MONTH = 2
_DAY_OF_WEEK = 4


def require_unambiguous(cron: str) -> str:
    """Return the string without surrounding space, or say what the server would make of it.

    Raises:
        ValueError: Not five fields and no shorthand, or a meaning that differs from other crons.
    """
    told = require_five_fields(cron)
    fields = told.split()
    days = [fields[_DAY_OF_MONTH], fields[_DAY_OF_WEEK]] if len(fields) == _FIELDS else ["*"]
    if not any(day.startswith("*") for day in days):
        raise ValueError(
            f"cron {cron!r} names a day of month and a day of week; Temporal fires only on days "
            "that are both, other crons on days that are either. "
            "For both set calendar, for either make two definitions"
        )
    return told


def require_five_fields(cron: str) -> str:
    """Return the string without surrounding space if it is five fields or a shorthand.

    Raises:
        ValueError: It is something else, which the server would take for a year, a zone or an interval.
    """
    fields = cron.split()
    if len(fields) == 1 and fields[0] in _SHORTHANDS:
        return fields[0]
    if "=" in cron:
        raise ValueError(f"cron {cron!r} sets its own time zone; set time_zone and leave five fields here")
    if "#" in cron:
        raise ValueError(f"cron {cron!r} holds a comment; put the text into note and leave five fields here")
    if fields[:1] == ["@every"]:
        raise ValueError(f"cron {cron!r} is an interval; set interval to a timedelta instead")
    if len(fields) != _FIELDS:
        raise ValueError(
            f"cron {cron!r} has {len(fields)} fields; give five (minute, hour, day of month, month, "
            f"day of week) or one of {', '.join(sorted(_SHORTHANDS))}. Temporal takes a sixth field for the "
            "year, not for seconds; for less than a minute set interval"
        )
    return " ".join(fields)
