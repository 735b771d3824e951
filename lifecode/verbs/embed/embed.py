"""`lifecode embed`: one vector per record, CDS or window, or one per codon, into a file."""

import sys
import warnings
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.arguments import arguments_checked, require_positive
from lifecode.data.reading.inputs import Inputs, fingerprint
from lifecode.data.reading.read import read_records
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.host.machine import best_device
from lifecode.models.chosen_layers import Layer, chosen_layers
from lifecode.models.families import load
from lifecode.models.life_code.frames import Frames
from lifecode.models.life_code.model import LifeCode
from lifecode.models.pooling import Pool
from lifecode.models.saved import SavedModel
from lifecode.models.weights import weights_checksum
from lifecode.verbs.embed.embed_units import UnitKind
from lifecode.verbs.embed.embedding_file import check_output, read_embeddings, write_embeddings
from lifecode.verbs.embed.embedding_store import EmbeddingStore
from lifecode.verbs.embed.embeddings import Embeddings
from lifecode.verbs.embed.readers import EmbedOptions
from lifecode.verbs.embed.unit_choice import NOTES, chosen_units, letters_counted
from lifecode.verbs.embed.vectors_of_units import require_in_context, store_vectors


@arguments_checked
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
    require_positive(window_codons=window_codons, processes=processes)
    with ExitStack() as stack:
        if output is None:
            place = Path(stack.enter_context(TemporaryDirectory())) / "embeddings.npz"
        else:
            check_output(place := Path(output).expanduser())
        contigs = read_records(input)
        loaded = model if isinstance(model, SavedModel) else load(model).to(best_device())
        if context == "contig":
            require_in_context(loaded, unit, EmbedOptions(pool, frames, layer), processes)
        layers = list(chosen_layers(layer, loaded.config["depth"]))
        chosen: dict[str, Any] = {"unit": unit, "window_codons": window_codons, "pool": pool}
        chosen |= {"frames": frames, "layer": layers, "context": context}
        checksum = weights_checksum(loaded)
        about = {"model": str(model) if isinstance(model, str | Path) else type(model).__name__}
        about |= {"weights": checksum, **chosen}
        say = stack.enter_context(told(progress))
        identity = {**chosen, "model": checksum, "input": fingerprint(input)}
        noted: Counter[str] = Counter()
        width = loaded.width * len(layers)
        with EmbeddingStore(place, width=width, identity=identity) as store:
            units = chosen_units(contigs, unit, window_codons, noted)
            if isinstance(loaded, LifeCode):
                units = letters_counted(units, noted)
            options = EmbedOptions(pool, frames, layers)
            store_vectors(
                store, loaded, units, options, in_context=context == "contig", processes=processes, say=say
            )
            if not len(store):
                raise UserError("no sequence to embed", source=str(input), remedy="Try unit=record")
            num_sequences, num_vectors = len(store), store.num_rows
            write_embeddings(store, pooled=pool is not None, about=about)
        return Embeddings(
            path=None if output is None else place.absolute(),
            num_sequences=num_sequences,
            num_vectors=num_vectors,
            width=width,
            skipped=noted,
            arrays=read_embeddings(place) if output is None else None,
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
            layer=checked_value(config, "layer", int | list[int] | None),
            context=checked_value(config, "context", Literal["unit", "contig"]),
            processes=checked_value(config, "processes", int),
        )
    for reason, count in embeddings.skipped.items():
        print(f"{count:,} {reason}" if reason in NOTES else f"{count:,} left out: {reason}")
    size = f"{embeddings.num_vectors:,} x {embeddings.width}"
    print(f"{embeddings.num_sequences:,} sequences embedded ({size}) in {config.output}")
    return embeddings


def _say(message: Warning | str, *_: Any) -> None:
    """A warning as a line of the program, without the place in the code."""
    print(f"lifecode embed: {message}", file=sys.stderr)
