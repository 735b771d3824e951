"""Labels of proteins in LucaOne's rows: keywords, sites and order of Swiss-Prot, matches of InterPro."""

import gzip
import re
from collections import Counter

import pytest

from lifecode.data.reading.read import ReadingSettings
from lifecode.datasets.luca_one import RowSettings, RowSources, rows_of
from lifecode.datasets.luca_one.records.interpro import Entries, interpro_spans
from lifecode.datasets.luca_one.records.left_out import LeftOut
from lifecode.datasets.luca_one.records.orders import Orders
from lifecode.datasets.luca_one.records.reading import read_sources
from lifecode.errors import UserError
from tests.support.luca_records import swissprot

PROTEIN = "MKRISTTITTTITITTGNGAG"
ENTRIES = (
    "ENTRY_AC\tENTRY_TYPE\tENTRY_NAME\nIPR000001\tDomain\tD\nIPR000002\tHomologous_superfamily\tH\n"
    "IPR000003\tActive_site\tA\nIPR000004\tPTM\tP\nIPR000005\tFamily\tF\nIPR000006\tDomain\tE\n"
)
MD5 = "0" * 32


@pytest.fixture
def files(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    write("entry.list", ENTRIES)
    return write


def read(file, **more):
    return read_sources(RowSources(input=file, **more), ReadingSettings())


def test_an_entry_of_swiss_prot_says_keywords_sites_and_order(files):
    features = [
        ("ACT_SITE", "5"),
        ("BINDING", "3..7"),
        ("METAL", "9"),
        ("DISULFID", "10..15"),
        ("MOD_RES", "1"),
        ("SITE", "12..13"),
        ("HELIX", "1..9"),
        ("BINDING", "?..7"),
        ("LIPID", "P12345-2:4"),
    ]
    file = files(
        "one.dat",
        swissprot("P12345", PROTEIN, keywords="Zinc {ECO:0000255|H:M}; ATP-binding", features=features),
    )
    (row,) = rows_of(file)
    assert (row.id, row.molecule, row.sequence) == ("P12345", "protein", PROTEIN)
    assert row.labels == {"prot_taxonomy": "Enterobacterales", "prot_keyword": ("ATP-binding", "Zinc")}
    assert row.spans == {
        "prot_site": [
            (2, 6, "BINDING"),
            (11, 12, "SITE"),
            (0, 0, "MOD_RES"),
            (4, 4, "ACT_SITE"),  # later than the binding site that it lies in
            (8, 8, "BINDING"),
            (9, 9, "DISULFID"),
            (14, 14, "DISULFID"),
        ]
    }
    reasons = read(file).left_out.reasons
    assert reasons == {"site_at_no_known_place": 1, "site_of_another_isoform": 1}


EVIDENCE = (
    "Amino-acid biosynthesis {ECO:0000256|ARBA:ARBA00022605,\nKW   ECO:0000256|HAMAP-\nKW   Rule:MF_00300};\n"
    "KW   Pyridine nucleotide-\nKW   binding {ECO:1}; Reference proteome {ECO:2};\nKW   Zinc"
)


def test_keywords_whose_evidence_goes_over_several_lines(files):
    """As TrEMBL has them: neither the beginning nor the end of the evidence is a keyword."""
    (row,) = rows_of(files("one.dat", swissprot("P1", PROTEIN, keywords=EVIDENCE)))
    expected = ("Amino-acid biosynthesis", "Pyridine nucleotide-binding", "Reference proteome", "Zinc")
    assert row.labels["prot_keyword"] == expected


def test_lineages_over_several_lines(files):
    lineage = "Bacteria; Cyanobacteriota/Melainabacteria\nOC   group; Chroococcales; X."
    text = swissprot("P1", PROTEIN, lineage=lineage)
    (labelled,) = read(files("one.dat", text)).proteins
    assert labelled.protein.lineage == (
        "Bacteria",
        "Cyanobacteriota/Melainabacteria group",
        "Chroococcales",
        "X",
    )


@pytest.mark.parametrize("place", ["?5", "3..?5", "?3..5", "?", "<1..5", "5..>21"])
def test_a_place_that_is_doubted_is_no_site(files, place):
    file = files("one.dat", swissprot("P1", PROTEIN, features=[("BINDING", place), ("ACT_SITE", "7")]))
    assert read(file).proteins[0].protein.sites == ((6, 6, "ACT_SITE"),)
    assert read(file).left_out.reasons == {"site_at_no_known_place": 1}


def test_features_of_the_old_layout(files):
    lines = (
        "FT   SIGNAL        1      ?       Potential.\nFT   METAL         9      9       Zinc (By\n"
        "FT                                similarity).\nFT   NP_BIND       ?3      7       ATP.\n"
        "FT   DISULFID     10     15\n"
    )
    text = swissprot("P1", PROTEIN).replace("SQ   ", f"{lines}SQ   ")
    (labelled,) = read(files("old.dat", text)).proteins
    assert labelled.protein.sites == ((8, 8, "BINDING"), (9, 9, "DISULFID"), (14, 14, "DISULFID"))


def test_an_entry_without_any_labels_is_a_row_without(files):
    (row,) = rows_of(files("one.dat", swissprot("Q1", PROTEIN, lineage="Bacteria; environmental samples.")))
    assert (row.spans, row.labels, row.coordinates) == ({}, {}, None)


def test_a_longer_protein_keeps_its_first_residues(files):
    file = files("one.dat", swissprot("Q1", PROTEIN, features=[("SITE", "9..14"), ("SITE", "12")]))
    (row,) = rows_of(file, RowSettings(max_letters=10))
    assert row.sequence == PROTEIN[:10]
    assert row.spans == {"prot_site": [(8, 9, "SITE")]}


def test_a_damaged_entry_stops_or_is_counted(files):
    text = swissprot("Q1", PROTEIN) + swissprot("Q2", PROTEIN).replace("21 AA;", "22 AA;")
    file = files("two.dat", text)
    with pytest.raises(UserError, match=r"two\.dat, record entry 2: Q2 states 22 residues and has 21"):
        read(file)
    records = read_sources(RowSources(input=file), ReadingSettings(on_malformed="skip"))
    assert [one.protein.id for one in records.proteins] == ["Q1"]
    assert records.left_out.reasons == {"malformed_record": 1}


def test_a_protein_that_is_given_twice_counts_once(files):
    flat = files("one.dat", swissprot("P12345", PROTEIN, keywords="Zinc"))
    fasta = files("more.fasta", f">sp|P12345|A_B Hand made\n{PROTEIN}\n>other\nMEEPQSDPSV\n")
    records = read([flat, fasta])
    assert [one.protein.id for one in records.proteins] == ["P12345", "other"]
    assert records.proteins[0].protein.keywords == ("Zinc",)
    assert records.left_out.listed == [("P12345", "protein_of_a_name_given_before", "more.fasta")]
    (other_way, _) = read([fasta, flat]).proteins
    assert other_way.protein.keywords == ("Zinc",)


PROTEIN2IPR = (
    "P0\tIPR000001\tD\tPF00001\t1\t3\nP1\tIPR000001\tD\tPF00001\t2\t9\nP1\tIPR000006\tE\tPS50001\t5\t8\n"
    "P1\tIPR000002\tH\tSSF00001\t1\t21\nP1\tIPR000003\tA\tPS00001\t4\t6\nP1\tIPR000005\tF\tPTHR1\t1\t21\n"
    "P1\tIPR999999\tX\tPF00002\t1\t2\nP1\tIPR000001\tD\tPF00001\t20\t22\n"
)
SCAN = (
    f"sp|P1|A_B\t{MD5}\t21\tPfam\tPF00001\td\t2\t9\t1e-5\tT\t01-01-2024\tIPR000001\tD\n"
    f"sp|P1|A_B\t{MD5}\t21\tProSiteProfiles\tPS50001\td\t5\t8\t-\tT\t01-01-2024\tIPR000006\tE\t-\t-\n"
    f"sp|P1|A_B\t{MD5}\t21\tSUPERFAMILY\tSSF00001\t-\t1\t21\t0.1\tT\t01-01-2024\tIPR000002\tH\n"
    f"sp|P1|A_B\t{MD5}\t21\tProSitePatterns\tPS00001\td\t4\t6\t-\tT\t01-01-2024\tIPR000003\tA\n"
    f"sp|P1|A_B\t{MD5}\t21\tMobiDBLite\tmobidb-lite\td\t1\t5\t-\tT\t01-01-2024\t-\t-\n"
    f"sp|P1|A_B\t{MD5}\t21\tCoils\tCoil\td\t1\t5\t-\tT\t01-01-2024\n"
    f"sp|P1|A_B\t{MD5}\t40\tPfam\tPF00001\td\t2\t9\t1e-5\tT\t01-01-2024\tIPR000001\tD\n"
)
SPANS = {
    "prot_domain": [
        (1, 8, "IPR000001"),
        (4, 7, "IPR000006"),
    ],  # PROSITE is preferred to Pfam, so it comes later
    "prot_homo": [(0, 20, "IPR000002")],
    "prot_site": [(3, 5, "IPR000003")],
}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (
            PROTEIN2IPR,
            {
                "interpro_match_of_no_protein_given": 1,
                "interpro_type_without_task": 1,
                "interpro_entry_not_listed": 1,
                "interpro_match_of_another_sequence": 1,
            },
        ),
        (SCAN, {"interpro_match_without_entry": 2, "interpro_match_of_another_sequence": 1}),
    ],
)
def test_matches_of_interpro_become_spans(files, text, reasons):
    left_out = LeftOut()
    entries = Entries.read(files("entry.list", ENTRIES))
    found = interpro_spans([files("matches.tsv", text)], entries, {"P1": 21}, left_out)
    assert found == {"P1": SPANS}
    assert left_out.reasons == reasons


