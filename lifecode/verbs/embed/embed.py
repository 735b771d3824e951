"""`lifecode embed`: one vector per record, CDS or window, or one per codon, into a file."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.reading.inputs import Inputs, fingerprint
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import Interrupted, UserError
from lifecode.host.activity import Activity
from lifecode.host.machine import best_device
from lifecode.models.checksum import weights_checksum
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.families import load
from lifecode.models.life_code.frames import Frames
from lifecode.models.life_code.model import LifeCode
from lifecode.models.life_code.streaming import require_streamable, stream_hidden_states
from lifecode.models.pooling import Pool
from lifecode.models.saved import SavedModel
from lifecode.verbs.embed.embed_units import Unit, UnitKind
from lifecode.verbs.embed.embedding_file import check_output, read_embeddings, write_embeddings
from lifecode.verbs.embed.embedding_store import EmbeddingStore
from lifecode.verbs.embed.embeddings import Embeddings
from lifecode.verbs.embed.readers import EmbedOptions, Reader, reader
from lifecode.verbs.embed.unit_choice import NOTES, OfContig, chosen_units, letters_counted

_CODONS_PER_CALL = 16_384


def embed(
    model: SavedModel | str | Path,
    input: Inputs,
    output: str | Path | None = None,
    *,
    unit: UnitKind = "auto",
    window_codons: int = 1024,
    pool: Pool | None = "mean",
    frames: Frames = 0,
    layer: Layer = None,
    context: Literal["unit", "contig"] = "unit",
    processes: int = 1,
    progress: bool = True,
) -> Embeddings:
    """Turn the sequences of files into vectors with a trained model.

    Args:
        model: a model, which stays on its device, or what `lifecode.load` takes, which goes to a GPU if there
            is one.
        input: as for `lifecode.read_records`.
        output: the .npz, .parquet or .h5ad (AnnData) file to write, whose vectors never have to fit in memory
            (docs/interchange.md); a call that was killed goes on. None keeps them in memory.
        unit: what gets a vector: `record`, `cds`, `window`, or `auto`: CDS where a file annotates them, else
            records.
        window_codons: length of a window.
        pool: as for `LifeCode.embed`.
        frames: likewise.
        layer: likewise; of several the vectors lie one behind the other.
        context: `unit` reads each alone, `contig` the whole contig in one pass (hybrid ratio a:0 only).
        processes: that read side by side, with a copy of the model each, on a GPU each where there are some.
        progress: show on stderr how far it is.

    Raises:
        UserError: an input that cannot be read or has no sequence, genes among records without any for
            `auto`, no such model or choice, or an output that cannot be written.
        Interrupted: at Ctrl-C; the same call goes on.
    """
    _require_choices(unit=unit, pool=pool, frames=frames, context=context)
    _require_positive(window_codons=window_codons, processes=processes)
    with ExitStack() as stack:
        if output is None:
            place = Path(stack.enter_context(TemporaryDirectory())) / "embeddings.npz"
        else:
            check_output(place := Path(output).expanduser())
        contigs = read_records(input)
        loaded = model if isinstance(model, SavedModel) else load(model).to(best_device())
        if context == "contig":
            _require_streamable(loaded, unit, EmbedOptions(pool, frames, layer), processes)
        noted: Counter[str] = Counter()
        layers = list(chosen_layers(layer, loaded.config["depth"]))
        chosen: dict[str, Any] = {"unit": unit, "window_codons": window_codons, "pool": pool}
        chosen |= {"frames": frames, "layer": layers, "context": context}
        about = {"model": str(model) if isinstance(model, str | Path) else type(model).__name__, **chosen}
        activity = stack.enter_context(Activity()) if progress else None
        identity = {**chosen, "model": weights_checksum(loaded), "input": fingerprint(input)}
        width = loaded.width * len(layers)
        with EmbeddingStore(place, width=width, identity=identity) as store:
            every = chosen_units(contigs, unit, window_codons, noted)
            units = _left(
                letters_counted(every, noted) if isinstance(loaded, LifeCode) else every, store.num_kept
            )
            try:
                if context == "contig":
                    for contig, own in units:
                        _embed_contig(loaded, contig, own, pool, store, activity)
                else:
                    with reader(loaded, EmbedOptions(pool, frames, layers), processes) as read:
                        _embed_alone(read, chain.from_iterable(own for _, own in units), store, activity)
            except KeyboardInterrupt as stop:
                raise Interrupted(
                    f"stopped; {store.num_kept:,} sequences are kept, and the same command goes on"
                ) from stop
            if not len(store):
                raise UserError("no sequence to embed", source=str(input), remedy="Try unit=record")
            num_sequences, num_vectors = len(store), store.num_rows
            write_embeddings(store, pooled=pool is not None, about=about)
        return Embeddings(
            path=None if output is None else place,
            num_sequences=num_sequences,
            num_vectors=num_vectors,
            width=width,
            skipped=noted,
            arrays=read_embeddings(place) if output is None else None,
        )


def _require_choices(**given: Any) -> None:
    known = {
        "unit": get_args(UnitKind),
        "pool": (*get_args(Pool), None),
        "frames": get_args(Frames),
        "context": ("unit", "contig"),
    }
    for name, value in given.items():
        if value not in known[name]:
            remedy = f"Choose {', '.join(map(str, known[name]))}"
            raise UserError(f"{value!r} is unknown", source=name, remedy=remedy)


def _require_positive(**given: Any) -> None:
    for name, number in given.items():
        if not isinstance(number, int) or number < 1:
            raise UserError(f"{number} is no positive number", source=name, remedy="Give 1 or more")


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
            layer=checked_value(config, "layer", int | list[int] | None),
            context=checked_value(config, "context", Literal["unit", "contig"]),
            processes=checked_value(config, "processes", int),
        )
    for reason, count in embeddings.skipped.items():
        print(f"{count:,} {reason}" if reason in NOTES else f"{count:,} left out: {reason}")
    size = f"{embeddings.num_vectors:,} x {embeddings.width}"
    print(f"{embeddings.num_sequences:,} sequences embedded ({size}) in {embeddings.path}")
    return embeddings


def _left(units: Iterator[OfContig], num_kept: int) -> Iterator[OfContig]:
    """Without the first so many units, which are there already."""
    left = iter(range(num_kept))
    for contig, own in units:
        yield OfContig(contig, (unit for unit in own if next(left, None) is None))


def _say(message: Warning | str, *_: Any) -> None:
    """A warning as a line of the program, without the place in the code."""
    print(f"lifecode embed: {message}", file=sys.stderr)


def _embed_alone(
    read: Reader, units: Iterator[Unit], store: EmbeddingStore, activity: Activity | None
) -> None:
    """Each unit by itself, many in one call of the model."""
    for batch, vectors in read(_batches(units)):
        for unit, own in zip(batch, vectors, strict=True):
            store.add(unit, own)
        store.keep()
        if activity is not None:
            activity.say(f"{len(store):,} sequences embedded")


def _require_streamable(model: SavedModel, kind: UnitKind, options: EmbedOptions, processes: int) -> None:
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


def _embed_contig(
    model: Any,
    contig: Contig,
    units: Iterator[Unit],
    pool: Pool | None,
    store: EmbeddingStore,
    activity: Activity | None,
) -> None:
    """Reads the whole contig once, then gives each unit its part of the hidden states."""
    own = list(units)
    if not own:  # all of them are there
        return

    def on_chunk(done: int, total: int) -> None:
        if activity is not None:
            activity.say(f"reading {contig.name}", done, total)

    with store.scratch(-(-len(contig.nucleotides) // 3) + NUM_SPECIAL_CODONS) as hidden:
        stream_hidden_states(model, contig.nucleotides, hidden, on_chunk=on_chunk)
        for unit in own:
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
