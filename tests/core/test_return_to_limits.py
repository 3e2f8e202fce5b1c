"""Return addresses at the borders of the rule."""

from __future__ import annotations

import pytest

from intastellar_auth.core.return_to import return_path


def test_an_address_of_2048_characters_is_kept_and_no_longer_one() -> None:
    """RD-08."""
    longest = "/" + "a" * 2047
    assert return_path(longest, default="/landing", own_prefix="/auth") == longest
    assert return_path(f"{longest}a", default="/landing", own_prefix="/auth") == "/landing"


@pytest.mark.parametrize(
    "address", ["/Sign-In/logout", "/sign-in/logout", "/SIGN-IN", "/a/../sign-in"]
)
def test_our_own_paths_are_ours_however_the_prefix_is_written(address: str) -> None:
    """RD-09: where paths are read without regard to case, a return there would sign out."""
    assert return_path(address, default="/landing", own_prefix="/Sign-In") == "/landing"


@pytest.mark.parametrize("address", ["/%5c../evil.example", "/%5C..", "/%255c../evil.example"])
def test_a_backslash_is_a_slash_though_a_dot_segment_would_remove_it(address: str) -> None:
    """RD-02, RD-11: decoded once more behind us, a browser reads the host off its front."""
    assert return_path(address, default="/landing", own_prefix="/auth") == "/landing"
