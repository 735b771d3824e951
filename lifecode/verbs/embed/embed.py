"""`lifecode embed`: one vector per record, CDS or window, or one per codon, into an .npz file."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.host.activity import Activity
from lifecode.models.families import load
from lifecode.models.life_code.frames import Frames
from lifecode.models.life_code.streaming import require_streamable, stream_hidden_states
from lifecode.models.pooling import Pool
from lifecode.models.saved import SavedModel
from lifecode.verbs.embed.embed_units import Unit, UnitKind, units_of
from lifecode.verbs.embed.embedding_file import EmbeddingFile, check_output
from lifecode.verbs.embed.embeddings import Embeddings

_CODONS_A_CALL = 16_384


def embed(
    model: SavedModel | str | Path,
    input: Inputs,
    output: str | Path | None = None,
    *,
    unit: UnitKind = "auto",
    window_codons: int = 1024,
    pool: Pool | None = "mean",
    frames: Frames = 0,
    context: Literal["unit", "contig"] = "unit",
    progress: bool = True,
) -> Embeddings:
    """Turn the sequences of files into vectors with a trained model.

    Args:
        model: a model, which stays on its device, or what `lifecode.load` takes, which goes to a GPU if there
            is one.
        input: as for `lifecode.read_records`.
        output: the .npz file to write, whose vectors never have to fit in memory (docs/interchange.md); None
            keeps them in memory.
        unit: what gets a vector: `record`, `cds`, `window`, or `auto`: CDS where a file annotates them, else
            records.
        window_codons: length of a window.
        pool: as for `LifeCode.embed`.
        frames: likewise.
        context: `unit` reads each alone, `contig` the whole contig in one pass (hybrid ratio a:0 only).
        progress: show on stderr how far it is.

    Raises:
        UserError: an input that cannot be read or has no sequence, no such model or choice, or an output that
            cannot be written.
    """
    for name, value, choices in (
        ("unit", unit, get_args(UnitKind)),
        ("pool", pool, (*get_args(Pool), None)),
        ("frames", frames, get_args(Frames)),
        ("context", context, ("unit", "contig")),
    ):
        if value not in choices:
            remedy = f"Choose {', '.join(map(str, choices))}"
            raise UserError(f"{value!r} is unknown", source=name, remedy=remedy)
    if window_codons < 1:
        raise UserError("is not positive", source="window_codons", remedy="Give at least 1 codon")
    with ExitStack() as stack:
        if output is None:
            place = Path(stack.enter_context(TemporaryDirectory())) / "embeddings.npz"
        else:
            check_output(place := Path(output).expanduser())
        contigs = read_records(input)
        loaded = model if isinstance(model, SavedModel) else _on_device(load(model))
        if context == "contig":
            _require_streamable(loaded, unit, pool, frames)
        skipped: Counter[str] = Counter()
        units = ((contig, units_of(contig, unit, window_codons, skipped)) for contig in contigs)
        activity = stack.enter_context(Activity()) if progress else None
        with EmbeddingFile(place, width=loaded.width, pooled=pool is not None) as file:
            if context == "contig":
                for contig, own in units:
                    _embed_contig(loaded, contig, own, pool, file, activity)
            else:
                _embed_alone(
                    loaded, chain.from_iterable(own for _, own in units), pool, frames, file, activity
                )
            if not len(file):
                raise UserError("no sequence to embed", source=str(input), remedy="Try unit=record")
        return Embeddings(
            path=None if output is None else place,
            num_sequences=len(file),
            num_vectors=file.num_rows,
            width=file.width,
            skipped=skipped,
            arrays=_arrays(place) if output is None else None,
        )


def run(config: DictConfig) -> Embeddings:
    """Embed every unit of the input and write ids, places and vectors."""
    with warnings.catch_warnings():
        warnings.showwarning = _say
        embeddings = embed(
            checked_value(config, "checkpoint", str),
            checked_value(config, "input", str | list[str]),
            checked_value(config, "output", str),
            unit=checked_value(config, "unit", UnitKind),
            window_codons=checked_value(config, "window_codons", int),
            pool=checked_value(config, "pool", Pool | None),
            frames=checked_value(config, "frames", Frames),
            context=checked_value(config, "context", Literal["unit", "contig"]),
        )
    for reason, count in embeddings.skipped.items():
        print(f"{count:,} CDS skipped: {reason}")
    size = f"{embeddings.num_vectors:,} x {embeddings.width}"
    print(f"{embeddings.num_sequences:,} sequences embedded ({size}) in {embeddings.path}")
    return embeddings


def _say(message: Warning | str, *_: Any) -> None:
    """A warning as a line of the program, without the place in the code."""
    print(f"lifecode embed: {message}", file=sys.stderr)


def _on_device(model: SavedModel) -> SavedModel:
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def _arrays(path: Path) -> dict[str, NDArray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _embed_alone(
    model: Any,
    units: Iterator[Unit],
    pool: Pool | None,
    frames: Frames,
    file: EmbeddingFile,
    activity: Activity | None,
) -> None:
    """Each unit by itself, many in one call of the model."""
    for batch in _batches(units):
        records = [unit.as_record() for unit in batch]
        for unit, vectors in zip(batch, model.embed(records, pool=pool, frames=frames), strict=True):
            file.add(unit, vectors.cpu().numpy())
        if activity is not None:
            activity.say(f"{len(file):,} sequences embedded")


def _require_streamable(model: SavedModel, kind: UnitKind, pool: Pool | None, frames: Frames) -> None:
    require_streamable(model)
    if kind in ("auto", "cds"):
        raise UserError(
            "a CDS cannot be read in the context of its contig",
            source="context",
            remedy="Use unit=window or unit=record, or context=unit",
        )
    if pool == "cls" or frames != 0:
        raise UserError(
            "context=contig gives pool mean, max or null, and frames=0",
            source="context",
            remedy="Use context=unit",
        )


def _embed_contig(
    model: Any,
    contig: Contig,
    units: Iterator[Unit],
    pool: Pool | None,
    file: EmbeddingFile,
    activity: Activity | None,
) -> None:
    """Reads the whole contig once, then gives each unit its part of the hidden states."""

    def on_chunk(done: int, total: int) -> None:
        if activity is not None:
            activity.say(f"{contig.name}: {done} of {total} chunks read")

    with file.scratch(-(-len(contig.nucleotides) // 3) + NUM_SPECIAL_CODONS) as hidden:
        stream_hidden_states(model, contig.nucleotides, hidden, on_chunk=on_chunk)
        for unit in units:
            # Row 0 is [CLS]; `pooled` leaves out the row at either end.
            rows = hidden[unit.start // 3 : -(-unit.end // 3) + NUM_SPECIAL_CODONS]
            file.add(unit, rows[1:-1] if pool is None else model.pooled(torch.from_numpy(rows), pool).numpy())


def _batches(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    """Consecutive units for one call of the model, of about `_CODONS_A_CALL` codons, from any contigs."""
    batch: list[Unit] = []
    num_codons = 0
    for unit in units:
        own_codons = -(-len(unit.nucleotides) // 3) + NUM_SPECIAL_CODONS
        if batch and num_codons + own_codons > _CODONS_A_CALL:
            yield batch
            batch, num_codons = [], 0
        # Copied: a view would keep the whole contig in memory until the batch is full.
        batch.append(unit._replace(nucleotides=unit.nucleotides.copy()))
        num_codons += own_codons
    if batch:
        yield batch
