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
        "CompressionCodec",
        "CompressionOptions",
        "CorruptPayloadError",
        "DecompressionLimitError",
        "EncryptionCodec",
        "EnvelopeKeyProvider",
        "ForeignEncryptionError",
        "Key",
        "KeyProvider",
        "KeyRing",
        "KeyRingError",
        "KeyState",
        "KeyUsage",
        "MissingLibraryError",
        "NoActiveKeyError",
        "PlaintextRejectedError",
        "RevokedKeyError",
        "Side",
        "UnknownKeyError",
        "key_usage",
    }
    assert all(hasattr(trenova_codecs, name) for name in trenova_codecs.__all__)
