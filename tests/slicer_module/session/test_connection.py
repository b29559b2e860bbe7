"""Addresses as people type them, and whom a token may be sent to."""

from __future__ import annotations

import pytest
from VerteNetLib.connection import Connection, parse_url

from vertenet.errors import OptionError


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (" http://127.0.0.1:8000/ ", "http://127.0.0.1:8000"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("vertenet.clinic.example", "https://vertenet.clinic.example"),
        ("https://clinic.example/vertenet/", "https://clinic.example/vertenet"),
    ],
)
def test_an_address_is_completed(typed, url):
    assert parse_url(typed) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://",
        "ftp://a",
        "http://a b",
        "http://a:b",
        "http://[::1",
        "http://a/?x=1",
        "http://u:p@a",
        "http://a/#b",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(typed):
    with pytest.raises(OptionError) as caught:
        Connection(typed)
    assert caught.value.sentence.endswith(".")


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000", "http://clinic.example", "http://127.0.0.1.example.com"])
def test_a_token_does_not_travel_readable(url):
    assert Connection(url).url == url
    with pytest.raises(OptionError, match="could read the token"):
        Connection(url, "secret")


@pytest.mark.parametrize("url", ["https://clinic.example", "http://127.0.0.1:8000", "http://[::1]:80", "localhost"])
def test_a_token_goes_over_tls_and_within_this_computer(url):
    assert Connection(url, " secret\n").token == "secret"


def test_certificates_are_always_checked(tmp_path):
    with pytest.raises(OptionError, match="always checked"):
        Connection("https://clinic.example", verify=False)
    with pytest.raises(OptionError, match="no such certificate"):
        Connection("https://clinic.example", verify=str(tmp_path / "none.pem"))
    own = tmp_path / "own.pem"
    own.write_text("x")
    assert Connection("https://clinic.example", verify=str(own)).verify == str(own)


def test_the_token_is_in_no_text_of_the_connection():
    assert "s3cret" not in repr(Connection("https://clinic.example", "s3cret"))
    with pytest.raises(OptionError) as caught:
        Connection("https://clinic.example", "s3cret\nX-Header: 1")
    assert "s3cret" not in str(caught.value)
