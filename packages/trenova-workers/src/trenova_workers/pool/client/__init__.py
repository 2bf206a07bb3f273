"""A client of the API of worker pools (extra ``[client]``).

:class:`PoolClient` asks a pool manager that runs with ``--serve``; it finds one of this machine by the file that the
manager leaves (:class:`AddressFile`), and any other by its address and an API token (:func:`fixed_address`).
"""

try:
    from trenova_workers.pool.client._address import AddressFile, PoolServerAddress, fixed_address
    from trenova_workers.pool.client._client import PoolClient
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'A client of worker pools needs its extra: uv pip install "trenova-workers[client]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = ["AddressFile", "PoolClient", "PoolServerAddress", "fixed_address"]
