"""Our pairs beside gffread's and Biopython's; where they differ, the reason is written here.

What gffread 0.12.7 finds of the three genes in every generated dialect is kept as a table, and checked
against the program where it is installed (Debian's package). Real annotation is read once more in the
plainest way, by Biopython's sequences and its rules for a complete CDS.
"""

import gzip
import re
import shutil
import subprocess
from collections import Counter, defaultdict

import pytest
from Bio import SeqIO
from Bio.Data.CodonTable import TranslationError
from Bio.Seq import Seq

from lifecode.alphabet import decode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, extract, verify_all
from tests.support.gff_dialects import DIALECTS, GENOME, PROTEINS
from tests.support.gff_genome import GENES

GFFREAD_DIFFERS = {
    "NCBI GTF": (0, "the gene lines have an empty transcript_id"),
    "one placeholder for every transcript": (1, "genes on one strand that share a transcript_id are joined"),
    "BRAKER with bare names on every line": (0, "needs key and value"),
    "no quotes": (0, "needs double quotes"),
    "single quotes": (0, "needs double quotes"),
    "a lost quote": (0, "needs double quotes"),
    "upper-case keys of GTF": (0, "keys in lower case only"),
    "transcript_id without Parent": (1, "every part is a CDS of its own"),
    "lower-case keys": (0, "ID and Parent in their own spelling only"),
    "upper-case keys": (1, "every part is a CDS of its own"),
    "blanks for semicolons": (1, "every part is a CDS of its own"),
    "blanks around": (0, "no blanks around the equals sign"),
    "several lines without an id": (0, "needs ID or Parent"),
    "JGI": (0, "GFF2 is not read"),
    "SNAP": (0, "GFF2 is not read"),
    "geneid": (0, "GFF2 is not read"),
    "GFF2 of the Sanger centre": (0, "GFF2 is not read"),
    "Prokka with mRNAs": (3, "each gene twice, below the gene and below the mRNA"),
    "BioPerl, phase 1 everywhere": (0, "the phase counts, codon_start does not"),
    "Geneious": (0, "needs ID or Parent"),
    "GTF from a spreadsheet": (0, "quotes around the column"),
    "GFF3 from a spreadsheet": (0, "quotes around the column"),
    "a term of the Sequence Ontology": (0, "SO:0000316 is no CDS"),
}
"""Genes of which gffread gives the protein, where these are not all three or not once each, and why."""


def test_the_list_names_dialects_that_are_tested():
    assert set(GFFREAD_DIFFERS) <= set(DIALECTS)


