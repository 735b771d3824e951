"""The genome of `gff_genome` as files, and its coding sequences cut out by slices of text alone."""

from pathlib import Path

from Bio.Seq import Seq

from tests.support.gff_genome import GENES, Gene, annotated, genome


def write_three_genes(folder: Path) -> str:
    """Write `genes.fa` and `genes.gff3`; returns the input that names both."""
    (folder / "genes.fa").write_text(f">ctg1\n{genome()[0]}\n")
    lines = annotated(lambda gene, part: f"ID=cds{gene.number}")
    (folder / "genes.gff3").write_text("##gff-version 3\n" + lines)
    return f"{folder}/genes.gff3+{folder}/genes.fa"


def letters_and_places(gene: Gene, letters: str) -> tuple[str, list[int]]:
    """The CDS of a gene, 5' to 3', and where on the contig (from 0) each of its letters lies."""
    places = [place for start, end in gene.exons for place in range(start - 1, end)]
    cds = "".join(letters[place] for place in places)
    return (cds, places) if gene.strand == "+" else (str(Seq(cds).reverse_complement()), places[::-1])


def expected_values(model, letters: str, genes=GENES) -> dict[int, float]:
    """-log P of the codon that each nucleotide of a gene is in, that codon masked, by `masked_logits`."""
    found = {}
    for gene in genes:
        cds, places = letters_and_places(gene, letters)
        log_p = model.masked_logits([cds])[0].double()
        for i, place in enumerate(places):
            codon = cds[i // 3 * 3 : i // 3 * 3 + 3]
            index = sum("ACGT".index(letter) * 4 ** (2 - j) for j, letter in enumerate(codon))
            found[place] = -float(log_p[i // 3, index])
    return found
