"""Records that LucaOne's rows are made from: GenBank, Swiss-Prot, atoms of PDB files."""

from collections.abc import Sequence

import numpy as np

LINEAGE = (
    "Eukaryota; Fungi; Saccharomycetes;\n            Saccharomycetales; Saccharomycetaceae; Saccharomyces."
)


def sequence(length: int, seed: int = 0) -> str:
    """Random nucleotides."""
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def genbank(
    features: Sequence[tuple[str, ...]],
    letters: str,
    *,
    name: str = "HAND.1",
    lineage: str = LINEAGE,
    molecule: str = "DNA",
) -> str:
    """A record.

    Args:
        features: key, location and qualifiers of each.
        letters: the sequence.
        name: of the record.
        lineage: as it stands under ORGANISM.
        molecule: on the LOCUS line.
    """
    table = [
        "\n".join([f"     {key:<16}{location}", *(f"{'':21}{qualifier}" for qualifier in qualifiers)])
        for key, location, *qualifiers in features
    ]
    lines = [
        f"{start + 1:>9} " + " ".join(letters[at : at + 10] for at in range(start, start + 60, 10)).rstrip()
        for start in range(0, len(letters), 60)
    ]
    return "\n".join(
        [
            f"LOCUS       {name} {len(letters)} bp    {molecule}     linear   UNK 01-JAN-2000",
            f"VERSION     {name}",
            "SOURCE      Hand made",
            "  ORGANISM  Hand made",
            f"            {lineage}",
            "FEATURES             Location/Qualifiers",
            *table,
            "ORIGIN",
            *lines,
            "//\n",
        ]
    )


def swissprot(
    accession: str,
    protein: str,
    *,
    keywords: str = "",
    features: Sequence[tuple[str, str]] = (),
    lineage: str = "Bacteria; Pseudomonadota; Gammaproteobacteria; Enterobacterales; Escherichia.",
) -> str:
    """An entry of today's layout; `features` are key and location."""
    return "".join(
        f"{line}\n"
        for line in [
            f"ID   A_B                     Reviewed;         {len(protein)} AA.",
            f"AC   {accession};",
            "DT   01-JAN-2000, integrated into UniProtKB/Swiss-Prot.",
            "DE   RecName: Full=Hand made;",
            "OS   Escherichia coli.",
            f"OC   {lineage}",
            "OX   NCBI_TaxID=562;",
            *([f"KW   {keywords}."] if keywords else []),
            *(f"FT   {key:<16}{location}" for key, location in features),
            f"SQ   SEQUENCE   {len(protein)} AA;  1 MW;  0123456789ABCDEF CRC64;",
            *(f"     {protein[at : at + 60]}" for at in range(0, len(protein), 60)),
            "//",
        ]
    )


def atom(
    serial: int,
    residue: str,
    chain: str,
    number: int,
    x: float,
    *,
    name: str = "CA",
    kind: str = "ATOM",
    alt: str = " ",
    share: float = 1.0,
    insertion: str = " ",
) -> str:
    """A line of a PDB file, of an atom at (x, 2x, -x) that is there in a share of the molecules."""
    return (
        f"{kind:<6}{serial:>5}  {name:<3}{alt}{residue:<3} {chain}{number:>4}{insertion}   "
        f"{x:8.3f}{2 * x:8.3f}{-x:8.3f}{share:6.2f}{0.0:6.2f}           C"
    )
