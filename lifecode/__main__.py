"""`python -m lifecode VERB ...`, as torchrun starts it."""

import os
import sys

if __name__ == "__main__":
    # `-m` puts the current folder first, and what lies there is data. A clone that is not installed stays.
    own_place = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not sys.flags.safe_path and sys.path[0] != own_place:
        del sys.path[0]
    from lifecode.app.main import main

    sys.exit(main())
