"""What `lifecode embed` gives back: the vectors of many sequences, with where each one lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lifecode.verbs.embed.embedding_file import read_embeddings

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """Embedded sequences; tables are pandas frames.

    Attributes:
        path: the file that was written, or None; `vectors` and the tables read it.
        num_sequences: n.
        num_vectors: n, or the sum of their codons or nucleotides for `pool=None`.
        width: d.
        skipped: how many CDS could not be cut out, and what else was counted on the way, by reason.
        arrays: content of the file that was not written, or None.
    """

    path: Path | None
    num_sequences: int
    num_vectors: int
    width: int
    skipped: Mapping[str, int]
    arrays: Mapping[str, NDArray] | None = None

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(num_vectors, d), of one sequence behind the other."""
        return self._read("embeddings")["embeddings"]

    @property
    def units(self) -> "DataFrame":
        """Where each sequence lies: columns id, contig, start (from 0), end (behind the last) and strand.

        Of a CDS `gene` and `gene_id` (its locus tag, or the ID of its gene) say what its file calls it.
        For several vectors per sequence, `num_vectors` says how many are its own.
        """
        from pandas import DataFrame

        texts = [f"{name}{end}" for name in ("contig", "gene", "gene_id") for end in ("", "_offsets")]
        read = self._read(*texts, "start", "end", "strand", "offsets", "contig_number")
        contig = _texts(read["contig"], read.get("contig_offsets"))
        if "contig_number" in read:
            contig = [contig[number] for number in read["contig_number"]]
        own = {"num_vectors": np.diff(read["offsets"])} if "offsets" in read else {}
        places = {name: read[name] for name in ("start", "end", "strand")}
        genes = {name: _texts(read[name], read.get(f"{name}_offsets")) for name in ("gene", "gene_id")}
        return DataFrame({"id": self._ids(), "contig": contig, **places, **genes, **own})

    @property
    def frame(self) -> "DataFrame":
        """The vectors, a column per dimension; index `id`, and `position` where a sequence has several."""
        from pandas import DataFrame, Index, MultiIndex

        offsets = self._read("offsets").get("offsets")
        if offsets is None:
            return DataFrame(self.vectors, index=Index(self._ids(), name="id"))
        lengths = np.diff(offsets)
        position = np.arange(lengths.sum()) - np.repeat(offsets[:-1], lengths)
        ids = [name for name, length in zip(self._ids(), lengths, strict=True) for _ in range(length)]
        return DataFrame(
            self.vectors, index=MultiIndex.from_arrays([ids, position], names=["id", "position"])
        )

    def _ids(self) -> list[str]:
        read = self._read("ids", "ids_offsets")
        return _texts(read["ids"], read.get("ids_offsets"))

    def _read(self, *names: str) -> dict[str, NDArray]:
        """Those of the arrays that are there."""
        if self.path is None:
            arrays = self.arrays or {}
            return {name: arrays[name] for name in names if name in arrays}
        return read_embeddings(self.path, *names)


def _texts(array: NDArray, offsets: NDArray | None) -> list[str]:
    """Names, from an array of text or from the UTF-8 of all of them; see `_write_npz` of `embedding_file`."""
    if offsets is None:
        return array.tolist()
    text = array.tobytes()
    return [text[a:b].decode() for a, b in pairwise(offsets.tolist())]
