"""Three genes annotated in every dialect of GFF3, GTF and GFF2 that programs and databases write."""

from tests.support.gff_genome import GENES, annotated, genome

GENOME, PROTEINS = genome()


def gtf(g, i):
    return f'gene_id "G{g.number}"; transcript_id "T{g.number}";'


def ensembl(g, i):
    return (
        f'gene_id "ENSG{g.number}"; gene_version "1"; transcript_id "ENST{g.number}"; exon_number "{i + 1}"; '
        f'gene_name "N{g.number}"; gene_biotype "protein_coding"; protein_id "ENSP{g.number}"; tag "basic";'
    )


def gff3(g, i):
    return f"ID=cds{g.number};Parent=rna{g.number}"


def of_gene_and_mrna(gene="ID=gene{0}", mrna="ID=rna{0};Parent=gene{0}", kinds=("gene", "mRNA")):
    return lambda g: [
        (kind, column.format(g.number)) for kind, column in zip(kinds, (gene, mrna), strict=True)
    ]


GENE_AND_MRNA = of_gene_and_mrna()
ENSEMBL = of_gene_and_mrna(
    'gene_id "ENSG{0}"; gene_biotype "protein_coding";',
    'gene_id "ENSG{0}"; transcript_id "ENST{0}"; gene_biotype "protein_coding";',
    ("gene", "transcript"),
)
BARE = of_gene_and_mrna("g{0}", "g{0}.t1", ("gene", "transcript"))


def tcs(g):
    return f"p{g.number}|ctg1|{g.strand}|{g.exons[0][0] - 1}"


def snap_kind(g, i):
    last = len(g.exons) - 1
    return "Esngl" if last == 0 else "Einit" if i == 0 else "Eterm" if i == last else "Exon"


def kind_of(single, first, internal, last):
    def of(g, i):
        end = len(g.exons) - 1
        return single if end == 0 else first if i == 0 else last if i == end else internal

    return of


geneid_kind = kind_of("Single", "First", "Internal", "Terminal")


def by_transcript(g, i):
    return f'transcript_id "t{g.number}";'


