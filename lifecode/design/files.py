"""The files of a design: FASTA, a table, a page, and GenBank on request; all are there whole, or none is."""

import csv
import io
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path

from lifecode.design.designing import designs_of
from lifecode.design.designs import Designs
from lifecode.errors import UserError
from lifecode.host.durable import appearing_together, disk_faults_named, replacing, require_writable
from lifecode.host.own_folder import require_own
from lifecode.names import csv_cell

_SUFFIXES = (".fasta", ".fa", ".fna", ".ffn")
_LINE = 60
_REMEDY = "Choose an output where you may write and which has room"


class DesignFiles:
    """Where designs are going to be written.

    Args:
        output: FASTA file; the table has its name and `.tsv`, GenBank `.gb`.
        genbank: whether to write that too.

    Raises:
        UserError: another suffix, a folder where nothing can be written, a file that is there already, or a
            link in place of the folder of figures.
    """

    def __init__(self, output: Path, *, genbank: bool) -> None:
        if output.suffix not in _SUFFIXES:
            raise UserError("is no FASTA file", source=output, remedy=f"Write output={output}.fasta")
        self.fasta, self.table = output, output.with_suffix(".tsv")
        self.genbank = output.with_suffix(".gb") if genbank else None
        report = output.parent / "report.html"
        for file in (self.fasta, self.table, self.genbank, report):
            if file is not None and file.exists():
                raise UserError(
                    "is there already", source=file, remedy="Choose another output folder, or delete it"
                )
        with disk_faults_named(output.parent, remedy=_REMEDY):
            output.parent.mkdir(parents=True, exist_ok=True)
            require_writable(output.parent)
        require_own(output.parent / "figures", inside=output.parent)

    def write(self, designs: Designs, page: Callable[[Designs, Path], Path]) -> Path:
        """Writes the files, FASTA last, and says where the page is.

        Args:
            designs: to be written.
            page: writes the page of designs into a folder, and says where.

        Raises:
            UserError: one cannot be written; then none is there.
        """
        texts = {self.table: _table(designs), self.fasta: _fasta(designs)}
        if self.genbank is not None:
            texts = {self.genbank: _genbank(designs), **texts}
        with disk_faults_named(self.fasta, remedy=_REMEDY), appearing_together(self.fasta) as folder:
            own = page(designs, folder)
            for file, text in texts.items():
                with disk_faults_named(file, remedy=_REMEDY), replacing(folder / file.name) as handle:
                    handle.write(text.encode())
        return self.fasta.parent / own.name


def _fasta(designs: Designs) -> str:
    records = []
    for name, dna in designs.dna.items():
        lines = [dna[i : i + _LINE] for i in range(0, len(dna), _LINE)]
        records.append("\n".join([f">{name}", *lines]))
    return "\n".join(records) + "\n"


def _table(designs: Designs) -> str:
    rows = designs.rows()
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue()


def _cell(value: object) -> object:
    return f"{value:.4f}" if isinstance(value, float) else csv_cell("" if value is None else value)


def _locus_name(protein: str, number: int, taken: set[str]) -> str:
    """At most 16 characters, as the LOCUS line has them, and none that is `taken`, among which it is put."""
    name = "_".join(protein.rpartition("|")[2].split()) or "design"
    ends = chain([f"_{number}"], (f"_{number}_{i}" for i in count(2)))
    found = next(one for end in ends if (one := name[: 16 - len(end)] + end) not in taken)
    taken.add(found)
    return found


def _genbank(designs: Designs) -> str:
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqFeature import SeqFeature, SimpleLocation
    from Bio.SeqRecord import SeqRecord

    records, taken = [], set[str]()
    for one in designs_of(designs.sequences):
        feature = SeqFeature(
            SimpleLocation(0, len(one.dna), strand=1),
            type="CDS",
            qualifiers={
                "gene": [one.protein],
                "codon_start": ["1"],
                "transl_table": [str(designs.host.genetic_code)],
                "translation": [designs.proteins[one.protein].removesuffix("*")],
                "note": [f"designed for {designs.host.name}"],
            },
        )
        record = SeqRecord(
            Seq(one.dna),
            id=one.id,
            name=_locus_name(one.protein, one.number, taken),
            description=f"{one.protein}, design {one.number}",
            annotations={"molecule_type": "DNA", "topology": "linear"},
            features=[feature],
        )
        records.append(record)
    text = io.StringIO()
    SeqIO.write(records, text, "genbank")
    return text.getvalue()
