"""Which dialect an annotation file is written in, judged from every line of it that gives a CDS.

Each line is read by its own syntax (`gff_attributes`) and finds its gene by whatever it offers (`gff_genes`),
so the dialect is what is told to the user; of the file as a whole only this counts: whose phases mean
anything, since many programs write 0 on every line, and whether the coding parts are called CDS at all.
"""

from collections import Counter
from typing import NamedTuple

from lifecode.data.formats.gff.lines import Role, is_marked, role_of

_MOST_WRITERS = 1000
_MOST_KINDS = 4
_CODING_EXONS = (b"coding_exon", b"SO:0000195")
"""Parts that may stand beside CDS lines which are their whole span, as in GFF2 of WormBase."""


class _Writer(NamedTuple):
    """A program or database, by words of column 2 or of the attributes, all in lower case."""

    name: str
    sources: tuple[str, ...]
    attributes: tuple[str, ...] = ()


_WRITERS = (
    _Writer("Prokka", ("prokka", "prodigal:")),
    _Writer("Bakta", ("bakta",), ("bakta",)),
    _Writer("Prodigal", ("prodigal",), ("rbs_motif",)),
    _Writer("TSEBRA", ("tsebra",)),
    _Writer("BRAKER", ("braker",)),
    _Writer("AUGUSTUS", ("augustus",)),
    _Writer("MetaGeneMark", ("metagenemark", "genemark.hmm2", "genemark.hmm-p")),
    _Writer("GeneMark", ("genemark",)),
    _Writer("TransDecoder", ("transdecoder",), ("orf type:", "orf%20type")),
    _Writer("StringTie", ("stringtie",)),
    _Writer("MAKER", ("maker",), ("_aed=",)),
    _Writer("GlimmerHMM", ("glimmerhmm",)),
    _Writer("SNAP", ("snap",)),
    _Writer("geneid", ("geneid",)),
    _Writer("miniprot", ("miniprot",)),
    _Writer("MetaEuk", ("metaeuk",), ("tcs_id=",)),
    _Writer("Liftoff", ("liftoff",), ("valid_orf",)),
    _Writer("EVidenceModeler", ("evm", "evidencemodeler")),
    _Writer("JGI", ("jgi",), ("proteinid",)),
    _Writer("Phytozome", ("phytozome",), ("pacid",)),
    _Writer("FlyBase", ("flybase",)),
    _Writer("WormBase", ("wormbase",)),
    _Writer("SGD", ("sgd",)),
    _Writer("TAIR", ("tair", "araport")),
    _Writer("Geneious", ("geneious",)),
    _Writer("BioPerl", (), ("codon_start",)),
    _Writer("GENCODE", (), ("gene_type ", "gene_type=")),
    _Writer("Ensembl", (), ("gene_biotype ", "id=cds:")),
    _Writer("gffread", ("gffread",), ("geneid=",)),
)


class Evidence:
    """What the lines of one file showed.

    Attributes:
        num_cds_lines: lines that give a part of a CDS.
        with_phases: column 2 of those that have a phase other than 0.
        exon_models: column 2 of those whose coding parts have names such as SNAP's instead of CDS.
        genes_are_named: every CDS line has a gene_id.
        genetic_codes: what Prodigal's comments say of each sequence.
        kinds: words of column 3, as long as no CDS was seen.
    """

    def __init__(self) -> None:
        self.num_cds_lines = 0
        self.with_phases: set[str] = set()
        self.exon_models: set[bytes] = set()
        self.genes_are_named = True
        self.genetic_codes: dict[str, int] = {}
        self.kinds: Counter[str] = Counter()
        self._lines_of: Counter[tuple[bytes, str]] = Counter()
        self._label_of: dict[tuple[bytes, str], str] = {}
        self._with_cds: set[bytes] = set()
        self._models: list[list[bytes]] = []

    def add_cds_line(self, columns: list[bytes]) -> None:
        """Count a line of nine columns that gives a part of a CDS."""
        self.num_cds_lines += 1
        if len(self._with_cds) < _MOST_WRITERS:
            self._with_cds.add(columns[1])
        if columns[7] in (b"1", b"2") and len(self.with_phases) < _MOST_WRITERS:
            self.with_phases.add(columns[1].decode("utf-8", errors="replace"))
        if b"gene_id" not in columns[8]:
            self.genes_are_named = False
        key = columns[1], _syntax_of(columns[8])
        if key not in self._label_of:
            if len(self._label_of) >= _MOST_WRITERS:
                return
            writer = _writer_of(*(columns[i].decode("utf-8", errors="replace").lower() for i in (1, 8)))
            self._label_of[key] = f"{key[1]} ({writer})" if writer else key[1]
        self._lines_of[key] += 1

    def add_exon_model(self, columns: list[bytes]) -> None:
        """Note a line of nine columns that gives a part of a CDS if its column 2 has no CDS lines."""
        if columns[2] != b"Exon" and len(self.exon_models) < _MOST_WRITERS:
            self.exon_models.add(columns[1])
        if len(self._models) < _MOST_WRITERS:
            self._models.append(columns)

    def end(self) -> None:
        """Decide, once all lines were seen, whose exon models count."""
        self.exon_models -= self._with_cds
        models, self._models = self._models, []
        for columns in models:
            if columns[1] in self.exon_models:
                self.add_cds_line(columns)

    def matters(self, line: bytes) -> bool:
        """Whether an indexed line has to be read: not a transcript of GTF whose CDS lines name the gene."""
        _, _, source, kind, _ = line.split(b"\t", 4)
        role = role_of(kind.decode("utf-8", errors="replace"))
        if role is Role.ABOVE:
            return not self.genes_are_named or b"=" in line or is_marked(line.lower())
        return role is not Role.EXON_MODEL or source in self.exon_models or kind in _CODING_EXONS

    def dialect(self) -> str | None:
        """The dialects of the file, that of most lines first, such as `GTF (Ensembl)`."""
        lines: Counter[str] = Counter()
        for key, number in self._lines_of.items():
            lines[self._label_of[key]] += number
        labels = [label for label, _ in lines.most_common(3)]
        return " and ".join(labels) or None

    def kinds_found(self) -> str:
        """The most frequent words of column 3, for a file without CDS."""
        return ", ".join(f"{number} {kind}" for kind, number in self.kinds.most_common(_MOST_KINDS))


def _syntax_of(column: bytes) -> str:
    """GFF3 (`key=`), GTF (`transcript_id "x"`) or GFF2 (other words)."""
    before, equals, _ = column.partition(b"=")
    if equals and not before.strip().count(b" ") and b'"' not in before[1:]:
        return "GFF3"
    return "GTF" if b"transcript_id" in column or b"gene_id" in column else "GFF2"


def _writer_of(source: str, attributes: str) -> str | None:
    """The name of what wrote a line: by its column 2 if that tells, else by its attributes."""
    if "gbkey" in attributes:  # whatever predicted the gene
        return "NCBI"
    by_source = (one.name for one in _WRITERS if any(word in source for word in one.sources))
    by_attributes = (one.name for one in _WRITERS if any(word in attributes for word in one.attributes))
    last = "Ensembl" if "ensembl" in source or "havana" in source else None
    return next(by_source, None) or next(by_attributes, None) or last
