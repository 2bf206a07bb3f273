import pytest
from pydantic import ValidationError

from trenova_workers import ObservabilityOptions


@pytest.mark.parametrize(
    ("url", "protocol", "address"),
    [
        ("http://127.0.0.1:4317", "grpc", "http://127.0.0.1:4317"),
        ("http://127.0.0.1:4318", "http", "http://127.0.0.1:4318/v1/traces"),
        ("https://collector.example/otlp/", "http", "https://collector.example/otlp/v1/traces"),
        ("http://127.0.0.1:4318/v1/traces", "http", "http://127.0.0.1:4318/v1/traces"),
    ],
)
def test_the_path_of_traces_is_added_where_it_is_missing(url, protocol, address):
    assert ObservabilityOptions(otlp_url=url, otlp_protocol=protocol).address == address


@pytest.mark.parametrize("url", ["127.0.0.1:4317", "http://user:pass@host:4317", "http://host:4317?key=1"])
def test_what_is_no_address_or_holds_a_secret_is_refused(url):
    with pytest.raises(ValidationError):
        ObservabilityOptions(otlp_url=url)


def test_what_has_no_effect_without_a_collector_is_refused():
    with pytest.raises(ValidationError, match="sample_share"):
        ObservabilityOptions(sample_share=0.5)
    assert ObservabilityOptions(sample_share=1.0).otlp_url is None


def test_headers_are_not_shown():
    options = ObservabilityOptions(otlp_url="http://127.0.0.1:4317", otlp_headers={"authorization": "Bearer hushed"})

    assert "hushed" not in repr(options)
    assert "hushed" not in options.model_dump_json()
