"""`lifecode embed`: one vector a record, CDS or window, or one a codon, into an .npz file."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

import torch
from omegaconf import DictConfig

from lifecode.alphabet import decode_nucleotides
from lifecode.app.configs.construct import checked_value
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.host.activity import Activity
from lifecode.models.families import load
from lifecode.models.life_code.frames import Frames
from lifecode.models.life_code.model import LifeCode, Pool
from lifecode.models.life_code.streaming import require_streamable, stream_hidden_states
from lifecode.verbs.embed.embed_units import Unit, UnitKind, units_of
from lifecode.verbs.embed.embedding_file import EmbeddingFile, check_output

_CODONS_A_CALL = 16_384


def run(config: DictConfig) -> None:
    """Embed every unit of the input and write ids, places and vectors."""
    kind: UnitKind = checked_value(config, "unit", UnitKind)
    pool: Pool | None = checked_value(config, "pool", Pool | None)
    frames: Frames = checked_value(config, "frames", Frames)
    window_codons = checked_value(config, "window_codons", int)
    streamed = checked_value(config, "context", Literal["unit", "contig"]) == "contig"
    inputs = checked_value(config, "input", str | list[str])
    output = Path(checked_value(config, "output", str)).expanduser()
    if window_codons < 1:
        raise UserError("is not positive", source="window_codons", remedy="Give at least 1 codon")
    check_output(output)
    contigs = read_records(inputs)
    model = load(checked_value(config, "checkpoint", str))
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    if streamed:
        _require_streamable(model, kind, pool, frames)
    skipped: Counter[str] = Counter()
    with (
        EmbeddingFile(output, width=model.width, pooled=pool is not None) as file,
        Activity() as activity,
    ):
        if streamed:
            for contig in contigs:
                units = units_of(contig, kind, window_codons, skipped)
                _embed_contig(model, contig, units, pool, file, activity)
        else:
            every = (units_of(contig, kind, window_codons, skipped) for contig in contigs)
            for batch in _batches(chain.from_iterable(every)):
                texts = [decode_nucleotides(unit.nucleotides) for unit in batch]
                for unit, vectors in zip(batch, model.embed(texts, pool=pool, frames=frames), strict=True):
                    file.add(unit, vectors.cpu().numpy())
                activity.say(f"{len(file):,} sequences embedded")
        if not len(file):
            raise UserError("no sequence to embed", source=str(config.input), remedy="Try unit=record")
    for reason, count in skipped.items():
        print(f"{count:,} CDS skipped: {reason}")
    print(f"{len(file):,} sequences embedded ({file.num_rows:,} x {file.width}) in {output}")


def _require_streamable(model: LifeCode, kind: UnitKind, pool: Pool | None, frames: Frames) -> None:
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
    model: LifeCode,
    contig: Contig,
    units: Iterator[Unit],
    pool: Pool | None,
    file: EmbeddingFile,
    activity: Activity,
) -> None:
    """Reads the whole contig once, then gives each unit its part of the hidden states."""
    with file.scratch(-(-len(contig.nucleotides) // 3) + NUM_SPECIAL_CODONS) as hidden:
        stream_hidden_states(
            model,
            contig.nucleotides,
            hidden,
            on_chunk=lambda done, total: activity.say(f"{contig.name}: {done} of {total} chunks read"),
        )
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
