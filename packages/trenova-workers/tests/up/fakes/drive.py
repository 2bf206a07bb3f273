"""``up`` as a process of its own, with services, server and limits that a test chooses (JSON, argument 1)."""

# ruff: noqa: T201  # a program: it prints

import asyncio
import json
import os
import sys
from pathlib import Path

from trenova_workers._up._consoles import ConsoleService
from trenova_workers._up._discovery import Service
from trenova_workers._up._embedded import installed_binary
from trenova_workers._up._options import Limits, Options, UpError
from trenova_workers._up._preparations import Preparation
from trenova_workers._up._screen import Screen
from trenova_workers._up._session import bring_up

told = json.loads(sys.argv[1])
options = Options(
    data_dir=Path(told["data_dir"]),
    environ=dict(os.environ),
    server_binary=Path(told["binary"]) if told.get("binary") else installed_binary(),
    port=told.get("port", 0),
    ui_port=told.get("ui_port", 0),
    console_ports=told.get("console_ports", {}),
    demo=told.get("demo", False),
    keep=told.get("keep", False),
    limits=Limits(**told.get("limits", {})),
)
try:
    services = [Service(*one) for one in told["services"]]
    consoles = [ConsoleService(*one) for one in told.get("consoles", [])]
    preparations = [Preparation(*one) for one in told.get("preparations", [])]
    sys.exit(asyncio.run(bring_up(options, services, Screen(), consoles, preparations)))
except UpError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)
