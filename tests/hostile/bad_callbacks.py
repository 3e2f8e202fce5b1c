"""Authorization responses that must end before the code goes anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cases import Case, Verdict, both, metadata, response

if TYPE_CHECKING:
    from .provider import Misbehaviour, Provider
    from .server import Pairs

ACCEPT, STOP, SAFE = Verdict.ACCEPT, Verdict.STOP, Verdict.SAFE


def changed(**members: str) -> Misbehaviour:
    """Replace parameters where they stand."""
    return response(lambda given: tuple((name, members.get(name, said)) for name, said in given))


def dropped(*names: str) -> Misbehaviour:
    """Leave parameters out."""
    return response(lambda given: tuple(pair for pair in given if pair[0] not in names))


def added(*pairs: tuple[str, str]) -> Misbehaviour:
    """Put more parameters at the end."""
    return response(lambda given: given + pairs)


def _again(name: str) -> Misbehaviour:
    """Send one parameter twice with the same value."""
    return response(lambda given: given + tuple(pair for pair in given if pair[0] == name))


def _state(change: str) -> Misbehaviour:
    def alter(given: Pairs) -> Pairs:
        state = dict(given)["state"]
        changes = {"shorter": state[:-1], "longer": state + "A", "swapped": state.swapcase()}
        return tuple((name, changes[change] if name == "state" else said) for name, said in given)

    return response(alter)


def _iss(change: str) -> Misbehaviour:
    def switch_on(provider: Provider) -> None:
        changed(iss=change.format(provider.issuer))(provider)

    return switch_on


UNANNOUNCED = metadata(authorization_response_iss_parameter_supported=None)
MARKUP = "<script>alert('a')</script>\r\nX: y"

CASES = (
    Case("CB-01 CF-P14", "state_missing", STOP, dropped("state")),
    Case("CB-01", "state_empty", STOP, changed(state="")),
    Case("CB-02 CF-P14", "state_unknown", STOP, changed(state="s" * 64)),
    Case("CB-02", "state_shorter", STOP, _state("shorter")),
    Case("CB-02", "state_longer", STOP, _state("longer")),
    Case("CB-02", "state_swapped", STOP, _state("swapped")),
    Case("CB-02 HL-04", "state_of_markup", STOP, changed(state=MARKUP)),
    Case("CB-02", "state_of_a_megabyte", STOP, changed(state="s" * 1_000_000)),
    Case(
        "CB-06 CB-10 CF-P12", "iss_parameter_is_another", STOP, changed(iss="https://evil.example")
    ),
    Case("CB-07 CF-P13", "iss_parameter_missing", STOP, dropped("iss")),
    Case("CB-06", "iss_parameter_empty", STOP, changed(iss="")),
    Case("CB-08", "iss_parameter_with_slash", STOP, _iss("{}/")),
    Case("CB-08", "iss_parameter_with_space", STOP, _iss("{} ")),
    Case("CB-08", "iss_parameter_encoded_again", STOP, changed(iss="http%3A%2F%2F127.0.0.1")),
    Case("CB-09", "iss_parameter_unannounced", ACCEPT, UNANNOUNCED),
    Case(
        "CB-09", "iss_parameter_unannounced_and_missing", ACCEPT, both(UNANNOUNCED, dropped("iss"))
    ),
    Case(
        "CB-09",
        "iss_parameter_unannounced_and_wrong",
        STOP,
        both(UNANNOUNCED, changed(iss="https://evil.example")),
    ),
    *(Case("CB-11", f"{name}_twice", STOP, _again(name)) for name in ("code", "state", "iss")),
    Case("CB-11", "code_twice_otherwise", STOP, added(("code", "other"))),
    Case("CB-11", "state_twice_otherwise", STOP, added(("state", "other"))),
    Case("CB-11", "error_twice", STOP, added(("error", "a"), ("error", "b"))),
    Case("CB-12", "code_and_error", STOP, added(("error", "access_denied"))),
    Case("CB-01", "code_missing", STOP, dropped("code")),
    Case("CB-01", "code_empty", STOP, changed(code="")),
    Case("CB-01", "everything_missing", STOP, dropped("code", "state", "iss")),
    Case("CB-14", "error_without_state", STOP, response(lambda _: (("error", "access_denied"),))),
    Case(
        "CB-06",
        "error_with_wrong_iss",
        STOP,
        both(
            response(lambda g: (("error", "access_denied"), g[1], ("iss", "https://evil.example")))
        ),
    ),
    *(
        Case("CB-13", f"error_{error}", STOP, response(lambda g, e=error: (("error", e), *g[1:])))  # type: ignore[misc]
        for error in ("access_denied", "server_error", "unknown_thing", "invalid_request")
    ),
    Case(
        "CB-13 HL-06 CF-F02",
        "error_of_markup",
        STOP,
        response(
            lambda g: (
                ("error", MARKUP),
                ("error_description", MARKUP),
                ("error_uri", "javascript:alert(1)"),
                *g[1:],
            )
        ),
    ),
    Case(
        "CB-13",
        "error_of_a_megabyte",
        STOP,
        response(
            lambda g: (("error", "x" * 500_000), ("error_description", "y" * 500_000), *g[1:])
        ),
    ),
    Case(
        "CB-15",
        "tokens_in_the_query",
        SAFE,
        added(("id_token", "e30.e30.e30"), ("access_token", "a")),
    ),
    Case(
        "CB-15", "unknown_parameters", ACCEPT, added(("session_state", "x.y"), ("frobnicate", ""))
    ),
    Case("CB-18", "code_of_100_kb", STOP, changed(code="c" * 100_000)),
    Case("CB-18", "code_with_line_break", STOP, changed(code="c\r\nX: y")),
    Case("CB-18", "code_with_nul", STOP, changed(code="c\0d")),
    Case("CB-18", "code_not_ascii", STOP, changed(code="cödé")),
)
