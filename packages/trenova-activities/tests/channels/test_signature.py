import pytest
from hypothesis import given
from hypothesis import strategies as st

from trenova_activities.channels import SignatureError, sign, verify_signature

SECRET, OLD = "s" * 32, "o" * 32
BODY = b'{"id":"1"}'
EXPECTED = "adf3b8b32483c7a1452ade3628fa50b31b2de5782d2c6828d5188b58f2f0cfd9"


def test_the_signature_is_the_documented_one():
    # echo -n '1700000000.{"id":"1"}' | openssl dgst -sha256 -hmac ssssssssssssssssssssssssssssssss
    assert sign(BODY, [SECRET], at=1_700_000_000) == f"t=1700000000,v1={EXPECTED}"


def test_what_was_signed_verifies_with_either_secret_while_one_is_changed():
    header = sign(BODY, [SECRET, OLD], at=1000)

    assert verify_signature(header, BODY, SECRET, now=1100) == 1000
    assert verify_signature(header, BODY, OLD, now=1100) == 1000
    assert verify_signature(sign(BODY, [OLD], at=1000), BODY, [SECRET, OLD], now=1100) == 1000


@pytest.mark.parametrize(
    ("header", "body", "now", "said"),
    [
        (None, BODY, 1000, "holds no time"),
        ("", BODY, 1000, "holds no time"),
        ("v1=00", BODY, 1000, "holds no time"),
        ("t=1000,t=1000,v1=00", BODY, 1000, "holds no time"),
        ("t=abc,v1=00", BODY, 1000, "holds no time"),
        ("t=1000", BODY, 1000, "another secret or another body"),
        ("t=1000,v1=00", BODY, 1000, "another secret or another body"),
        (sign(BODY, [SECRET], at=1000), BODY + b" ", 1000, "another secret or another body"),
        (sign(BODY, [SECRET], at=1000).replace("t=1000", "t=1001"), BODY, 1000, "another secret or another body"),
        (sign(BODY, [OLD], at=1000), BODY, 1000, "another secret or another body"),
        (sign(BODY, [SECRET], at=1000), BODY, 1301, "more than 300 s"),
        (sign(BODY, [SECRET], at=1000), BODY, 699, "more than 300 s"),
    ],
)
def test_anything_else_is_refused(header, body, now, said):
    with pytest.raises(SignatureError, match=said) as caught:
        verify_signature(header, body, SECRET, now=now)
    assert SECRET not in str(caught.value)


@given(st.text(max_size=200), st.binary(max_size=50))
def test_no_header_that_anybody_makes_up_passes_or_breaks_it(header, body):
    with pytest.raises(SignatureError):
        verify_signature(header, body, SECRET, now=1000)
