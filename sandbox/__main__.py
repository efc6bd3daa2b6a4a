"""python -m sandbox up|down|env|status|log"""

import sys

from sandbox.cli import main

sys.exit(main())
