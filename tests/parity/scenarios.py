"""All scenarios that are played to both shells."""

from __future__ import annotations

from .asking import ASKING
from .signing_in import SIGNING_IN
from .signing_out import SIGNING_OUT
from .visiting import VISITING

SCENARIOS = (*SIGNING_IN, *SIGNING_OUT, *VISITING, *ASKING)