def test_the_preferred_database_counts_wherever_two_overlap(files):
    """Whichever is the longer, and whichever the file has first."""
    text = "P1\tIPR000006\tE\tPS50001\t1\t20\nP1\tIPR000001\tD\tPF00001\t3\t9\n"
    entries = Entries.read(files("entry.list", ENTRIES))
    found = interpro_spans([files("m.dat", text)], entries, {"P1": 21}, LeftOut())
    assert found["P1"]["prot_domain"] == [(2, 8, "IPR000001"), (0, 19, "IPR000006")]


@pytest.mark.parametrize(
    ("sites", "labels"),
    [("both", ["IPR000003", "ACT_SITE"]), ("interpro", ["IPR000003"]), ("swissprot", ["ACT_SITE"])],
)
def test_sites_of_one_source_or_both(files, tmp_path, sites, labels):
    sources = RowSources(
        input=files("one.dat", swissprot("P1", PROTEIN, features=[("ACT_SITE", "5")])),
        interpro=[files("matches.tsv", PROTEIN2IPR)],
        interpro_entries=tmp_path / "entry.list",
    )
    (row,) = rows_of(sources, RowSettings(sites=sites))
    assert [label for _, _, label in row.spans["prot_site"]] == labels
    assert row.spans["prot_domain"] == SPANS["prot_domain"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("P1\tIPR1\tD\tPF1\t2\n", "5 columns"),
        ("P1\tIPR1\tD\tPF1\ttwo\t9\n", "two"),
        ("P1\tIPR1\tD\tPF1\t9\t2\n", "9 to 2 is no stretch"),
    ],
)
def test_a_line_that_is_no_match_is_named(files, line, said):
    entries = Entries.read(files("entry.list", ENTRIES))
    with pytest.raises(UserError, match=rf"matches\.tsv, line 2: is no match of InterPro .*{said}"):
        interpro_spans([files("matches.tsv", "# head\n" + line)], entries, {"P1": 21}, LeftOut())


