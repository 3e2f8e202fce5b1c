"""ID tokens that libraries of others took for signed, for fresh, or for meant for them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.browser import FETCH, Browser
from tests.hostile.cases import Verdict, algorithms, both, id_token, metadata
from tests.hostile.jose import Json, b64, compact, jws, main_key, rsa_key
from tests.hostile.provider import Provider
from tests.hostile.site import running

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from tests.hostile.conftest import Log

    from .conftest import Refuses, Visit

BOMB: Json = {"alg": "dir", "enc": "A128GCM", "zip": "DEF"}
RSA1_5: Json = {"alg": "RSA1_5", "enc": "A128CBC-HS256"}


def encrypted(header: Json, content: bytes = b"\x01" * 256) -> str:
    """Return what looks like an encrypted token (RFC 7516 section 7.1)."""
    return f"{b64(json.dumps(header).encode())}.{b64(content)}.AAAA.{b64(content)}.AAAA"


def test_ghsa_wcvh_g65p_v576_no_bearer_token_is_an_identity(visit: Visit) -> None:
    """AD-16: a genuine ID token of this provider's for this client, in the header of a request."""
    browser = visit()
    browser.sign_in()
    issued: list[str] = [secret for secret in browser.provider.secrets if secret.count(".") == 2]
    for token in issued:
        headers = {**FETCH, "authorization": f"Bearer {token}"}
        assert visit(browser.site).request("GET", "/private/page", headers).status == 401
    assert issued


def test_cve_2024_37568_a_public_key_is_no_secret_of_a_mac(refuses: Refuses) -> None:
    """AD-42."""
    refuses("hmac_with_spki_pem", "hmac_with_spki_der")


def test_cve_2025_59420_what_crit_lists_is_not_passed_over(refuses: Refuses) -> None:
    """AD-43."""
    refuses("crit_unknown", "crit_present_and_named")


def test_cve_2025_61920_no_part_of_a_token_is_decoded_at_any_size(refuses: Refuses) -> None:
    """AD-44."""
    started = time.monotonic()
    refuses("header_of_a_megabyte", "signature_of_a_megabyte")
    assert time.monotonic() - started < 5


def test_cve_2025_62706_an_encrypted_token_is_not_inflated(refuses: Refuses) -> None:
    """AD-45."""
    refuses("jwe_with_bomb", id_token(lambda _: encrypted(BOMB)))


def test_cve_2026_27962_a_key_in_the_header_is_not_used_where_no_other_fits(
    refuses: Refuses,
) -> None:
    """AD-48."""
    refuses("jwk_in_header_without_kid", "jwk_in_header")


def test_cve_2026_28802_an_empty_signature_signs_nothing(refuses: Refuses) -> None:
    """AD-49."""
    refuses("alg_'none'", "alg_'nOnE'", "alg_None", "signature_empty")


def test_cve_2026_28498_at_hash_is_never_right_because_its_hash_is_unknown(
    refuses: Refuses,
) -> None:
    """AD-50."""
    refuses("at_hash_wrong", "at_hash_by_another_hash", "at_hash_a_number")


def test_cve_2026_28490_nothing_tells_of_an_encrypted_key_s_padding(visit: Visit) -> None:
    """AD-51."""
    answers = set()
    for content in (b"\x00\x02" + b"\x01" * 254, b"\x00\x01" * 128, b"", bytes(256)):
        browser = visit()
        id_token(lambda _, content=content: encrypted(RSA1_5, content))(browser.provider)  # type: ignore[misc]  # bound at once
        reply = browser.sign_in()
        answers.add((reply.status, reply.text.partition("eference")[0]))
    assert len(answers) == 1


def test_cve_2017_11424_a_pkcs1_key_is_no_secret_of_a_mac(refuses: Refuses) -> None:
    """AD-53."""
    refuses("hmac_with_pkcs1_pem", "hmac_with_pkcs1_der")


