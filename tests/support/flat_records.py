"""Records of a GenBank and of a Swiss-Prot file, as short as they can be."""

_GENBANK = """\
LOCUS       {name} 12 bp    DNA     {topology}   UNK 01-JAN-2000
VERSION     {name}
SOURCE      Made up.
FEATURES             Location/Qualifiers
     source          1..12
                     /organism="Hand made"
                     /db_xref="taxon:42"
     CDS             {location}
                     {qualifiers}
ORIGIN
        1 aacccggttt tt
//
"""


def genbank_record(
    location: str = "1..12", *qualifiers: str, name: str = "HAND.1", topology: str = "linear"
) -> str:
    """A GenBank record of 12 nucleotides with one CDS of the gene g."""
    lines = ('/gene="g"', *qualifiers)
    return _GENBANK.format(
        location=location, qualifiers=("\n" + " " * 21).join(lines), name=name, topology=topology
    )


SWISSPROT_ENTRY = b"""\
ID   A_B      Reviewed;         11 AA.
AC   P12345; Q1;
GN   Name=abcD {ECO:1}; Synonyms=x;
OS   Escherichia coli
OS   (strain K12).
OX   NCBI_TaxID=83333 {ECO:2};
SQ   SEQUENCE   11 AA;  1 MW;  0 CRC64;
     MKVLEFQIPW Y
//
"""
"""The protein P12345, of 11 residues."""