DIALECTS = {
    "Ensembl GTF": ("GTF (Ensembl)", annotated(ensembl, ENSEMBL, source="ensembl", stop="apart")),
    "NCBI GTF": (
        "GTF (NCBI)",
        annotated(
            lambda g, i: (
                f'gene_id "L_{g.number}"; transcript_id "unknown_transcript_1"; gbkey "CDS"; '
                f'product "p; part \'{i}\'"; protein_id "YP_{g.number}.1"; exon_number "{i + 1}";'
            ),
            of_gene_and_mrna('gene_id "L_{0}"; transcript_id "";', 'gene_id "L_{0}"; transcript_id "x";'),
            source="RefSeq",
            stop="apart",
        ),
    ),
    "one placeholder for every transcript": (
        "GTF",
        annotated(lambda g, i: f'gene_id "G{g.number}"; transcript_id "NA";'),
    ),
    "GENCODE": (
        "GTF (GENCODE)",
        annotated(
            lambda g, i: (
                f'gene_id "ENSG{g.number}.1"; transcript_id "ENST{g.number}.1"; gene_type "protein_coding"; '
                f'gene_name "N"; exon_number {i + 1}; level 2; tag "basic"; tag "CCDS"; tag "mRNA_start_NF";'
            ),
            source="HAVANA",
            stop="apart",
        ),
    ),
    "stop inside and apart": ("GTF", annotated(gtf, stop="both")),
    "stop nowhere, as miniprot has it": ("GTF (miniprot)", annotated(gtf, source="miniprot", stop="absent")),
    "AUGUSTUS": (
        "GTF (AUGUSTUS)",
        annotated(
            lambda g, i: f'transcript_id "g{g.number}.t1"; gene_id "g{g.number}";', BARE, source="AUGUSTUS"
        ),
    ),
    "BRAKER with bare names on every line": (
        "GFF2 (AUGUSTUS)",
        annotated(lambda g, i: f"g{g.number}.t1", BARE, source="AUGUSTUS"),
    ),
    "GeneMark": (
        "GTF (GeneMark)",
        annotated(
            lambda g, i: f'gene_id "{g.number}_g"; transcript_id "{g.number}_t";', source="GeneMark.hmm3"
        ),
    ),
    "StringTie": (
        "GTF (StringTie)",
        annotated(
            lambda g, i: f'transcript_id "S.{g.number}.1"; gene_id "S.{g.number}";', source="StringTie"
        ),
    ),
    "no semicolons": ("GTF", annotated(lambda g, i: f'transcript_id "T{g.number}" gene_id "G{g.number}"')),
    "no quotes": (
        "GTF",
        annotated(lambda g, i: f"gene_id G{g.number}; transcript_id T{g.number}; exon_number {i}"),
    ),
    "single quotes": ("GTF", annotated(lambda g, i: f"gene_id 'G{g.number}'; transcript_id 'T{g.number}';")),
    "a lost quote": ("GTF", annotated(lambda g, i: f'gene_id "G{g.number}; transcript_id "T{g.number}";')),
    "doubled semicolons": (
        "GTF",
        annotated(lambda g, i: f'gene_id "G{g.number}";; transcript_id "T{g.number}";;'),
    ),
    "upper-case keys of GTF": (
        "GFF2",
        annotated(lambda g, i: f'GENE_ID "G{g.number}"; TRANSCRIPT_ID "T{g.number}";'),
    ),
    "NCBI GFF3": (
        "GFF3 (NCBI)",
        annotated(
            lambda g, i: (
                f"ID=cds-NP_{g.number};Parent=rna{g.number};Dbxref=GeneID:1,Genbank:NP_{g.number};gbkey=CDS;"
                f"product=a%3B b%2C c;protein_id=NP_{g.number}"
            ),
            GENE_AND_MRNA,
            source="RefSeq",
        ),
    ),
    "Ensembl GFF3": (
        "GFF3 (Ensembl)",
        annotated(
            lambda g, i: f"ID=CDS:P{g.number};Parent=transcript:T{g.number};protein_id=P{g.number}",
            of_gene_and_mrna("ID=gene:G{0};biotype=protein_coding", "ID=transcript:T{0};Parent=gene:G{0}"),
            source="ensembl",
        ),
    ),
    "MetaEuk": (
        "GFF3 (MetaEuk)",
        annotated(
            lambda g, i: f"Target_ID=p{g.number};TCS_ID={tcs(g)}_CDS_{i};Parent={tcs(g)}_exon_{i}",
            lambda g: [
                ("gene", f"Target_ID=p{g.number};TCS_ID={tcs(g)}"),
                ("mRNA", f"Target_ID=p{g.number};TCS_ID={tcs(g)}_mRNA;Parent={tcs(g)}"),
            ],
            source="MetaEuk",
        ),
    ),
    "FlyBase": (
        "GFF3 (FlyBase)",
        annotated(lambda g, i: f"Parent=rna{g.number}", GENE_AND_MRNA, source="FlyBase"),
    ),
    "WormBase": (
        "GFF3 (WormBase)",
        annotated(lambda g, i: f"ID=CDS:F{g.number};Parent=Transcript:F{g.number};", source="WormBase"),
    ),
    "TAIR": (
        "GFF3 (TAIR)",
        annotated(
            lambda g, i: f"Parent=rna{g.number},rna{g.number}-Protein;",
            lambda g: [
                *GENE_AND_MRNA(g),
                ("protein", f"ID=rna{g.number}-Protein;Derives_from=rna{g.number}"),
            ],
            source="TAIR10",
        ),
    ),
    "TAIR, CDS lines alone": ("GFF3", annotated(lambda g, i: f"Parent=A{g.number}.1,A{g.number}.1-Protein;")),
    "Phytozome": (
        "GFF3 (Phytozome)",
        annotated(
            lambda g, i: f"ID=P{g.number}.CDS.{i + 1};Parent=P{g.number};pacid=1", source="phytozomev10"
        ),
    ),
    "MAKER": (
        "GFF3 (MAKER)",
        annotated(
            lambda g, i: f"ID=rna{g.number}:cds;Parent=rna{g.number}",
            of_gene_and_mrna("ID=gene{0}", "ID=rna{0};Parent=gene{0};_AED=0.1;_QI=0|1|1"),
            source="maker",
        ),
    ),
    "AGAT, an id a line": (
        "GFF3",
        annotated(lambda g, i: f"ID=agat-{g.number}{i};Parent=rna{g.number}", GENE_AND_MRNA),
    ),
    "TransDecoder": (
        "GFF3 (TransDecoder)",
        annotated(
            lambda g, i: f"ID=cds.S{g.number};Parent=S{g.number}",
            of_gene_and_mrna(
                "ID=G{0};Name=ORF%20type:complete%20len:99", "ID=S{0};Parent=G{0};Name=ORF type:complete (+)"
            ),
            source="transdecoder",
        ),
    ),
    "gffread": (
        "GFF3",
        annotated(
            lambda g, i: f"Parent=T{g.number}",
            lambda g: [("transcript", f"ID=T{g.number};geneID=G{g.number}")],
        ),
    ),
    "gffread, CDS lines alone": ("GFF3", annotated(lambda g, i: f"Parent=T{g.number}")),
    "transcript_id without Parent": (
        "GFF3",
        annotated(lambda g, i: f"ID=c{g.number}{i};gene_id=G{g.number};transcript_id=T{g.number}"),
    ),
    "lower-case keys": (
        "GFF3",
        annotated(
            lambda g, i: f"id=c{g.number}{i};parent=rna{g.number}",
            of_gene_and_mrna("id=gene{0}", "id=rna{0};parent=gene{0}"),
        ),
    ),
    "upper-case keys": ("GFF3", annotated(lambda g, i: f"ID=c{g.number}{i};PARENT=rna{g.number}")),
    "keys in another order": (
        "GFF3",
        annotated(lambda g, i: f"Note=x;Parent=rna{g.number};ID=c{g.number}", GENE_AND_MRNA),
    ),
    "quoted values": ("GFF3", annotated(lambda g, i: f'ID="c{g.number}";Parent="rna{g.number}";Note="a;b"')),
    "quoted values without semicolons": (
        "GFF3",
        annotated(lambda g, i: f'ID="c{g.number}" Parent="rna{g.number}"'),
    ),
    "blanks for semicolons": ("GFF3", annotated(lambda g, i: f"ID=c{g.number} Parent=rna{g.number}")),
    "blanks around": ("GFF3", annotated(lambda g, i: f" ID = c{g.number} ; Parent = rna{g.number} ; ")),
    "a flag first": ("GFF3", annotated(lambda g, i: f"manual;ID=c{g.number};Parent=rna{g.number}")),
    "escaped ids": (
        "GFF3",
        annotated(lambda g, i: f"ID=c;Parent=r%2C{g.number}", lambda g: [("mRNA", f"ID=r%2C{g.number}")]),
    ),
    "several lines without an id": ("GFF3", annotated(lambda g, i: f"Name=protein{g.number}")),
    "JGI": (
        "GFF2 (JGI)",
        annotated(
            lambda g, i: f'name "fgenesh{g.number}"; proteinId {500 + g.number}; exonNumber {i + 1}',
            source="JGI",
            phases="0",
        ),
    ),
    "SNAP": (
        "GFF2 (SNAP)",
        annotated(lambda g, i: f"c-snap.{g.number}", source="SNAP", kind=snap_kind, phases="."),
    ),
    "AUGUSTUS, the kinds of exons beside the CDS": (
        "GTF (AUGUSTUS)",
        annotated(by_transcript, source="AUGUSTUS")
        + annotated(
            by_transcript, source="AUGUSTUS", kind=kind_of("single", "initial", "internal", "terminal")
        ),
    ),
    "the same under Parent": (
        "GFF3",
        annotated(gff3)
        + annotated(
            lambda g, i: f"ID=rna{g.number};Parent=gene{g.number}",
            kind=kind_of("single", "initial", "internal", "terminal"),
        ),
    ),
    "AUGUSTUS of old, without CDS": (
        "GTF (AUGUSTUS)",
        annotated(
            by_transcript, source="AUGUSTUS", kind=kind_of("single", "initial", "internal", "terminal")
        ),
    ),
    "GENSCAN": ("GTF", annotated(by_transcript, kind=kind_of("Sngl", "Init", "Intr", "Term"))),
    "FGENESH": ("GTF", annotated(by_transcript, kind=kind_of("CDSo", "CDSf", "CDSi", "CDSl"))),
    "GeneZilla": (
        "GTF",
        annotated(by_transcript, kind=kind_of("single-exon", "initial-exon", "internal-exon", "final-exon")),
    ),
    "coding exons": ("GFF2", annotated(lambda g, i: f'CDS "B.{g.number}"', kind="coding_exon")),
    "SNAP beside another": (
        "GFF2 (SNAP) and GFF3",
        annotated(lambda g, i: f"c.{g.number}", source="SNAP", kind=snap_kind, genes=GENES[:2])
        + annotated(gff3, genes=GENES[2:]),
    ),
    "Derives_from without a Parent": (
        "GFF3",
        annotated(
            lambda g, i: f"ID=c{g.number}.{i};Derives_from=t{g.number}",
            lambda g: [("mRNA", f"ID=t{g.number};Parent=g{g.number}")],
        ),
    ),
    "a comment behind the columns": ("GTF", annotated(lambda g, i: f"{gtf(g, i)}\t# gene {g.number}")),
    "geneid": (
        "GFF2 (geneid)",
        annotated(lambda g, i: f"c_{g.number}", source="geneid_v1.4", kind=geneid_kind),
    ),
    "GFF2 of the Sanger centre": ("GFF2", annotated(lambda g, i: f'CDS "B.{g.number}" ; Note "x"')),
    "GlimmerHMM": (
        "GFF3 (GlimmerHMM)",
        annotated(
            lambda g, i: (
                f"ID=c.cds{g.number}.{i + 1};Parent=c.path1.gene{g.number};Name=gene{g.number};Note=exon"
            ),
            lambda g: [("mRNA", f"ID=c.path1.gene{g.number};Name=gene{g.number}")],
            source="GlimmerHMM",
        ),
    ),
    "EVidenceModeler": (
        "GFF3 (EVidenceModeler)",
        annotated(
            lambda g, i: f"ID=cds.evm.{g.number};Parent=evm.model.{g.number}",
            of_gene_and_mrna("ID=evm.TU.{0};Name=x", "ID=evm.model.{0};Parent=evm.TU.{0}"),
            source="EVM",
        ),
    ),
    "Prokka with mRNAs": (
        "GFF3 (Prokka)",
        annotated(
            lambda g, i: f"ID=K_{g.number};Parent=K_{g.number}_gene,K_{g.number}_mRNA;locus_tag=K_{g.number}",
            of_gene_and_mrna("ID=K_{0}_gene;locus_tag=K_{0}", "ID=K_{0}_mRNA;locus_tag=K_{0}"),
            source="Prodigal:002006",
        ),
    ),
    "BioPerl, phase 1 everywhere": (
        "GFF3 (BioPerl)",
        annotated(
            lambda g, i: f"ID=L{g.number}.p01;Parent=L{g.number}.t01;codon_start=1;product=x",
            of_gene_and_mrna("ID=L{0}", "ID=L{0}.t01;Parent=L{0}"),
            source="GenBank",
            phases="1",
        ),
    ),
    "Geneious": ("GFF3", annotated(lambda g, i: f"Name=gene {g.number} CDS;gene=gene {g.number}")),
    "GTF from a spreadsheet": (
        "GTF",
        annotated(lambda g, i: f'"gene_id ""G{g.number}""; transcript_id ""T{g.number}"";"'),
    ),
    "GFF3 from a spreadsheet": ("GFF3", annotated(lambda g, i: f'"ID=c{g.number};Parent=r{g.number}"')),
    "phases left out": ("GFF3", annotated(gff3, GENE_AND_MRNA, phases=".")),
    "phase 0 on every line": ("GFF3", annotated(gff3, GENE_AND_MRNA, phases="0")),
    "cds": ("GFF3", annotated(gff3, GENE_AND_MRNA, kind="cds")),
    "Cds": ("GTF", annotated(gtf, kind="Cds")),
    "a term of the Sequence Ontology": ("GFF3", annotated(gff3, GENE_AND_MRNA, kind="SO:0000316")),
    "minus strand by position": ("GFF3", annotated(gff3, GENE_AND_MRNA, by_position=True)),
    "GTF, minus strand by position": ("GTF", annotated(gtf, by_position=True, stop="apart")),
    "StopCodonExcluded in GFF3": ("GFF3", annotated(gff3, GENE_AND_MRNA, stop="apart")),
}