@pytest.mark.skipif(shutil.which("gffread") is None, reason="gffread is not installed")
@pytest.mark.parametrize("name", DIALECTS)
def test_gffread_finds_what_is_written_here(tmp_path, name):
    for file, text in (("g.fa", f">ctg1\n{GENOME}\n"), ("g.gff", DIALECTS[name][1])):
        (tmp_path / file).write_text(text)
    command = ["gffread", "g.gff", "-g", "g.fa", "-S", "-y", "proteins.fa"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    proteins = tmp_path / "proteins.fa"
    found = (
        [f"{str(one.seq).rstrip('*')}*" for one in SeqIO.parse(proteins, "fasta")]
        if proteins.exists()
        else []
    )
    number, _ = GFFREAD_DIFFERS.get(name, (len(GENES), ""))
    assert len(set(found) & set(PROTEINS)) == number
    assert (sorted(found) == sorted(PROTEINS)) == (name not in GFFREAD_DIFFERS)


PARTIAL, AMBIGUOUS, PSEUDO = "partial", "ambiguous_nucleotide", "pseudo"
REAL = {
    "arc_Aeropyrum_pernix": (1681, {}),
    "arc_Archaeoglobus_fulgidus": (2363, {PSEUDO: 1}),
    "arc_Candidatus_Heimdallarchaeota_archaeon_AB_125": (1993, {PARTIAL: 7}),
    "arc_Candidatus_Korarchaeum_cryptofilum": (1631, {PSEUDO: 1}),
    "arc_Candidatus_Odinarchaeota_archaeon_LCB_4": (1249, {AMBIGUOUS: 1}),
    "arc_Cenarchaeum_symbiosum": (2011, {AMBIGUOUS: 6}),
    "arc_Halobacterium_salinarum_NRC1": (2614, {}),
    "arc_Haloquadratum_walsbyi": (2622, {PSEUDO: 3}),
    "arc_Ignicoccus_hospitalis": (1438, {PSEUDO: 1}),
    "arc_Methanocaldococcus_jannaschii": (1683, {AMBIGUOUS: 7}),
    "arc_Methanococcus_maripaludis": (1710, {}),
    "arc_Methanospirillum_hungatei": (3222, {PSEUDO: 2}),
    "arc_Methanothermobacter_thermautotrophicus": (1728, {}),
    "arc_Nitrosopumilus_maritimus": (1853, {}),
    "arc_Pyrobaculum_calidifontis": (2149, {}),
    "arc_Pyrococcus_furiosus": (1982, {}),
    "arc_Staphylothermus_marinus": (1603, {PSEUDO: 5}),
    "arc_Thermoplasma_volcanium": (1545, {}),
    "bac_Buchnera_aphidicola_APS": (582, {}),
    "bac_Corynebacterium_glutamicum": (2960, {}),
    "bac_Helicobacter_pylori_26695": (1565, {AMBIGUOUS: 12}),
    "bac_Listeria_monocytogenes": (2867, {}),
    "bac_Prochlorococcus_MIT9301": (1872, {}),
    "bac_Segatella_copri": (2854, {PSEUDO: 5}),
    "bac_Synechococcus_7002": (3187, {PSEUDO: 2}),
    "bac_Wigglesworthia": (611, {}),
}
"""Pairs, and CDS that Biopython translates as complete and we leave out: the file calls them partial or
pseudogenes, or they have nucleotides that are not told."""
QUICK = ("arc_Pyrococcus_furiosus", "bac_Wigglesworthia")


def by_biopython(annotation, sequences):
    """The nucleotides of every CDS that `translate(cds=True)` takes, each line grouped by its ID."""
    with gzip.open(sequences, "rt") as handle:
        genome = {record.id: record.seq for record in SeqIO.parse(handle, "fasta")}
    parts = defaultdict(list)
    with gzip.open(annotation, "rt") as handle:
        for line in handle:
            columns = line.rstrip("\n").split("\t")
            if len(columns) == 9 and columns[2] == "CDS":
                told = dict(pair.split("=", 1) for pair in columns[8].split(";") if "=" in pair)
                parts[columns[0], told["ID"]].append((int(columns[3]), int(columns[4]), columns[6]))
    complete = Counter()
    for (name, _), rows in parts.items():
        length = len(genome[name])
        around = genome[name] + genome[name] if any(end > length for _, end, _ in rows) else genome[name]
        spliced = Seq("").join([around[start - 1 : end] for start, end, _ in sorted(rows)])
        spliced = spliced.reverse_complement() if rows[0][2] == "-" else spliced
        try:
            spliced.translate(table="Bacterial", cds=True)
        except TranslationError:
            continue
        complete[str(spliced).upper()] += 1
    return complete


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in REAL]
)
def test_real_annotation_beside_biopython(shared_data, name):
    annotation, sequences = (shared_data(f"species/{name}.{ending}.gz") for ending in ("gff", "fna"))
    ours: Counter[str] = Counter()
    left_out: dict[str, str] = {}
    for contig in read_records(f"{annotation}+{sequences}", genetic_code=11):
        for cds, verdict in zip(contig.coding_sequences, verify_all(contig), strict=True):
            if isinstance(verdict, ExactPair):
                ours[decode_nucleotides(verdict.nucleotides)] += 1
            else:
                left_out[decode_nucleotides(extract(cds, contig))] = verdict.reason.value
    theirs = by_biopython(annotation, sequences)
    theirs = Counter({re.sub("[^ACGT]", "N", sequence): number for sequence, number in theirs.items()})
    num_pairs, differences = REAL[name]
    assert ours - theirs == Counter()
    found = Counter(dict.fromkeys(differences, 0))
    for sequence, number in (theirs - ours).items():
        found[left_out[sequence]] += number
    assert (ours.total(), dict(found)) == (num_pairs, differences)
