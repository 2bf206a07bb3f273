import subprocess
import sys

BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pydantic", "pydantic_core"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Block())
"""


def _run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_root_needs_no_pydantic():
    code = """
import trenova_errors
assert all(hasattr(trenova_errors, name) for name in trenova_errors.__all__)
assert not {"pydantic", "pydantic_core"} & set(sys.modules)
try:
    import trenova_errors.pydantic
except ModuleNotFoundError as error:
    print(error)
"""
    assert "No module named 'pydantic" in _run(BLOCK + code)


def test_the_plugin_without_pydantic_leaves_the_payload_converter_alone():
    code = """
import asyncio
from temporalio.client import Client
from temporalio.converter import DefaultPayloadConverter
from trenova_errors import ErrorsPlugin

async def main():
    client = await Client.connect("127.0.0.1:1", lazy=True, plugins=[ErrorsPlugin()])
    assert client.data_converter.payload_converter_class is DefaultPayloadConverter
    print(client.data_converter.failure_converter_class.__name__)

asyncio.run(main())
"""
    assert "LiftingDefaultFailureConverter" in _run(BLOCK + code)


def test_raising_errors_imports_neither_client_nor_worker():
    code = """
import sys
import trenova_errors
print(sorted({"temporalio.client", "temporalio.worker", "pydantic", "pydantic_core", "structlog"} & set(sys.modules)))
"""
    assert _run(code) == "[]\n"
