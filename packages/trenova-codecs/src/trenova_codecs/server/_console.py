"""The server as a console that ``trenova-workers up`` starts: told by variables, found by its file.

The variables are the contract between ``up`` and every console; this is this package's half of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trenova_codecs.server._options import ServeOptions
from trenova_codecs.server._settings import load_options
from trenova_errors import ConfigurationError

PORT: Final = "TRENOVA_CONSOLE__PORT"
"""Port of 127.0.0.1 to listen on."""
FILE: Final = "TRENOVA_CONSOLE__FILE"
"""Where to leave ``{"url": ..., "sign_in": ..., "key": ...}``, readable by this user only."""
ORIGINS: Final = "TRENOVA_CONSOLE__ORIGINS"
"""Origins of pages that may call from a browser, with commas between: those of the Temporal UI."""


def console_options(environ: Mapping[str, str]) -> tuple[ServeOptions, Path]:
    """Return the options and the file to leave, from what ``up`` told.

    Raises:
        ConfigurationError: A variable of the contract is missing, or an option is wrong.
    """
    if missing := [name for name in (PORT, FILE) if not environ.get(name)]:
        raise ConfigurationError(
            f"{missing[0]} is not set. `trenova-workers up` sets it; to start a codec server yourself, run "
            "`trenova-codecs serve`."
        )
    namespace = environ.get("TEMPORAL_NAMESPACE", "default")
    origins = [origin for origin in environ.get(ORIGINS, "").split(",") if origin]
    flags = {
        "host": "127.0.0.1",
        "port": environ[PORT],
        "data_dir": environ.get("TRENOVA_DATA_DIR", ".trenova"),
        "keys_optional": True,
        "access.origins": origins or None,
        "namespaces": {namespace: {"keys": ["*"]}},  # its name may have dots, as in Temporal Cloud
    }
    return load_options(None, environ, flags), Path(environ[FILE])
