"""``python -m ddeq``."""

import sys

from ddeq.cli import main

sys.exit(main())
