"""The file of `lifecode embed`: .npz, Parquet or AnnData, from the vectors that lie in a store.

None of them has the vectors in memory at once.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.durable import require_writable
from lifecode.host.installed import installed_version
from lifecode.verbs.embed.embedding_store import TEXTS, EmbeddingStore

_LONGEST_PADDED = 256
"""Letters up to which names are kept as an array of text, which gives every one the room of the longest."""
_UNITS_AT_ONCE = 4_096
_PLACES = ("start", "end", "strand")
_GENES = tuple(text for text in TEXTS if text != "id")


def check_output(output: Path) -> None:
    """Raises a UserError unless the file can be written there."""
    if output.suffix not in _WRITERS:
        raise UserError(
            "the output is .npz, .parquet or .h5ad (AnnData)",
            source=output,
            remedy=f"Write output={output}.npz",
        )
    if output.suffix == ".h5ad" and installed_version("h5py") is None:
        raise UserError(
            "an AnnData file needs h5py", source=output, remedy="Run: pip install 'lifecode[anndata]'"
        )
    if output.is_dir():
        raise UserError("is a folder, not a file", source=output, remedy="Choose another output")
    try:
        require_writable(next(folder for folder in output.absolute().parents if folder.exists()))
    except OSError as fault:
        raise UserError(
            f"cannot write into this folder ({fault.strerror or fault})",
            source=output.parent,
            remedy="Choose another output",
        ) from fault


def write_embeddings(store: EmbeddingStore, *, pooled: bool, about: Mapping[str, Any]) -> None:
    """Makes the output of what is in the store.

    Args:
        store: with at least one unit.
        pooled: whether each unit has one vector.
        about: what made them, for formats that have a place for it.
    """
    with store.result() as path:
        _WRITERS[store.output.suffix](store, path, pooled, about)


def _write_npz(store: EmbeddingStore, path: Path, pooled: bool, about: Mapping[str, Any]) -> None:
    """`ids`, `contig`, `start`, `end`, `strand`, `gene`, `gene_id` (n,), as in `Unit`; `embeddings` (n, d).

    With several vectors per unit, `embeddings` (rows, d) and `offsets` (n + 1,).

    Where an id has more than 256 letters, `ids` is the UTF-8 (uint8) of all one behind the other, and
    `ids_offsets` (n + 1,) says where each begins; so for genes. Where the name of a contig has, `contig` is
    that of the different names with `contig_offsets`, and `contig_number` (n,) says which of them is meant.
    """
    places = store.places
    arrays: dict[str, NDArray] = {name: places[name] for name in _PLACES}
    for text in TEXTS:
        name = "ids" if text == "id" else text
        ends = np.concatenate([[0], places[f"{text}_end"]])
        texts = store.texts(text) if np.diff(ends).max(initial=0) <= 4 * _LONGEST_PADDED else None
        if texts is not None and max(map(len, texts)) <= _LONGEST_PADDED:
            arrays[name] = np.array(texts, dtype=np.str_)
        else:
            arrays |= {name: store.bytes_of(text), f"{name}_offsets": ends}
    names = store.contigs
    if max(map(len, names)) > _LONGEST_PADDED:
        encoded = [name.encode("utf-8", errors="replace") for name in names]
        arrays["contig"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        arrays["contig_offsets"] = np.cumsum([0, *map(len, encoded)])
        arrays["contig_number"] = places["contig"]
    else:
        arrays["contig"] = np.array(names)[places["contig"]]
    if not pooled:
        arrays["offsets"] = np.concatenate([[0], places["rows_end"]])
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, embeddings=store.rows, **arrays)


def _write_parquet(store: EmbeddingStore, path: Path, pooled: bool, about: Mapping[str, Any]) -> None:
    """A row a vector: the unit's names and place, embedding, and position where a unit has several."""
    vector = pa.list_(pa.float32(), store.width)
    text = pa.dictionary(pa.int32(), pa.string())
    fields = [("id", pa.string()), ("contig", text), *((name, pa.int64()) for name in _PLACES)]
    fields += [(name, pa.string()) for name in _GENES]
    fields += [] if pooled else [("position", pa.int64())]
    noted = {f"lifecode.{name}": str(value) for name, value in about.items()}
    schema = pa.schema([*fields, ("embedding", vector)], metadata=noted)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in _parts(store):
            columns = {
                "id": part["id"],
                "contig": pa.DictionaryArray.from_arrays(
                    pa.array(part["contig"], pa.int32()), pa.array(store.contigs)
                ),
                **{name: part[name] for name in (*_PLACES, *_GENES, *([] if pooled else ["position"]))},
                "embedding": pa.FixedSizeListArray.from_arrays(part["embedding"].ravel(), store.width),
            }
            writer.write_table(pa.table(columns, schema=schema))


