"""Libraries that may be missing: ``isal`` has no wheel for some platforms, zstd is an extra."""

from importlib import import_module
from typing import Any


def _optional(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


igzip_lib = _optional("isal.igzip_lib")
zstandard = _optional("zstandard")
