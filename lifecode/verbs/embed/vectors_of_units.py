"""Vectors of units into a store: each unit read alone, many in one call, or in the context of its contig."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch

from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.records import Contig
from lifecode.errors import Interrupted, UserError
from lifecode.host.activity import Say
from lifecode.models.life_code.streaming import require_streamable, stream_hidden_states
from lifecode.models.pooling import Pool
from lifecode.models.saved import SavedModel
from lifecode.verbs.embed.embed_units import Unit, UnitKind
from lifecode.verbs.embed.embedding_store import EmbeddingStore
from lifecode.verbs.embed.readers import EmbedOptions, Reader, reader
from lifecode.verbs.embed.unit_choice import OfContig

_CODONS_PER_CALL = 16_384


def store_vectors(
    store: EmbeddingStore,
    model: SavedModel,
    units: Iterator[OfContig],
    options: EmbedOptions,
    *,
    in_context: bool,
    processes: int,
    say: Say,
) -> None:
    """Add the vectors of all units that the store does not have yet.

    Args:
        store: that gets them, and has those of the first units.
        model: that reads.
        units: contig by contig.
        options: what is wanted of each.
        in_context: read each contig in one pass; see `require_in_context`. Else each unit alone.
        processes: that read units alone.
        say: told how far it is.

    Raises:
        Interrupted: at Ctrl-C; what is done is kept.
    """
    left = _left(units, store.num_kept)
    try:
        if in_context:
            for contig, own in left:
                _read_contig(model, contig, list(own), options.pool, store, say)
        else:
            with reader(model, options, processes) as read:
                _read_alone(read, chain.from_iterable(own for _, own in left), store, say)
    except KeyboardInterrupt as stop:
        raise Interrupted(
            f"stopped; {store.num_kept:,} sequences are kept, and the same command goes on"
        ) from stop


def require_in_context(model: SavedModel, kind: UnitKind, options: EmbedOptions, processes: int) -> None:
    """Raises a UserError unless the model can read whole contigs in one pass, and gives what is wanted so."""
    require_streamable(model)
    if kind in ("auto", "cds"):
        raise UserError(
            "a CDS cannot be read in the context of its contig",
            source="context",
            remedy="Use unit=window or unit=record, or context=unit",
        )
    if options.pool == "cls" or options.frames != 0 or options.layer is not None or processes > 1:
        raise UserError(
            "context=contig gives pool mean, max or null, of frames=0 and layer=null, in one process",
            source="context",
            remedy="Use context=unit",
        )


def _left(units: Iterator[OfContig], num_kept: int) -> Iterator[OfContig]:
    """Without the first so many units, which are there already."""
    left = iter(range(num_kept))
    for contig, own in units:
        yield OfContig(contig, (unit for unit in own if next(left, None) is None))


def _read_alone(read: Reader, units: Iterator[Unit], store: EmbeddingStore, say: Say) -> None:
    """Each unit by itself, many in one call of the model."""
    for batch, vectors in read(_batches(units)):
        for unit, own in zip(batch, vectors, strict=True):
            store.add(unit, own)
        store.keep()
        say(f"{len(store):,} sequences embedded")


def _read_contig(
    model: Any,
    contig: Contig,
    units: list[Unit],
    pool: Pool | None,
    store: EmbeddingStore,
    say: Say,
) -> None:
    """Reads the whole contig once, then gives each unit its part of the hidden states."""
    if not units:  # all of them are there
        return

    def on_chunk(done: int, total: int) -> None:
        say(f"reading {contig.name}", done, total)

    with store.scratch(-(-len(contig.nucleotides) // 3) + NUM_SPECIAL_CODONS) as hidden:
        stream_hidden_states(model, contig.nucleotides, hidden, on_chunk=on_chunk)
        for unit in units:
            # Row 0 is [CLS]; `pooled` leaves out the row at either end.
            rows = hidden[unit.start // 3 : -(-unit.end // 3) + NUM_SPECIAL_CODONS]
            store.add(
                unit, rows[1:-1] if pool is None else model.pooled(torch.from_numpy(rows), pool).numpy()
            )
    store.keep()


def _batches(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    """Consecutive units for one call of the model, of about `_CODONS_PER_CALL` codons, from any contigs."""
    batch: list[Unit] = []
    num_codons = 0
    for unit in units:
        own_codons = -(-len(unit.nucleotides) // 3) + NUM_SPECIAL_CODONS
        if batch and num_codons + own_codons > _CODONS_PER_CALL:
            yield batch
            batch, num_codons = [], 0
        # Copied: a view would keep the whole contig in memory until the batch is full.
        batch.append(unit._replace(nucleotides=unit.nucleotides.copy()))
        num_codons += own_codons
    if batch:
        yield batch
