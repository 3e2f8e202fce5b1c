"""Seeds that are kept because they once found something, and what does not hold yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REGRESSIONS: Final[dict[int, str]] = {
    110: "a callback that stood still claimed when the claim had ended, and sent the code again",
    349: "a refresh that stood still used the refresh token again",
    116: "the page for a callback without its cookie led to the landing page",
    2851: "a slow request kept a session alive that had run out, and its old tokens with it",
    309_927: "a session outlived the claim of a lost refresh, and used the refresh token again",
    545_953: "the same, where the store had not kept what became of the tokens",
    886_323: "the same, where the outcome was gone before the tokens were kept",
    994_499: "the same, where the provider was down and nobody came as far as the claim",
    741_315: "a process that stood still over a store that was down let an ended session in",
    251: "after an outage of long ago, one of several who came at once was let in",
}
"""Seeds that found a mistake which is mended, each with what it was.

Those mistakes that an edit brings back are also in ``broken.py``. 349, 116 and 2851 found theirs in
an earlier version of the simulation or of the package; whether they still would, nobody has shown.
"""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What does not hold yet: ``why``, which ``rows`` it breaks, and ``seeds`` that show it.

    Ordinary seeds leave it out. A seed shows it in one version of the package, and others in the
    next: where none of these does any longer, the test looks for another.
    """

    why: str
    rows: str
    seeds: tuple[int, ...]


BEYOND: Final[dict[str, Beyond]] = {
    "gateway": Beyond(
        "A gateway that says 502 for a refresh that the provider has carried out makes the site "
        "send the refresh token once more. It says the same where the provider is down, and then "
        "the token is good: it is lost in the one case either way, and must not be in the other.",
        "P14",
        (297, 136),
    ),
}
"""By the name that ``--beyond`` takes."""
