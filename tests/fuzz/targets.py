"""All fuzz targets, by name; each is a function of bytes that raises only if a promise is broken.

What it promises: no error but those that are documented, no reply of 500, nobody signed in who has
not signed in, no input that takes a second, and nothing from outside in a header or a line of the
log that could end it.
"""

from __future__ import annotations

from . import (
    targets_browser,
    targets_provider,
    targets_sealed,
    targets_settings,
    targets_store,
    targets_tokens,
)
from .target import TARGETS, Target

__all__ = [
    "TARGETS",
    "Target",
    "targets_browser",
    "targets_provider",
    "targets_sealed",
    "targets_settings",
    "targets_store",
    "targets_tokens",
]
