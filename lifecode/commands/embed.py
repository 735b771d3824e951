"""`lifecode embed`: one vector a sequence, or one a codon, into an .npz file."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.progress import track

from lifecode.alphabet import decode_nucleotides
from lifecode.commands.construct import checked_value
from lifecode.data.coding_sequence import extract
from lifecode.data.reading import read_records
from lifecode.errors import UserError
from lifecode.model.families import load

Unit = Literal["auto", "record", "cds"]
_CODONS_A_CALL = 16_384


def run(config: DictConfig) -> None:
    """Embed every sequence of the input and write ids and vectors."""
    unit: Unit = checked_value(config, "unit", Unit)
    pool = checked_value(config, "pool", Literal["mean", "max", "cls"] | None)
    output = Path(checked_value(config, "output", str)).expanduser()
    _require_writable(output)
    model = load(checked_value(config, "checkpoint", str))
    ids, sequences = [], []
    for name, nucleotides in _sequences(checked_value(config, "input", str | list[str]), unit):
        ids.append(name)
        sequences.append(nucleotides)
    if not ids:
        raise UserError("no sequence to embed", source=str(config.input), remedy="Try unit=record")
    vectors: list[NDArray[np.float32]] = []
    for batch in track(list(_batches(sequences)), description="embed", transient=True):
        vectors += [v.cpu().numpy() for v in model.embed([decode_nucleotides(s) for s in batch], pool=pool)]
    arrays = {"ids": np.array(ids)}
    if pool is None:
        arrays["offsets"] = np.cumsum([0, *map(len, vectors)])
        arrays["embeddings"] = np.concatenate(vectors)
    else:
        arrays["embeddings"] = np.stack(vectors)
    _write(output, arrays)
    shape = " x ".join(map(str, arrays["embeddings"].shape))
    print(f"{len(ids):,} sequences embedded ({shape}) in {output}")


def _sequences(inputs: str | list[str], unit: Unit) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Name and nucleotides of every sequence; `auto` takes the CDS of contigs that have any."""
    for contig in read_records(inputs):
        if unit == "cds" or (unit == "auto" and contig.coding_sequences):
            for cds in contig.coding_sequences:
                if cds.location_problem is None:
                    yield cds.id, extract(cds, contig)
        else:
            yield contig.name, contig.nucleotides


def _batches(sequences: list[NDArray[np.uint8]]) -> Iterator[list[NDArray[np.uint8]]]:
    batch: list[NDArray[np.uint8]] = []
    for sequence in sequences:
        if batch and (sum(map(len, batch)) + len(sequence)) // 3 > _CODONS_A_CALL:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def _require_writable(output: Path) -> None:
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise UserError("cannot write into this folder", source=output.parent, remedy="Choose another output")
    if output.suffix != ".npz":
        raise UserError("the output is an .npz file", source=output, remedy=f"Write output={output}.npz")


def _write(output: Path, arrays: dict[str, NDArray]) -> None:
    with tempfile.NamedTemporaryFile(dir=output.parent, suffix=".npz", delete=False) as file:
        np.savez(file, allow_pickle=False, **arrays)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(output)
