import subprocess
import sys

import pytest

import trenova_codecs


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_codecs.__all__) == {
        "COMPAT_ENCODING",
        "GZIP_ENCODING",
        "MAX_PAYLOADS_BYTES",
        "V2_ENCODING",
        "ZLIB_ENCODING",
        "ZSTD_ENCODING",
        "CodecChain",
        "CodecError",
        "CodecOptions",
        "CodecPlugin",
        "CompressionCodec",
        "CompressionOptions",
        "CorruptPayloadError",
        "DecompressionLimitError",
        "EncryptionCodec",
        "EncryptionOptions",
        "EnvelopeKeyProvider",
        "ForeignEncryptionError",
        "Key",
        "KeyAwsKms",
        "KeyDirectory",
        "KeyEnvironment",
        "KeyFile",
        "KeyProvider",
        "KeyRing",
        "KeyRingError",
        "KeySource",
        "KeySourceOptions",
        "KeyState",
        "KeyUsage",
        "LoadedKeys",
        "MissingLibraryError",
        "NoActiveKeyError",
        "PlaintextRejectedError",
        "RevokedKeyError",
        "Side",
        "UnknownKeyError",
        "key_usage",
    }
    assert all(hasattr(trenova_codecs, name) for name in trenova_codecs.__all__)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "trenova_access"])
def test_the_server_without_its_extra_says_in_one_line_which_that_is(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; from trenova_codecs.server import create_app"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: The codec server needs its extra: uv pip install "
        f'"trenova-codecs[server]" ({missing} is missing).'
    )
    assert done.stderr.count("Error: ") == 1
