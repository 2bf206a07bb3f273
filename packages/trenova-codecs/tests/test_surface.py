import trenova_codecs


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_codecs.__all__) == {
        "GZIP_ENCODING",
        "CompressionCodec",
        "CompressionOptions",
        "CorruptPayloadError",
        "DecompressionLimitError",
    }
    assert all(hasattr(trenova_codecs, name) for name in trenova_codecs.__all__)