def test_matches_need_the_types_of_entries(files):
    with pytest.raises(UserError, match=r"interpro: .*Give interpro_entries=entry\.list"):
        read(files("one.dat", swissprot("P1", PROTEIN)), interpro=[files("matches.tsv", PROTEIN2IPR)])
    with pytest.raises(UserError, match="no line with the accession and the type"):
        Entries.read(files("empty.list", "nothing\n"))


@pytest.mark.parametrize(
    ("lineage", "order"),
    [
        (
            "Bacteria; Pseudomonadota; Gammaproteobacteria; Enterobacterales; Enterobacteriaceae",
            "Enterobacterales",
        ),
        ("Eukaryota; Metazoa; Chordata; Mammalia; Primates; Haplorrhini; Simiiformes; Hominidae", "Primates"),
        ("Eukaryota; Metazoa; Actinopterygii; Cypriniformes; Danionidae; Danio", "Cypriniformes"),
        ("Eukaryota; Arthropoda; Arachnida; Acari; Parasitiformes; Ixodida; Ixodidae; Ixodes", "Ixodida"),
        ("Eukaryota; Arthropoda; Arachnida; Acari; Acariformes; Sarcoptiformes", "Sarcoptiformes"),
        ("Eukaryota; Mollusca; Cephalopoda; Coleoidea; Decapodiformes; Sepiida; Sepia", "Sepiida"),
        ("Eukaryota; Mollusca; Cephalopoda; Coleoidea; Octopodiformes; Octopoda; Octopus", "Octopoda"),
        ("Eukaryota; Chordata; Tunicata; Ascidiacea; Phlebobranchia; Cionidae; Ciona", "Phlebobranchia"),
        ("Viruses; Duplodnaviria; Caudoviricetes; Herpesvirales", "Herpesvirales"),
        ("Bacteria; Candidatus Cryosericales", "Candidatus Cryosericales"),
        ("Eukaryota; Viridiplantae; eudicotyledons; core eudicotyledons; Gunneridae", None),
        ("Eukaryota; Sar; Alveolata; Apicomplexa; Aconoidasida; Haemosporida; Plasmodiidae", "Haemosporida"),
        ("", None),
    ],
)
def test_an_order_is_told_by_its_name(lineage, order):
    assert Orders().order_of(lineage.split("; ")) == order


