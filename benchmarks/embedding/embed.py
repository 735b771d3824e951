"""`python -m benchmarks.embedding.embed`: genes to vectors by our command, our encoder alone, and ESM-2."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.table import Table

from benchmarks.contenders import missing_package
from benchmarks.measuring.command import OnProgress, Results, main
from benchmarks.measuring.fresh_process import FreshProcess
from benchmarks.measuring.machine import describe_machine
from benchmarks.measuring.measurement import Column, Key, Record, ratio, records, summarise, table
from benchmarks.measuring.rounds import Schedule, measure_rounds
from lifecode.alphabet import AMINO_ACIDS, decode_nucleotides
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, consecutive_rows, pack
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.read import read_records
from lifecode.errors import UserError
from lifecode.models.families import load
from lifecode.verbs.embed.embed import embed

COMMAND, FORWARD, ESM2 = "lifecode embed", "encoder's forward", "ESM-2 8M"
PART = "embed"
TOKENS_PER_CALL = 16_384
COLUMNS = (
    Column("genes", "length", form=","),
    Column("contender", "contender"),
    Column("s\nmin / median", "time"),
    Column("codons/s", "codons_per_second", form=",.0f"),
    Column("extra\nMiB", "extra_bytes", 2**-20, ",.0f"),
    Column("time over\nthe forward", "time_ratio", form=".2f"),
)


def genes_of(genome: str, number: int) -> list[ExactPair]:
    """Verified pairs, evenly spaced over the genome."""
    pairs = [
        verdict
        for contig in read_records(genome)
        for verdict in verify_all(contig)
        if isinstance(verdict, ExactPair)
    ]
    if number > len(pairs):
        raise UserError(f"has {len(pairs):,} genes, fewer than {number:,}", source=genome)
    return [pairs[place] for place in np.linspace(0, len(pairs) - 1, number).astype(int)]


class LifeCodeEmbedding:
    """The workload of our two contenders.

    Args:
        name: `COMMAND` or `FORWARD`.
        checkpoint: of the model.
        genome: whose genes are read.
    """

    def __init__(self, name: str, checkpoint: str, genome: str) -> None:
        self.name, self.model, self.genome = name, load(checkpoint), genome
        self.folder = TemporaryDirectory()
        self.file = Path(self.folder.name) / "genes.fa"

    def prepare(self, length: int) -> dict[str, float]:
        """Writes the genes as FASTA, and packs them into the rows that `embed` makes."""
        genes = [pair.nucleotides for pair in genes_of(self.genome, length)]
        self.file.write_text(
            "".join(f">{number}\n{decode_nucleotides(gene)}\n" for number, gene in enumerate(genes))
        )
        lengths = [len(gene) // 3 + NUM_SPECIAL_CODONS for gene in genes]
        self.rows = [pack(genes[row]) for row in consecutive_rows(lengths, TOKENS_PER_CALL)]
        return {"codons": sum(lengths) - NUM_SPECIAL_CODONS * len(lengths)}

    def run(self, part: str) -> None:
        """Embeds all genes, or reads the rows once."""
        if self.name == COMMAND:
            embed(self.model, f"cds:{self.file}", progress=False)
            return
        with torch.inference_mode():
            for row in self.rows:
                self.model.encode(row)


class Esm2Embedding:
    """The workload of ESM-2, of the shape of `esm2_t6_8M_UR50D`: the proteins of the same genes, pooled.

    Proteins of like length share a call, as its users are advised to do.

    Args:
        genome: whose genes are read.
    """

    def __init__(self, genome: str) -> None:
        from transformers import EsmConfig, EsmModel

        shape = EsmConfig(
            vocab_size=33,
            hidden_size=320,
            num_hidden_layers=6,
            num_attention_heads=20,
            intermediate_size=1280,
            position_embedding_type="rotary",
            max_position_embeddings=1026,
            pad_token_id=1,
            token_dropout=False,
        )
        self.model, self.genome = EsmModel(shape, add_pooling_layer=False).eval(), genome

    def prepare(self, length: int) -> dict[str, float]:
        """Tokens of each call with their mask."""
        genes = genes_of(self.genome, length)
        tokens = sorted((self._tokens(pair) for pair in genes), key=len)
        self.calls: list[tuple[torch.Tensor, torch.Tensor]] = []
        while tokens:
            batch = list(islice(tokens, max(1, TOKENS_PER_CALL // len(tokens[0]))))
            while len(batch) > 1 and len(batch) * len(batch[-1]) > TOKENS_PER_CALL:
                batch.pop()
            del tokens[: len(batch)]
            padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=1)
            self.calls.append((padded, padded != 1))
        return {"codons": sum(len(pair.amino_acids) for pair in genes)}

    @staticmethod
    def _tokens(pair: ExactPair) -> torch.Tensor:
        """`<cls>`, the residues, `<eos>`; which number stands for which residue does not change the time."""
        residues = pair.amino_acids[pair.amino_acids < len(AMINO_ACIDS) - 1]
        return torch.from_numpy(np.concatenate([[0], residues.astype(np.int64) + 4, [2]]))

    def run(self, part: str) -> None:
        """Reads all proteins."""
        with torch.inference_mode():
            for tokens, mask in self.calls:
                states = self.model(tokens, attention_mask=mask).last_hidden_state
                _ = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


@dataclass(slots=True)
class EmbedBenchmark:
    """What is measured; the keys of `conf/embed.yaml`."""

    checkpoint: str
    input: str
    genes: list[int]
    repeats: int
    threads: int | None
    output: Path

    def __post_init__(self) -> None:
        self.genes = sorted(set(self.genes))
        self.threads = torch.get_num_threads() if self.threads is None else self.threads
        if not self.genes or min(*self.genes, self.repeats, self.threads) < 1:
            raise UserError("genes, repeats and threads must be positive, and genes not empty")

    @property
    def num_calls(self) -> int:
        """Timed and warm-up calls of a whole run."""
        return 3 * len(self.genes) * (self.repeats + 1)

    def measure(self, on_progress: OnProgress) -> Results:
        """Measures every contender; ESM-2 only where transformers is installed."""
        threads = self.threads or 1
        results = Results(describe_machine(threads=threads))
        workloads: dict[str, Any] = {
            name: partial(LifeCodeEmbedding, name, self.checkpoint, self.input) for name in (COMMAND, FORWARD)
        }
        if missing_package("transformers") is None:
            workloads[ESM2] = partial(Esm2Embedding, self.input)
        schedule = Schedule(self.genes, (PART,), self.repeats, inf, lambda length: 1)
        with ExitStack() as stack:
            contenders = {
                name: stack.enter_context(FreshProcess(workload, threads=threads))
                for name, workload in workloads.items()
            }
            measured = measure_rounds(contenders, schedule, on_progress=on_progress)
        results.rows, results.facts = measured.rows, measured.facts
        results.interrupted = measured.interrupted
        return results

    def records(self, results: Results) -> list[Record]:
        """Points, and what follows from the least time of each."""
        points = summarise(results.rows)

        def figures(key: Key) -> Record:
            name, length, part = key
            codons = results.facts.get((name, length), {}).get("codons")
            forward = points.get((FORWARD, length, part))
            return {
                "codons_per_second": ratio(codons, points[key].seconds),
                "time_ratio": ratio(points[key].seconds, forward.seconds if forward else None),
            }

        return records(points, results.facts, figures)

    def table(self, records: list[Record]) -> Table:
        """One row a contender and number of genes."""
        return table(f"Embedding genes of {self.input}", COLUMNS, records, "length")

    def lines(self, results: Results, records: list[Record]) -> list[str]:
        """The ratios in words."""
        lines = [f"Rounds: {self.repeats}. Ratios are of the minima."]
        for length in self.genes:
            took = {
                record["contender"]: record["seconds"] for record in records if record["length"] == length
            }
            for peer in (FORWARD, ESM2):
                if (times := ratio(took.get(COMMAND), took.get(peer))) is not None:
                    lines.append(f"{length:,} genes: {COMMAND} takes {times:.2f} times as long as {peer}")
        return lines

    def write_more(self, results: Results, records: list[Record]) -> None:
        """Nothing more."""


if __name__ == "__main__":
    sys.exit(main("embed", EmbedBenchmark))
