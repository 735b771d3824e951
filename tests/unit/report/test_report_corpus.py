"""The page of a corpus: what it says, that it is one file, and that it reads well where there is little."""

import base64
import shutil
from collections import Counter

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lifecode.alphabet import CODONS
from lifecode.data import BlockSplit, Corpus, prepare_corpus
from lifecode.data.cds.codon_usage import FIGURE_6_ORGANISMS, kazusa_usage, relative_usage
from lifecode.data.splits.split import ContigSplit
from lifecode.data.statistics import composition as composition_module
from lifecode.errors import UserError
from lifecode.report.charts.codons.codon_comparison import codon_rows, compare_codon_usage
from lifecode.report.charts.codons.codon_usage_chart import codon_usage_chart
from lifecode.report.charts.distributions import Panel, gc_histograms, length_histograms
from lifecode.report.corpus.left_out import REJECTED, LeftOut, left_out, left_out_chart
from lifecode.report.corpus.page import write_corpus_report
from lifecode.report.corpus.tables import gc_rows, length_rows, organism_sentence
from lifecode.report.run.html import write_report
from tests.support.html_page import Page
from tests.support.segment_tables import write_table

WHOLE = BlockSplit(validation=0, test=0)
GENES = (("ATGAAAAAGTAA", "MKK"), ("ATGGCTGCCGCCTGA", "MAAA"))


@pytest.fixture
def genome(tmp_path):
    """Writes a GenBank file of genes on one contig, each with its protein and what else qualifies it."""

    def write(genes, code=11, organism="Testus handi"):
        dna, features = "", f'     source          1..9\n                     /organism="{organism}"\n'
        for number, (gene, protein, *qualifiers) in enumerate(genes):
            lines = [f'/locus_tag="L{number}"', f"/transl_table={code}", f'/translation="{protein}"']
            features += f"     CDS             {len(dna) + 1}..{len(dna) + len(gene)}\n"
            features += "".join(f"{'':21}{line}\n" for line in [*lines, *qualifiers])
            dna += gene
        origin = "".join(f"{i + 1:>9} {dna[i : i + 60].lower()}\n" for i in range(0, len(dna), 60))
        path = tmp_path / "hand.gb"
        path.write_text(
            f"LOCUS       HAND.1 {len(dna)} bp    DNA     linear   UNK 01-JAN-2000\nVERSION     HAND.1\n"
            f"FEATURES             Location/Qualifiers\n{features}ORIGIN\n{origin}//\n"
        )
        return path

    return write


@pytest.fixture
def page_of(tmp_path):
    def prepare(source, **settings):
        corpus = prepare_corpus(source, tmp_path / "corpus", **{"split": WHOLE, **settings})
        return Page(write_corpus_report(corpus))

    return prepare


@pytest.fixture
def corpus(small_corpus, tmp_path):
    """The small corpus, in a folder that a page may be written into."""
    return Corpus.open(shutil.copytree(small_corpus.folder, tmp_path / "small"))


def test_a_corpus_by_hand(genome, page_of):
    page = page_of(genome([*GENES, ("ATGTGATAA", "M", "/pseudo"), ("ATGAAATAA", "MW"), ("ATGCCCTAA", "MW")]))
    for words in (
        "Corpus corpus 2 of 5 coding sequences are exact CDS-protein pairs",
        "contigs 1 nucleotides 54 CDS 5 exact CDS-protein pairs 2 rejected 3",
        "train 2 9 1 54",
        "CDS in codons, the stop included 2 4 4.5 4.5 5",
        "DNA regions in nucleotides; a region is a stretch of a contig, all of one split 1 54 54 54 54",
        "CDS 44.4 19.2 41.7 64.2",  # 2 of 12 and 10 of 15
        "CDS, third positions of the codons, stops included (GC3) 55.6 50.5 55.0 59.5",  # 2 of 4 and 3 of 5
        "in 9 codons of the CDS, stops included, grouped by genetic code 11 (Bacterial)",
        "All 2 CDS are of Testus handi.",
        "Lys AAA 1 50.0 76 58 30 43 AAG 1 50.0 24 42 70 57",
        "Ala GCA 0 0.0 21 29 17 23 GCC 2 66.7 27 22 45 40 GCG 0 0.0 36 11 19 11 GCT 1 33.3 16 38 19 27",
        "Cys TGC 0 56 37 71 54",
        "translation differs rejected 2 L3 on HAND.1",
        "pseudo rejected 1 L2 on HAND.1 marked as a pseudogene",
    ):
        assert words in page.text
    assert "dropped by the split" not in page.text
    assert "sample" not in page.text


def test_the_difference_is_that_of_the_tables(genome, page_of):
    page = page_of(genome(GENES))
    for name, table in FIGURE_6_ORGANISMS.items():
        share_of = dict(zip(CODONS, kazusa_usage(table), strict=True))
        ours = {"AAA": 0.5, "AAG": 0.5, "GCA": 0, "GCC": 2 / 3, "GCG": 0, "GCT": 1 / 3}
        ours |= {"TAA": 0.5, "TAG": 0, "TGA": 0.5}
        difference = np.mean([abs(share - share_of[codon]) for codon, share in ours.items()])
        assert f"{table} {100 * difference:.1f}" in page.text
        assert name in page.text


