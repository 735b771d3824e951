"""Rows of a data set of the central dogma, and what Biopython makes of one."""

import csv
from collections import Counter

from Bio.Data import CodonTable
from Bio.Seq import Seq

from lifecode.datasets.central_dogma.ranking import SPLITS


def read(folder, task="gene_protein/binary_class"):
    """Every row with its split and its line of origins.csv."""
    with (folder / "origins.csv").open(newline="") as file:
        origins = list(csv.DictReader(file))
    rows = []
    for split in SPLITS:
        with (folder / task / split / f"{split}.csv").open(newline="") as file:
            rows += [{**row, "split": split} for row in csv.DictReader(file)]
    key = [name for name in rows[0] if name.startswith("seq_id")]
    origin_of = {(origin["split"], *(origin[name] for name in key)): origin for origin in origins}
    assert len(origin_of) == len(origins) == len(rows)
    return [{**row, **origin_of[(row["split"], *(row[name] for name in key))]} for row in rows]


def biopython_reads(row):
    """What a ribosome makes of the DNA of a row: the exons, then the flank, to the first stop."""
    dna, code = row["seq_a"], int(row["genetic_code"])
    exons = [tuple(map(int, exon.split(".."))) for exon in row["exons"].split(",")]
    message = "".join(dna[start:end] for start, end in exons) + dna[exons[-1][1] :]
    protein = str(Seq(message[: len(message) // 3 * 3]).translate(table=code, to_stop=True))
    starts = CodonTable.unambiguous_dna_by_id[code].start_codons
    return "M" + protein[1:] if row["seq_b"][0] == "M" and message[:3] in starts else protein


def by_kind(rows):
    """How many rows there are of each kind of change."""
    return Counter(row["kind"] for row in rows)