def _write_h5ad(store: EmbeddingStore, path: Path, pooled: bool, about: Mapping[str, Any]) -> None:
    """AnnData's own layout, version 0.1.0: `X` the vectors, `obs` the places, `uns` what made them."""
    import h5py

    size, text = store.num_rows, h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        matrix = file.create_dataset("X", (size, store.width), np.float32, chunks=True)
        _of_type(matrix, "array", "0.2.0")
        numbered = [*_PLACES, *([] if pooled else ["position"])]
        observed = _frame(file, "obs", [*([] if pooled else ["id"]), "contig", *numbered, *_GENES])
        names = observed.create_dataset("_index", (size,), text, chunks=True)
        _of_type(names, "string-array", "0.2.0")
        contig = observed.create_group("contig")
        contig.attrs["ordered"] = False
        _of_type(contig, "categorical", "0.2.0")
        _of_type(contig.create_dataset("categories", data=store.contigs, dtype=text), "string-array", "0.2.0")
        codes = contig.create_dataset("codes", (size,), np.int32, chunks=True)
        numbers = {name: observed.create_dataset(name, (size,), np.int64, chunks=True) for name in numbered}
        genes = {name: observed.create_dataset(name, (size,), text, chunks=True) for name in _GENES}
        for array in (codes, *numbers.values()):
            _of_type(array, "array", "0.2.0")
        own = None if pooled else observed.create_dataset("id", (size,), text, chunks=True)
        for array in (*genes.values(), *([] if own is None else [own])):
            _of_type(array, "string-array", "0.2.0")
        first = 0
        for part in _parts(store):
            last = first + len(part["embedding"])
            matrix[first:last] = part["embedding"]
            codes[first:last] = part["contig"]
            for name, array in (numbers | genes).items():
                array[first:last] = part[name]
            if own is None:
                names[first:last] = part["id"]
            else:
                own[first:last] = part["id"]
                pairs = zip(part["id"], part["position"].tolist(), strict=True)
                names[first:last] = [f"{name}:{place}" for name, place in pairs]
            first = last
        variables = _frame(file, "var", [])
        dimensions = [f"d{number}" for number in range(store.width)]
        _of_type(variables.create_dataset("_index", data=dimensions, dtype=text), "string-array", "0.2.0")
        for name in ("layers", "obsm", "obsp", "varm", "varp"):
            _of_type(file.create_group(name), "dict", "0.1.0")
        _of_type(noted := file.create_group("uns"), "dict", "0.1.0")
        for name, value in about.items():
            _of_type(noted.create_dataset(name, data=str(value), dtype=text), "string", "0.2.0")


def read_embeddings(path: Path, *names: str) -> dict[str, NDArray]:
    """Those of the arrays of `_write_npz` that an output has, whatever its format; all of them by default."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names or file.files if name in file}
    arrays = _read_parquet(path) if path.suffix == ".parquet" else _read_h5ad(path)
    if (position := arrays.pop("position", None)) is not None:  # a row a vector, where .npz has a row a unit
        first = np.flatnonzero(position == 0)
        arrays["offsets"] = np.append(first, len(position))
        arrays |= {name: arrays[name][first] for name in ("ids", "contig", *_PLACES, *_GENES)}
    return {name: arrays[name] for name in names or arrays if name in arrays}


def _read_parquet(path: Path) -> dict[str, NDArray]:
    table = pq.read_table(path)
    arrays = {name: table[name].to_numpy() for name in table.column_names if name != "embedding"}
    vectors = table["embedding"].combine_chunks()
    arrays["embeddings"] = vectors.flatten().to_numpy().reshape(len(table), -1)  # pyright: ignore
    return {"ids" if name == "id" else name: array for name, array in arrays.items()}


def _read_h5ad(path: Path) -> dict[str, NDArray]:
    import h5py

    with h5py.File(path) as file:
        observed: Any = file["obs"]
        arrays = {name: observed[name][:] for name in (*_PLACES, "position") if name in observed}
        contig = observed["contig"]
        arrays["contig"] = contig["categories"].asstr()[:][contig["codes"][:]]
        arrays["ids"] = observed["id" if "id" in observed else "_index"].asstr()[:]
        arrays |= {name: observed[name].asstr()[:] for name in _GENES}
        arrays["embeddings"] = file["X"][:]  # pyright: ignore
        return arrays


def _frame(file: Any, name: str, columns: list[str]) -> Any:
    group = file.create_group(name)
    group.attrs["_index"] = "_index"
    group.attrs.create("column-order", columns, dtype=None if columns else np.float64)
    _of_type(group, "dataframe", "0.2.0")
    return group


def _of_type(node: Any, kind: str, version: str) -> None:
    node.attrs.update({"encoding-type": kind, "encoding-version": version})


def _parts(store: EmbeddingStore) -> Iterator[dict[str, Any]]:
    """Columns of a few thousand units after the other, a row for each vector."""
    places, rows = store.places, store.rows
    ends = np.concatenate([[0], places["rows_end"]])
    for first in range(0, len(store), _UNITS_AT_ONCE):
        last = min(first + _UNITS_AT_ONCE, len(store))
        lengths = np.diff(ends[first : last + 1])
        part: dict[str, Any] = {
            name: np.repeat(places[name][first:last], lengths) for name in ("contig", *_PLACES)
        }
        for text in TEXTS:
            own = np.array(store.texts(text, first, last), dtype=object)
            part[text] = np.repeat(own, lengths).tolist()
        begun = np.repeat(ends[first:last], lengths)
        part["position"] = np.arange(ends[first], ends[last]) - begun
        part["embedding"] = np.asarray(rows[ends[first] : ends[last]])
        yield part


_WRITERS: dict[str, Callable[[EmbeddingStore, Path, bool, Mapping[str, Any]], None]] = {
    ".npz": _write_npz,
    ".parquet": _write_parquet,
    ".h5ad": _write_h5ad,
}
"""By the end of the output's name."""