def test_everything_is_inside_the_file(corpus):
    path = write_corpus_report(corpus)
    page = Page(path)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert page.tags.count("img") == len(page.loads) == 4
    source = path.read_text()
    assert not any(loader in source for loader in ("http://", "https://", "url(", "@import"))
    files = [path.parent / "figures" / f"{name}.png" for name in ("lengths", "gc_content", "codon_usage")]
    embedded = [base64.b64decode(load.partition(",")[2]) for load in page.loads]
    assert embedded[:3] == [file.read_bytes() for file in files]


def test_the_page_is_no_part_of_the_corpus_and_the_same_every_time(corpus, small_genome):
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    pages = []
    for _ in range(2):
        pages.append(write_corpus_report(corpus).read_bytes())
        corpus = prepare_corpus(small_genome, corpus.folder, split=split)
        corpus.check_files()
        assert not any("figures" in entry["path"] for entry in corpus.manifest["files"])
    assert pages[0] == pages[1]
    assert [path.name for path in corpus.folder.iterdir() if path.name.startswith(".")] == []


def test_what_a_real_corpus_says(corpus):
    page = Page(write_corpus_report(corpus))
    report = corpus.report
    assert f"nucleotides 60,000 CDS {report['cds']['total']}" in page.text
    for counts in report["splits"].values():
        assert f"{counts['cds']} {counts['cds_codons']:,} {counts['dna_regions']}" in page.text
    assert "E. coli nearest" in page.text
    for reason in left_out(corpus):
        assert 1 <= len(reason.examples) <= 3
        assert len(reason.examples) == min(3, reason.count)
        assert all(example.id in page.text for example in reason.examples)


@pytest.mark.parametrize(
    ("split", "caption"),
    [
        (ContigSplit(validation=["b"], test=["c"]), "Splits, of whole contigs"),
        (BlockSplit(block_nucleotides=300), "Splits, by blocks of at most 300 nucleotides"),
    ],
)
def test_the_splits_are_said_to_be_what_they_are(tmp_path, split, caption):
    """On the page of the corpus, and on that of a run on it."""
    draw = np.random.default_rng(0)
    contigs = {name: "".join("ACGT"[i] for i in draw.integers(0, 4, 3000)) for name in "abc"}
    fasta = tmp_path / "three.fa"
    fasta.write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
    corpus = prepare_corpus(f"genome:{fasta}", tmp_path / "corpus", split=split, require_pairs=False)
    run = write_report(tmp_path / "run", {"data": corpus.report}, name="run")
    for page in (write_corpus_report(corpus), run):
        assert f"{caption} split" in Page(page).text
        assert Page(page).text.count("Splits, ") == 1


def test_without_coding_sequences(tmp_path, page_of):
    (tmp_path / "bare.fa").write_text(">one\n" + "ACGGN" * 300)
    page = page_of(tmp_path / "bare.fa", require_pairs=False)
    for words in (
        "No coding sequences: nucleotides alone",
        "The corpus has no coding sequences, so there are no codons to compare.",
        "Nothing: no CDS was annotated.",
        "1 1,500 1,500 1,500 1,500",
        "75.0 75.0 75.0 75.0",
    ):
        assert words in page.text
    assert "nan" not in page.text.split("Use it")[0]
    assert "split DNA regions nucleotides train 1 1,500 validation 0 0 test 0 0" in page.text
    assert page.tags.count("img") == 1


def test_without_anything_left_out(genome, page_of):
    page = page_of(genome(GENES))
    assert "Nothing: every CDS is an exact pair and lies in one split." in page.text
    assert "rejected" not in page.text


def test_another_genetic_code_is_not_compared_with_the_tables(genome, page_of):
    page = page_of(genome([("ATGTGATGGTAA", "MWW")], code=4))
    assert "grouped by genetic code 4 (Mold Mitochondrial)" in page.text
    assert "This code reads some codons otherwise than the standard one" in page.text
    assert "Trp TGA 1 50.0 TGG 1 50.0" in page.text
    assert not any(table in page.text for table in FIGURE_6_ORGANISMS.values())


def test_codons_of_other_codes_are_counted_apart():
    counts = np.ones(64, dtype=np.int64)
    comparison = compare_codon_usage({1: 2 * counts, 11: counts, 4: counts, 5: 0 * counts})
    assert comparison.genetic_code_number == 1
    assert comparison.counts.sum() == 192
    assert comparison.other_codons == {4: 64}
    assert compare_codon_usage({1: 0 * counts}) is None


def test_codons_without_a_synonym_differ_from_nothing():
    counts = np.zeros(64, dtype=np.int64)
    counts[CODONS.index("ATG")] = 7
    comparison = compare_codon_usage({1: counts})
    assert (comparison.differences, comparison.nearest) == ({}, None)


