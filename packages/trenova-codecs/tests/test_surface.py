import trenova_codecs


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_codecs.__all__) == {
        "GZIP_ENCODING",
        "CodecError",
        "CompressionCodec",
        "CompressionOptions",
        "CorruptPayloadError",
        "DecompressionLimitError",
        "EnvelopeKeyProvider",
        "ForeignEncryptionError",
        "Key",
        "KeyProvider",
        "KeyRing",
        "KeyRingError",
        "KeyState",
        "MissingLibraryError",
        "NoActiveKeyError",
        "PlaintextRejectedError",
        "RevokedKeyError",
        "Side",
        "UnknownKeyError",
    }
    assert all(hasattr(trenova_codecs, name) for name in trenova_codecs.__all__)