def test_orders_of_the_taxonomy_or_of_a_list(tmp_path):
    (tmp_path / "nodes.dmp").write_text(
        "1\t|\t1\t|\tno rank\t|\n7\t|\t1\t|\torder\t|\n8\t|\t7\t|\tfamily\t|\n"
    )
    (tmp_path / "names.dmp").write_text(
        "7\t|\tStrangeones\t|\t\t|\tscientific name\t|\n7\t|\told\t|\t\t|\tsynonym\t|\n"
        "8\t|\tFalsales\t|\t\t|\tscientific name\t|\n"
    )
    assert Orders.read(tmp_path).order_of(["Falsales", "Strangeones", "old"]) == "Strangeones"
    (tmp_path / "orders.txt").write_text("Falsales\n\nold\n")
    assert Orders.read(tmp_path / "orders.txt").order_of(["Strangeones", "old"]) == "old"
    with pytest.raises(UserError, match="no such file or folder"):
        Orders.read(tmp_path / "absent")
    (tmp_path / "orders.txt").write_text("\n")
    with pytest.raises(UserError, match="names no order"):
        Orders.read(tmp_path / "orders.txt")


def test_100_entries_of_swiss_prot(shared_data):
    """Keywords and sites counted in the lines of the file."""
    path = shared_data("proteins/swissprot_100.dat.gz")
    with gzip.open(path, "rt") as file:
        entries = file.read().split("\n//\n")[:-1]
    keywords: Counter[str] = Counter()
    sites: Counter[str] = Counter()
    for entry in entries:
        text = " ".join(line[5:].strip() for line in entry.splitlines() if line.startswith("KW   "))
        keywords.update(word.strip() for word in text.rstrip(".").split(";") if word.strip())
        keys = {("METAL", "BINDING"), ("NP_BIND", "BINDING"), ("CA_BIND", "BINDING")}
        found = set()
        for key, first, last in re.findall(r"\nFT   (\w+) +(\d+) +(\d+)(?= |\n)", entry):
            label = dict(keys).get(key, key)
            if label in ("ACT_SITE", "BINDING", "SITE", "MOD_RES", "LIPID", "CARBOHYD"):
                found.add((first, last, label))
            elif label in ("DISULFID", "CROSSLNK"):
                found |= {(end, end, label) for end in (first, last)}
        sites.update(label for _, _, label in found)
    rows = list(rows_of(path))
    whole = read(path).proteins
    assert Counter(word for row in rows for word in row.labels.get("prot_keyword") or ()) == keywords
    assert Counter(label for one in whole for *_, label in one.protein.sites) == sites
    assert sum("prot_taxonomy" in row.labels for row in rows) == 99
    assert len(rows) == len(entries) == 100
    assert max(len(row.sequence) for row in rows) == 1278