def test_every_codon_has_a_row():
    rows = codon_rows(compare_codon_usage({1: np.arange(64)}))
    assert sorted(row.codon for row in rows) == sorted(CODONS)
    assert sum(row.synonyms for row in rows) == 64
    assert [row.residue for row in rows if row.synonyms][-1] == "Stop"


def test_a_sample_is_said_to_be_one(corpus, monkeypatch):
    monkeypatch.setattr(composition_module, "_STRETCH", 2_000)
    page = Page(write_corpus_report(corpus, max_nucleotides=20_000))
    assert "A sample, in stretches spread evenly over each split: " in page.text
    assert " of 60,000 nucleotides of DNA regions." in page.text
    assert " nucleotides of CDS; " in page.text
    assert "A sample" not in Page(write_corpus_report(corpus, max_nucleotides=60_000)).text


def test_transcripts_have_their_rows(tmp_path):
    measured = {"rna": composition_module.composition([write_table(tmp_path, "rna", ["ACGT", "GGGGGG"])])}
    assert [tuple(row) for row in length_rows(measured)] == [
        ("Transcripts", "in nucleotides", ("2", "4", "5", "5", "6"))
    ]
    assert [row.label for row in gc_rows(measured)] == ["Transcripts"]


@pytest.mark.parametrize(
    ("organisms", "sentence"),
    [
        ({}, "The files name no organism."),
        ({None: 4}, "The files name no organism."),
        ({"Homo sapiens": 1234}, "All 1,234 CDS are of Homo sapiens."),
        ({"a": 1, "b": 3, None: 2}, "The 6 CDS by organism: b (3), a (1), not named (2)."),
        (
            {letter: 9 - i for i, letter in enumerate("abcdefg")},
            "The 42 CDS by organism: a (9), b (8), c (7), d (6), e (5), 2 more (7).",
        ),
    ],
)
def test_organisms(organisms, sentence):
    assert organism_sentence(Counter(organisms)) == sentence


def test_skipped_records_are_listed(corpus):
    corpus.report["skipped"] = {"malformed": 3}
    page = Page(write_corpus_report(corpus))
    assert "skipped records 3 malformed 3" in page.text
    assert "malformed skipped records 3" in page.text


def test_names_are_text_not_markup(genome, page_of):
    evil = "<script>alert(1)</script>"
    page = page_of(genome([*GENES, ("ATGTGATAA", "M", "/pseudo", f'/protein_id="{evil}"')], organism=evil))
    assert "script" not in page.tags
    assert page.text.count(evil) == 2


def test_a_folder_that_cannot_be_written_is_named(corpus):
    (corpus.folder / "figures").touch()
    with pytest.raises(UserError, match="small: cannot write the report"):
        write_corpus_report(corpus)


def test_the_chart_shows_every_share_once():
    counts = np.arange(1, 65)
    ours = relative_usage(counts, 1)
    organisms = {name: kazusa_usage(table) for name, table in FIGURE_6_ORGANISMS.items()}
    figure = codon_usage_chart(ours, organisms, 1)
    upper, lower = figure.axes
    order = [label.get_text() for axes in figure.axes for label in axes.get_xticklabels()]
    assert sorted(order) == sorted(CODONS)
    assert len(upper.get_xticks()) == len(lower.get_xticks()) == 32
    codons = [CODONS.index(codon) for codon in order]
    bars = [bar.get_height() for axes in figure.axes for bar in axes.containers[0]]
    np.testing.assert_allclose(bars, 100 * ours[codons])
    for number, usage in enumerate(organisms.values()):
        marks = np.concatenate([axes.get_lines()[number].get_ydata() for axes in figure.axes])
        np.testing.assert_allclose(marks, 100 * usage[codons])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["this corpus", *FIGURE_6_ORGANISMS]


def test_histograms_count_every_value_once():
    values = np.array([3, 3, 30, 90, 3000])
    (axes,) = length_histograms([Panel("CDS", "codons", "number", values)]).axes
    assert axes.get_xscale() == "log"
    assert sum(bar.get_height() for bar in axes.patches) == 5
    assert axes.get_lines()[0].get_xdata()[0] == 30
    for gc in ([0.0, 0.05, 1.0], [0.5], [0.42, 0.47]):
        (axes,) = gc_histograms([Panel("CDS", "%", "number", np.array(gc))]).axes
        assert sum(bar.get_height() for bar in axes.patches) == len(gc)
        assert axes.get_xlim()[0] <= 100 * min(gc) <= 100 * max(gc) <= axes.get_xlim()[1]


def test_bars_of_what_was_left_out_carry_their_counts():
    reasons = [LeftOut("pseudo", REJECTED, 1700, ()), LeftOut("border", "dropped by the split", 3, ())]
    (axes,) = left_out_chart(reasons).axes
    assert [bar.get_width() for bar in axes.patches] == [1700, 3]
    assert len({to_hex(bar.get_facecolor()) for bar in axes.patches}) == 2
    assert [text.get_text() for text in axes.texts] == ["1,700", "3"]
    assert axes.yaxis_inverted()
