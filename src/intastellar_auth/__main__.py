"""``python -m intastellar_auth``."""

import sys

from intastellar_auth.cli import main

sys.exit(main())
