"""``python -m tests.fuzz TARGET|all --inputs 1000000``; see ``docs/fuzzing.md``."""

from __future__ import annotations

import sys

from .runner import main

# Unguarded: the workers' processes do not import the __main__ of a package.
sys.exit(main(sys.argv[1:]))