def test_cve_2022_29217_no_form_of_a_public_key_is_a_secret_of_a_mac(refuses: Refuses) -> None:
    """AD-54."""
    refuses("hmac_with_openssh", "hmac_with_spki_der", "hmac_with_jwk_text")


def test_cve_2024_53861_a_part_of_the_issuer_is_not_the_issuer(refuses: Refuses) -> None:
    """AD-55."""
    refuses("iss_prefix", "iss_longer", "iss_as_substring", "iss_in_a_list")


def test_cve_2026_32597_crit_is_refused_in_every_form(refuses: Refuses) -> None:
    """AD-56."""
    refuses("crit_absent", "crit_empty", "crit_registered", "crit_a_string", "crit_null")


def test_cve_2026_48522_keys_are_fetched_from_https_alone(refuses: Refuses) -> None:
    """AD-57."""
    ftp, local = metadata(jwks_uri="ftp://127.0.0.1/keys"), metadata(jwks_uri="FILE:/etc/passwd")
    refuses(
        "jwks_uri_file", "jwks_uri_data", "jwks_uri_gopher", ftp, local, verdict=Verdict.NO_START
    )


def test_cve_2026_48523_a_key_s_own_algorithm_is_not_passed_over(refuses: Refuses) -> None:
    """AD-58."""
    refuses("jwk_says_another_alg", "curve_key_under_rs256", "es256_not_announced")


def test_cve_2026_48524_unknown_kids_do_not_fetch_the_keys_each_time(
    visit: Visit, log: Log
) -> None:
    """AD-59 (GHSA-2gx3-rcp4-g85q): nor does a kid that is known, between them."""
    first = visit()
    for number in range(6):
        header: Json = {"alg": "RS256", "kid": f"unknown-{number}"}
        id_token(lambda c, header=header: jws(c, rsa_key("attacker"), header))(first.provider)  # type: ignore[misc]  # bound at once
        assert visit(first.site).sign_in().status >= 400
        id_token(lambda c: jws(c, main_key()))(first.provider)
        assert visit(first.site).sign_in().status == 303
    assert first.provider.hits["jwks"] <= 2
    assert log.ours()


def test_cve_2026_48525_detached_and_unencoded_payloads_are_refused(refuses: Refuses) -> None:
    """AD-60."""
    refuses("payload_detached", "b64_false", "b64_false_without_crit")


def test_cve_2026_48526_a_public_jwk_is_no_secret_of_a_mac(refuses: Refuses) -> None:
    """AD-61."""
    refuses("hmac_with_jwk_text", "hmac_with_a_published_oct_key")


def test_cve_2024_33663_an_openssh_key_is_no_secret_of_a_mac(refuses: Refuses) -> None:
    """AD-63."""
    refuses("hmac_with_openssh")


def test_cve_2024_33664_an_encrypted_token_costs_nothing(refuses: Refuses) -> None:
    """AD-64."""
    started = time.monotonic()
    refuses(id_token(lambda _: encrypted(BOMB, b"\x01" * 20_000)), "jwe_with_bomb")
    assert time.monotonic() - started < 5


def test_cve_2020_26244_alg_iat_and_signature_are_checked_and_none_is_refused(
    refuses: Refuses,
) -> None:
    """AD-65."""
    refuses("alg_'none'", "iat_missing", "signature_of_another_key", "es256_not_announced")


def test_cve_2022_39227_a_token_that_two_parsers_read_differently_is_refused(
    refuses: Refuses,
) -> None:
    """AD-66: JSON around a compact token, as in the advisory, and the general serialisation."""

    def polyglot(given: Json) -> str:
        header, payload, signature = jws(given, main_key()).split(".")
        forged = b64(json.dumps({**given, "sub": "admin"}).encode())
        members = {f"  {header}.{forged}.": "", "protected": header, "payload": payload}
        return json.dumps({**members, "signature": signature})

    refuses(id_token(polyglot), "id_token_in_json_serialisation")


