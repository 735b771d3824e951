"""`python -m lifecode VERB ...`, as torchrun starts it."""

import sys

from lifecode.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
