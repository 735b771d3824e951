"""`lifecode VERB [key=value ...]`: finds the verb and hands over to Hydra.

Nothing heavy is imported before the verb is known, so `lifecode --help` answers at once.
"""

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

from lifecode.commands.standard_streams import hush_closed_stdout, open_closed_streams
from lifecode.names import visible


class Verb(NamedTuple):
    """The module that holds `run(config)`, and one line for the list of verbs."""

    module: str
    summary: str


VERBS = {
    "prepare": Verb("lifecode.commands.prepare", "read sequence files into a corpus that training can use"),
    "check": Verb("lifecode.commands.check", "verify a corpus and look for leaks between its splits"),
    "dogma": Verb("lifecode.commands.dogma", "make DNA-protein pairs and splice sites of annotated genomes"),
    "train": Verb("lifecode.commands.train", "train the tokenizer, then the encoder, and evaluate them"),
    "report": Verb(
        "lifecode.commands.report", "compare the runs of a sweep: table, spread over seeds, figures"
    ),
    "embed": Verb("lifecode.commands.embed", "turn sequences into vectors with a trained model"),
    "info": Verb("lifecode.commands.info", "describe a model: parameters by part, layers, shapes"),
    "doctor": Verb("lifecode.commands.doctor", "say what this machine will use: kernels, GPU, versions"),
    "bench op": Verb("lifecode.commands.bench_op", "time the gated delta rule beside other implementations"),
    "bench train": Verb("lifecode.commands.bench_train", "time training steps over length, ratio and peers"),
    "bench data": Verb("lifecode.commands.bench_data", "time reading, preparing and loading a genome"),
}


def main(arguments: Sequence[str] | None = None, verbs: Mapping[str, Verb] = VERBS) -> int:
    """Run one verb and return the exit code: 0 done, 2 user error, 130 interrupted and resumable."""
    open_closed_streams()
    # OpenMP threads that wait by spinning make torch ten times slower as soon as something else wants a core.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    name, rest = split_verb(arguments, verbs) if arguments else ("--help", [])
    if name in ("--help", "-h", "help"):
        return _say(usage(verbs))
    if name == "--version":
        return _say(f"lifecode {version('lifecode')}")
    if name not in verbs:
        print(f"lifecode: {visible(_unknown(name, rest, verbs))}", file=sys.stderr)
        return 2
    from lifecode.commands.hydra_app import run_verb

    return run_verb(name, verbs[name].module, rest)


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


def split_verb(arguments: Sequence[str], verbs: Mapping[str, Verb]) -> tuple[str, Sequence[str]]:
    """The verb that stands first, of two words if there is such a one, and what follows it."""
    two_words = " ".join(arguments[:2])
    return (two_words, arguments[2:]) if two_words in verbs else (arguments[0], arguments[1:])


def _unknown(name: str, rest: Sequence[str], verbs: Mapping[str, Verb]) -> str:
    """What to say about a first word that is no verb: the verbs that begin with it, or all of them."""
    family = [verb for verb in verbs if verb.startswith(f"{name} ")]
    if family and (not rest or rest[0].startswith("-") or "=" in rest[0]):
        return f"{name} needs a second word: {', '.join(family)}"
    wanted = f"{name} {rest[0]}" if family else name
    near = difflib.get_close_matches(wanted, family or verbs, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f"no verb {wanted!r}; the verbs are {', '.join(family or verbs)}.{guess}"


def usage(verbs: Mapping[str, Verb]) -> str:
    """The text of `lifecode --help`."""
    width = max(map(len, verbs))
    listed = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in verbs.items())
    return f"""usage: lifecode VERB [key=value ...]

From annotated genomes to codon-level language models.

{listed}

  lifecode VERB --help   what the verb does, an example, its keys
  lifecode --version"""
