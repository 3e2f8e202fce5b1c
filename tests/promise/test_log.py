"""What the log of a site tells while the rows of the promise happen, and what it never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.support.stage import Stage, stage
from tests.support.wire import fire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser import Browser


def own_lines(here: Stage) -> str:
    """Return what the package logged; the server's own access log is not ours."""
    lines = here.site.server.log().splitlines()
    return "\n".join(line for line in lines if "intastellar_auth" in line)


def test_the_log_holds_no_code_state_cookie_or_claim(tmp_path: Path, browser: Browser) -> None:
    """In all of: success, repetition, refusal, a forged state, another browser, and logout."""
    with stage(tmp_path) as here:
        here.provider.refuse(times=1)
        first = browser.sign_in_until_callback(f"{here.url}/members")
        second = browser.until_callback(browser.go(first))
        browser.go(second)
        cookies = [cookie.value for cookie in browser.cookies()]
        fire(*[second] * 3, cookie=browser.cookie_header(second))
        fire(second, f"{second}A", f"{here.url}/auth/callback?state=forged&code=x", cookie="")
        browser.log_out(here.url)

        lines = own_lines(here)

    secrets = [httpx.URL(url).params[name] for url in (first, second) for name in ("code", "state")]
    assert "signed_in" in lines
    assert not [secret for secret in secrets if secret in lines]
    assert not [value for value in cookies if value and value in lines]
    assert "alice" not in lines
    assert "a-key-of-the-tests" not in lines
    assert "a-secret-that-only" not in lines


def test_the_reference_on_a_page_is_in_the_log(tmp_path: Path) -> None:
    """So that whoever is asked for help finds the reason."""
    with stage(tmp_path) as here:
        url = f"{here.url}/auth/callback?state=forged&code=x"
        answer = httpx.get(url, headers={"accept": "application/json"}, trust_env=False)

        assert answer.status_code == 400
        assert answer.json()["reference"] in own_lines(here)
