"""What can be wrong with a payload that has to be decoded.

Both errors are ``unavailable``, thus retryable: a non-retryable error that is raised while a worker decodes
ends the running workflow for good, whereas after a retryable one the run waits and goes on once decoding
works.
"""

from trenova_errors import UnavailableError


class CorruptPayloadError(UnavailableError):
    """A payload is marked as compressed, but its bytes are not one whole gzip stream of a Payload.

    Facts: ``size`` (bytes of the compressed data).
    """

    code = "codec.corrupt_payload"


class DecompressionLimitError(UnavailableError):
    """A payload would become larger than this process accepts; raising the limit lets it through.

    Facts: ``size`` (bytes that the stream declares), ``limit`` (bytes that are accepted).
    """

    code = "codec.decompression_limit"
