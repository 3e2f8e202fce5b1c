"""The addresses of Redis: what is taken, what is refused, and that no secret is shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intastellar_auth.stores.redis_url import RedisUrl, is_redis, parse

MARK = "hunter2-MARK"

TAKEN: list[tuple[str, RedisUrl]] = [
    ("redis://h", RedisUrl("single", (("h", 6379),))),
    ("redis://h/", RedisUrl("single", (("h", 6379),))),
    ("redis://[::1]:1/15", RedisUrl("single", (("::1", 1),), database=15)),
    ("redis://:p@h", RedisUrl("single", (("h", 6379),), password="p")),
    (
        "redis://u:a:b%40%2F@10.0.0.1:65535",
        RedisUrl("single", (("10.0.0.1", 65535),), username="u", password="a:b@/"),
    ),
    ("rediss://h", RedisUrl("single", (("h", 6379),), tls={"ssl_check_hostname": True})),
    (
        "rediss://h?ssl_ca_certs=/a%20b.pem&ssl_check_hostname=false",
        RedisUrl(
            "single",
            (("h", 6379),),
            tls={"ssl_ca_certs": "/a b.pem", "ssl_check_hostname": False},
        ),
    ),
    (
        "rediss://h?ssl_cert_reqs=none&ssl_certfile=c&ssl_keyfile=k",
        RedisUrl(
            "single",
            (("h", 6379),),
            tls={
                "ssl_cert_reqs": "none",
                "ssl_certfile": "c",
                "ssl_keyfile": "k",
                "ssl_check_hostname": False,
            },
        ),
    ),
    (
        "redis+sentinel://:p@a,b:1/my.site/2?sentinel_username=s&sentinel_password=t",
        RedisUrl(
            "sentinel",
            (("a", 26379), ("b", 1)),
            database=2,
            service="my.site",
            password="p",
            sentinel_username="s",
            sentinel_password="t",
        ),
    ),
    (
        "rediss+cluster://a:1,b:2/0",
        RedisUrl("cluster", (("a", 1), ("b", 2)), tls={"ssl_check_hostname": True}),
    ),
]


@pytest.mark.parametrize(("text", "url"), TAKEN)
def test_an_address_is_taken_apart(text: str, url: RedisUrl) -> None:
    assert is_redis(text)
    assert parse(text) == url


REFUSED = [
    ("redis://", "is not"),
    ("redis:///0", "is not"),
    ("redis:h", "is not"),
    ("REDIS://h", "is not"),
    (f"redis://:{MARK}@@h", "percent-encoded"),
    (f"redis://:{MARK}/@h", "host or port"),
    (f"redis://:{MARK}#@h", "is not"),
    (f"redis://:{MARK} @h", "is not"),
    (f"redis://:{MARK}\u00e9@h", "is not"),
    (f"redis+unix://{MARK}", "is not"),
    (f"redis://{MARK}@h", ":password@"),
    ("redis://u:@h", ":password@"),
    ("redis://@h", ":password@"),
    (f"redis://:%ff{MARK}@h", "UTF-8"),
    ("redis://h:0", "port"),
    ("redis://h:65536", "port"),
    ("redis://h:", "port"),
    ("redis://::1", "port"),
    ("redis://h_/x", "not a number"),
    (f"redis://h/{MARK}", "not a number"),
    ("redis://h/1/2", "not a number"),
    ("redis://a,b", "several hosts"),
    ("redis+cluster://a,,b", "host"),
    ("redis+cluster://a/1", "only one"),
    ("redis+sentinel://a", "service"),
    ("redis+sentinel://a/b%20c", "service"),
    ("redis+sentinel://a/b/c", "not a number"),
    (f"redis://h?ssl_ca_certs={MARK}", "rediss://"),
    (f"redis://h?{MARK}", "not known"),
    (f"rediss://h?db={MARK}", "ssl_ca_certs"),
    (f"redis+sentinel://h/s?password={MARK}", "sentinel_password"),
    ("rediss://h?ssl_ca_certs=", "a value"),
    ("rediss://h?ssl_ca_certs=a&ssl_ca_certs=b", "once"),
    (f"rediss://h?ssl_cert_reqs={MARK}", "required or none"),
    ("rediss://h?ssl_check_hostname=no", "true or false"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_any_other_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    """TM-05: the reason quotes nothing of it."""
    assert is_redis(text)
    with pytest.raises(ValueError, match=re.escape(reason)) as refused:
        parse(text)
    assert MARK not in str(refused.value)


@settings(max_examples=200)
@given(rest=st.text(alphabet=st.sampled_from("ab1:/?#@%,.[]&=+ \u00e9"), max_size=30))
def test_whatever_follows_is_taken_apart_or_refused(rest: str) -> None:
    for kind in ("", "+sentinel", "+cluster"):
        try:
            url = parse(f"rediss{kind}://{rest}")
        except ValueError as refused:
            assert str(refused)  # noqa: PT017 - either is right
        else:
            assert url.hosts
            assert all(host and 0 < port < 65536 for host, port in url.hosts)


@given(user=st.text(max_size=8), password=st.text(min_size=1, max_size=30))
def test_any_name_and_password_can_be_written(user: str, password: str) -> None:
    url = parse(f"redis://{encoded(user)}:{encoded(password)}@h")
    assert (url.username or "", url.password) == (user, password)


def encoded(text: str) -> str:
    """Encode every byte: surrogates cannot be written at all."""
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace"))


def test_what_is_secret_is_not_in_repr() -> None:
    """TM-05."""
    url = parse(f"redis+sentinel://{MARK}:{MARK}@[::1],b/s?sentinel_password={MARK}")
    assert MARK not in repr(url)
    assert url.shown == "[::1]:26379,b:26379"
    assert url.secrets == (MARK, MARK)
    assert not url.unverified
