"""What the process that prepares runs: the imports of `lifecode prepare`, and no torch.

python -m benchmarks.preparing_process OUTPUT WORKERS FILE... prints a line when it is about to begin, and
another with how long it took or what went wrong.
"""

import signal
import sys
from pathlib import Path
from time import perf_counter

from lifecode.data.corpus.engine import LocalEngine
from lifecode.data.corpus.prepare import prepare_corpus

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    output, workers, *files = sys.argv[1:]
    print("begins", flush=True)
    start = perf_counter()
    try:
        prepare_corpus([Path(file) for file in files], Path(output), engine=LocalEngine(int(workers)))
        print("seconds", perf_counter() - start)
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split())[:160])
