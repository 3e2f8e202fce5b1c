"""An outcome that another process, perhaps of another version, has kept for this browser."""

from __future__ import annotations

import hashlib

from intastellar_auth.core.seal import make_sealer

from .hand import make_token_bytes
from .stage import Stage, query


def keep_outcome(stage: Stage, callback: str, outcome: bytes) -> None:
    """Put ``outcome`` where the answer to ``callback`` is kept, for the replay window."""
    state = query(callback)["state"]
    cookies = "; ".join(f"{name}={value}" for name, value in stage.browser.cookies.items())
    attempts = stage.site.attempts
    attempt = attempts.find(cookies.encode(), state, attempts.read_state(state))
    assert attempt is not None, "the browser has lost the login cookie"
    sealed = make_sealer([attempt.receipt], ["outcome"], make_token_bytes()).seal(outcome)
    key = f"outcome:{hashlib.sha256(attempt.id).hexdigest()[:40]}"
    stage.hand.store.put(key, sealed, stage.settings.replay_window)