def test_cve_2022_3102_an_encrypted_token_is_no_signed_one(refuses: Refuses) -> None:
    """AD-67 (CVE-2016-6298, CVE-2023-6681, CVE-2024-28102): nor is anything of it computed."""
    refuses("dots_five_parts", "jwe_with_costly_password", "jwe_with_bomb")
    refuses(id_token(lambda _: encrypted(RSA1_5)))


def test_cve_2025_65015_no_token_is_in_an_error_and_no_empty_key_signs(
    refuses: Refuses, log: Log
) -> None:
    """AD-68 (CVE-2026-27932, CVE-2026-49852): the log is searched for every secret, see ``log``."""
    refuses("hmac_with_empty_key", "jwe_with_costly_password", "payload_not_utf_8", "two_alg")
    assert log.ours()


def test_cve_2024_47806_aud_and_iss_are_checked(refuses: Refuses) -> None:
    """AD-90 (CVE-2024-47807)."""
    refuses("aud_is_another", "iss_is_another")


def test_cve_2023_22482_a_token_for_another_client_is_refused(refuses: Refuses) -> None:
    """AD-94."""
    refuses("aud_is_another", "aud_missing", "aud_second_with_azp_of_other")


def test_cve_2021_44878_none_is_refused_although_the_provider_lists_it(refuses: Refuses) -> None:
    """AD-96: among others, first, and alone."""
    unsigned = id_token(lambda c: compact({"alg": "none", "kid": "main"}, c, b""))
    refuses(
        "alg_'none'",
        "alg_none_but_signed",
        both(algorithms("none", "RS256"), unsigned),
        both(algorithms("none"), unsigned),
    )


def test_cve_2026_29000_an_unsigned_token_in_an_encrypted_one_is_refused(
    refuses: Refuses,
) -> None:
    """AD-97."""
    inner = compact({"alg": "none"}, {"sub": "admin"}, b"")
    refuses(id_token(lambda _: encrypted({**BOMB, "cty": "JWT"}, inner.encode())))


def test_cve_2026_31813_another_tenant_of_the_same_provider_is_another_issuer(
    portal: BlockingPortal, log: Log
) -> None:
    """AD-104."""
    with Provider("/tenant-one") as provider, running(portal, provider) as site:
        for other in ("/tenant-two", "/{tenantid}", ""):
            browser = Browser(site, provider)
            log.browsers.append(browser)
            iss = provider.server.base + other
            provider.script.claims = lambda given, iss=iss: {**given, "iss": iss}  # type: ignore[misc]  # bound at once
            assert browser.sign_in().status >= 400
            assert browser.user() is None


def test_cve_2018_0114_a_key_that_comes_with_the_token_proves_nothing(refuses: Refuses) -> None:
    """AD-107."""
    refuses("jwk_in_header", "x5c", "jku")


def test_cve_2022_36083_no_password_and_no_inflating_is_asked_of_us(refuses: Refuses) -> None:
    """AD-108 (CVE-2024-28176, CVE-2021-29443)."""
    started = time.monotonic()
    refuses("jwe_with_costly_password", "jwe_with_bomb")
    assert time.monotonic() - started < 5


def test_cve_2025_65945_a_token_has_no_say_in_what_verifies_it(refuses: Refuses) -> None:
    """AD-109."""
    refuses("hmac_with_client_secret", "kid_a_path", "kid_sql", "kid_an_object")


@pytest.mark.parametrize("name", ["rsa_of_1024_bits", "es256_on_p_384", "jwk_says_another_alg"])
def test_cve_2022_23539_keys_of_the_wrong_kind_or_strength_are_refused(
    name: str, refuses: Refuses
) -> None:
    """AD-110 (CVE-2022-23540, CVE-2022-23541)."""
    refuses(name, "alg_missing")
