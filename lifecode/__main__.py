"""`python -m lifecode VERB ...`, as torchrun starts it."""

import os
import sys

# `-m` puts the current folder first, and what lies there is data. A clone that is not installed stays.
if __name__ == "__main__" and not sys.flags.safe_path:
    if sys.path[0] != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
        del sys.path[0]

from lifecode.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
