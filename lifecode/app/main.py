"""`lifecode VERB [key=value ...]`: finds the verb and hands over to Hydra.

Nothing heavy is imported before the verb is known, so `lifecode --help` answers at once.
"""

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

from lifecode.host.standard_streams import hush_closed_stdout, open_closed_streams
from lifecode.names import visible


class Verb(NamedTuple):
    """The module that holds `run(config)`, and one line for the list of verbs."""

    module: str
    summary: str


VERBS = {
    "prepare": Verb(
        "lifecode.verbs.prepare.prepare", "read sequence files into a corpus that training can use"
    ),
    "check": Verb("lifecode.verbs.check", "verify a corpus and look for leaks between its splits"),
    "dogma": Verb("lifecode.verbs.dogma", "make DNA-protein pairs and splice sites of annotated genomes"),
    "rows": Verb("lifecode.verbs.rows", "make rows of LucaOne's tasks of genomes and proteins"),
    "train": Verb("lifecode.verbs.train.train", "train the tokenizer, then the encoder, and evaluate them"),
    "report": Verb("lifecode.verbs.report", "compare the runs of a sweep: table, spread over seeds, figures"),
    "finetune": Verb(
        "lifecode.verbs.finetune", "learn labels of your own on a trained model, beside baselines"
    ),
    "evaluate": Verb(
        "lifecode.verbs.evaluate.evaluate", "measure models on a benchmark as downloaded, beside baselines"
    ),
    "analyse": Verb(
        "lifecode.verbs.analyse", "show what models hold of sequences untuned, beside untrained ones"
    ),
    "predict": Verb("lifecode.verbs.predict", "predict with a fine-tuned model"),
    "score": Verb("lifecode.verbs.score.score", "judge variants: consequence, HGVS names, score of a model"),
    "optimize": Verb("lifecode.verbs.optimize", "design coding sequences of proteins for a host"),
    "track": Verb("lifecode.verbs.track.track", "show along a genome what a codon model finds surprising"),
    "embed": Verb("lifecode.verbs.embed.embed", "turn sequences into vectors with a trained model"),
    "info": Verb("lifecode.verbs.info", "describe a model: parameters by part, layers, shapes"),
    "doctor": Verb("lifecode.verbs.doctor", "say what this machine will use: kernels, GPU, versions"),
    "bench": Verb("lifecode.verbs.bench", "measure what a run would take here, and what to change"),
}

_BENCHMARKS = ("op", "train", "data")
"""Were verbs once, `lifecode bench op`; now targets of the Makefile of a clone."""


def main(arguments: Sequence[str] | None = None, verbs: Mapping[str, Verb] = VERBS) -> int:
    """Run one verb and return the exit code: 0 done, 2 user error, 130 interrupted and resumable."""
    open_closed_streams()
    # OpenMP threads that wait by spinning make torch ten times slower as soon as something else wants a core.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    is_program = arguments is None
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    name, *rest = arguments or ["--help"]
    if name in ("--help", "-h", "help"):
        return _say(usage(verbs))
    if name == "--version":
        return _say(f"lifecode {version('lifecode')}")
    if name in ("--shell-completion", "-sc"):
        from lifecode.app.completion import print_completion

        return print_completion(rest, list(verbs))
    if name not in verbs:
        near = difflib.get_close_matches(name, verbs, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        unknown = f"no verb {name!r}; the verbs are {', '.join(verbs)}.{guess}"
        print(f"lifecode: {visible(unknown)}", file=sys.stderr)
        return 2
    if name == "bench" and rest and rest[0] in _BENCHMARKS:
        print(f"lifecode: bench {rest[0]} is now `make bench-{rest[0]}`, in a clone", file=sys.stderr)
        return 2
    from lifecode.app.hydra_app import INTERRUPTED, run_verb
    from lifecode.host.stop_signals import ASKED, take_over

    code = run_verb(name, verbs[name].module, rest)
    if is_program and code == INTERRUPTED:  # the same request often comes twice
        take_over(lambda *_: None, ASKED)
    return code


def _say(text: str) -> int:
    """Prints, and returns the exit code: 0, 141 where nobody reads it, 2 where it cannot be written."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        if not hush_closed_stdout():
            raise
        return 141
    except OSError as fault:
        print(f"lifecode: {fault.strerror}", file=sys.stderr)
        return 2
    return 0


def usage(verbs: Mapping[str, Verb]) -> str:
    """The text of `lifecode --help`."""
    width = max(map(len, verbs))
    listed = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in verbs.items())
    return f"""usage: lifecode VERB [key=value ...]

From annotated genomes to codon-level language models.

{listed}

Example:
  lifecode embed input=genes.fasta output=genes.npz

More:
  lifecode VERB --help   what the verb does, examples, its groups and keys
  lifecode --shell-completion install=bash   completion of verbs, groups and keys: what to put into ~/.bashrc
  lifecode --version"""
