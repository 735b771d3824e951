"""What all units hold together, as columns: names, lengths, hashes and places, never a sequence.

About 100 bytes per contig and 60 per CDS in the main process; 512 more per CDS where homologs stay together.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.data.corpus.unit_folder import read_counts, with_names
from lifecode.data.reading.contig_names import Namesake, told_apart
from lifecode.data.reading.inputs import InputUnit
from lifecode.data.splits import similarity
from lifecode.data.splits.regions import Contigs
from lifecode.data.splits.twins import first_by_name, labels, linked
from lifecode.errors import UserError

_OF_CONTIG = ["contig", "source", "taxon", "molecule", "num_nucleotides", "digest", "backward"]
_OF_CDS = ["contig_number", "num_nucleotides", "digest", "exon_starts", "exon_ends"]


@dataclass(frozen=True, eq=False)
class Inventory:
    """Contigs and exact pairs of all units, in the order of the inputs.

    Attributes:
        folders: of the units.
        contigs: some columns of `unit_folder.CONTIG_SCHEMA`.
        first_contig: (num_units + 1,) number of the first contig of each unit.
        cds: some columns of `unit_folder.CDS_SCHEMA`; `contig_number` counts over all units.
        first_cds: (num_units + 1,) number of the first exact pair of each unit.
        reasons: rejected CDS by reason.
        skipped: skipped records by reason.
        reading: how each unit was read, `ReadingSummary.as_json`.
        renamed: new names of contigs whose name is another's too, by number.
        clusters: least similarity of homologs that are kept together, or None.
    """

    folders: Sequence[Path]
    contigs: pa.Table
    first_contig: NDArray[np.int64]
    cds: pa.Table
    first_cds: NDArray[np.int64]
    reasons: Counter[str]
    skipped: Counter[str]
    reading: Sequence[dict[str, Any]]
    renamed: dict[int, str]
    clusters: float | None = None

    @classmethod
    def read(cls, folders: Sequence[Path], units: Sequence[InputUnit], clusters: float | None) -> "Inventory":
        """The inventory of complete unit folders.

        Raises:
            UserError: two contigs of one name that cannot be told apart.
        """
        contigs = [pq.read_table(folder / "contigs.parquet", columns=_OF_CONTIG) for folder in folders]
        columns = [*_OF_CDS, "sketch"] if clusters else _OF_CDS
        pairs = [pq.read_table(folder / "cds.parquet", columns=columns) for folder in folders]
        counts = [read_counts(folder) for folder in folders]
        first_contig, first_cds = (
            np.cumsum([0, *(len(table) for table in tables)]) for tables in (contigs, pairs)
        )
        joined = pa.concat_tables(contigs).combine_chunks()
        renamed = told_apart(_namesakes(joined, first_contig), units)
        return cls(
            folders,
            with_names(joined, renamed),
            first_contig,
            pa.concat_tables(
                _renumbered(table, int(first)) for table, first in zip(pairs, first_contig, strict=False)
            ).combine_chunks(),
            first_cds,
            sum((Counter(count["reasons"]) for count in counts), Counter()),
            sum((Counter(count["skipped"]) for count in counts), Counter()),
            counts,
            renamed,
            clusters,
        )

    def renamed_of(self, unit: int) -> dict[int, str]:
        """The new names of a unit's contigs, by row of its `contigs.parquet`."""
        first, end = int(self.first_contig[unit]), int(self.first_contig[unit + 1])
        return {number - first: name for number, name in self.renamed.items() if first <= number < end}

    def require_pairs(self) -> None:
        """Raise a `UserError` that counts the reasons where no CDS is an exact pair."""
        if len(self.cds):
            return
        sources = pc.unique(self.contigs["source"]).to_pylist()  # pyright: ignore[reportAttributeAccessIssue]
        total = sum(self.reasons.values())
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        raise UserError(
            f"none of {total} CDS translates exactly ({reasons})" if total else "there is no CDS",
            source=", ".join(sources[:3]) + (" …" if len(sources) > 3 else ""),
            remedy="Give an annotated genome (GenBank), or read DNA alone by lifecode prepare with "
            "data.require_pairs=false",
        )

    @cached_property
    def cds_contig(self) -> NDArray[np.int64]:
        """(num_cds,) contig of each exact pair."""
        return self.cds["contig_number"].to_numpy()

    @cached_property
    def twin_label(self) -> NDArray[np.int64]:
        """(num_cds,) the same number for pairs of one sequence, on either strand."""
        return labels(self.cds["digest"])

    @cached_property
    def homolog_label(self) -> NDArray[np.int64]:
        """(num_cds,) the same number for pairs that must stay together: twins, and homologs if asked for."""
        if self.clusters is None or not len(self.cds):
            return self.twin_label
        sketches = b"".join(self.cds["sketch"].to_pylist())
        shape = (len(self.cds), similarity.NUM_HASHES)
        return similarity.clusters(np.frombuffer(sketches, dtype=np.uint32).reshape(shape), self.clusters)

    @cached_property
    def molecule(self) -> NDArray[np.str_]:
        """(num_contigs,) dna, rna, cds or protein."""
        return np.array(self.contigs["molecule"].to_pylist(), dtype="U7")

    def as_contigs(self) -> Contigs:
        """The contigs as a split wants them."""
        names, is_dna = self.contigs["contig"].combine_chunks(), self.molecule == "dna"
        label = labels(self.contigs["digest"])
        twin_of = first_by_name(names, label)
        backward = self.contigs["backward"].to_numpy()
        links = ~is_dna[self.cds_contig]  # a genome shares genes with any other: these do not link it
        return Contigs(
            names=names,
            num_nucleotides=self.contigs["num_nucleotides"].to_numpy(),
            is_dna=is_dna,
            taxon=pc.fill_null(self.contigs["taxon"], -1).to_numpy(),  # pyright: ignore[reportAttributeAccessIssue]
            group=linked(label, self.cds_contig[links], self.homolog_label[links]),
            twin_of=twin_of,
            mirrored=backward != backward[twin_of],
        )

    def exons(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(num_cds + 1,) where the exons of each CDS begin, (num_exons,) their starts and ends."""
        starts, ends = (self.cds[name].combine_chunks() for name in ("exon_starts", "exon_ends"))
        lengths = pc.list_value_length(starts).to_numpy()  # pyright: ignore[reportAttributeAccessIssue]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return offsets, starts.flatten().to_numpy(), ends.flatten().to_numpy()


def _namesakes(contigs: pa.Table, first_contig: NDArray[np.int64]) -> list[Namesake]:
    """The contigs whose name is another's too."""
    names = contigs["contig"]
    counts = names.value_counts()
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))  # pyright: ignore
    if not len(repeated):
        return []
    numbers = np.flatnonzero(pc.is_in(names, repeated).to_numpy())  # pyright: ignore
    units = np.searchsorted(first_contig, numbers, side="right") - 1
    chosen = contigs.take(numbers)
    digests = chosen["digest"].to_pylist()
    rows = zip(numbers.tolist(), chosen["contig"].to_pylist(), digests, units.tolist(), strict=True)
    return [Namesake(*row) for row in rows]


def _renumbered(table: pa.Table, first_contig: int) -> pa.Table:
    """The pairs of a unit with their contigs counted over all units."""
    index = table.column_names.index("contig_number")
    numbers = pc.add(table["contig_number"], first_contig)  # pyright: ignore[reportAttributeAccessIssue]
    return table.set_column(index, "contig_number", numbers)
