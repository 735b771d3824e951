"""`lifecode optimize` as a user types it, on a tiny model, and from Python."""

import csv

import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import lifecode
from lifecode.app.configs.comma_lists import lists_quoted
from lifecode.app.main import main
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.design.sampler import Sampling
from lifecode.errors import UserError
from tests.support.html_page import Page
from tests.support.small_models import small_model

PROTEINS = {"P1": "MKRISTTITTTITITTGNGAG", "P2": "MSLEFKNDPRW"}
DRAFT = "ATGAAAAGAATATCAACTACAATAACTACAACTATAACAATAACTACTGGAAATGGAGCAGGATAA"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimize")
    small_model(hybrid_ratio="2:0").save_pretrained(folder / "model")
    (folder / "p.fasta").write_text("".join(f">{name} a protein\n{x}\n" for name, x in PROTEINS.items()))
    (folder / "one.fasta").write_text(f">P1\n{PROTEINS['P1']}\n")
    (folder / "cds.fasta").write_text(f">named otherwise\n{DRAFT}\n")
    return folder


def optimize(files, output, *arguments, protein="p.fasta"):
    return main(
        ["optimize", f"protein={files}/{protein}", f"output={output}", f"checkpoint={files}/model",
         "sampling.passes=1", "sampling.mask_fraction=0.5", *arguments]
    )  # fmt: skip


def read(path):
    return {record.id: str(record.seq) for record in SeqIO.parse(path, "fasta")}


def test_designs_a_table_genbank_and_a_page(files, tmp_path, capsys):
    output = tmp_path / "out" / "designs.fasta"
    arguments = ["host=h_sapiens", "n=2", "genbank=true", "constraints.forbidden_sites=EcoRI,BsaI"]
    assert optimize(files, output, *arguments) == 0
    said = capsys.readouterr().out
    assert "host h_sapiens_9606: a table, genetic code 1" in said
    assert "4 designs (4 distinct) for 2 proteins" in said
    designs = read(output)
    assert list(designs) == ["P1|1", "P1|2", "P2|1", "P2|2"]
    for name, dna in designs.items():
        assert lifecode.translate(dna) == PROTEINS[name.partition("|")[0]]
        assert "GAATTC" not in dna  # EF in P2
    with (output.parent / "designs.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["id"] for row in rows[:4]] == ["P1|1", "P1|2", "P1|best_codon", "P1|matched_usage"]
    assert float(rows[2]["cai"]) == 1
    assert float(rows[2]["min_max_mean"]) == pytest.approx(100)
    assert {row["forbidden_sites"] for row in rows if row["kind"] == "design"} == {"0"}
    assert all(float(row["log_likelihood_per_codon"]) < 0 for row in rows)
    records = list(SeqIO.parse(output.with_suffix(".gb"), "genbank"))
    assert [str(record.seq) for record in records] == list(designs.values())
    (feature,) = records[0].features
    assert feature.qualifiers["translation"] == [PROTEINS["P1"]]
    page = Page(output.parent / "report.html")
    assert "Every one of 4 designs translates to its protein" in page.text
    assert "EcoRI, BsaI" in page.text
    assert all(source.startswith("data:") for source in page.loads)
    assert (output.parent / "figures/min_max_1.png").exists()
    assert optimize(files, output, *arguments) == 2
    assert "is there already" in capsys.readouterr().err
    assert read(output) == designs
    assert optimize(files, tmp_path / "again" / "designs.fasta", *arguments) == 0
    assert (tmp_path / "again/designs.tsv").read_bytes() == output.with_suffix(".tsv").read_bytes()


def test_all_files_are_there_or_none(files, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out" / "designs.fasta"

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lifecode.design.files.replacing", full)
        assert optimize(files, output, "host=562", "n=1", protein="one.fasta") == 2
    assert "designs.tsv: cannot be written (No space left on device)" in capsys.readouterr().err
    assert list(output.parent.iterdir()) == []
    assert optimize(files, output, "host=562", "n=1", protein="one.fasta") == 0
    names = {path.name for path in output.parent.iterdir()}
    assert names == {"designs.fasta", "designs.tsv", "report.html", "figures"}


def test_a_draft_whose_codons_are_kept(files, small_genome, tmp_path):
    output = tmp_path / "designs.fa"
    code = optimize(
        files, output, f"host={small_genome}", f"draft={files}/cds.fasta", "keep=1-10,20", "n=3", "stop=true",
        protein="one.fasta",
    )  # fmt: skip
    assert code == 0
    designs = read(output)
    assert len(set(designs.values())) > 1
    for dna in designs.values():
        assert lifecode.translate(dna) == PROTEINS["P1"] + "*"
        assert (dna[:30], dna[57:60]) == (DRAFT[:30], DRAFT[57:60])
    assert "wild type" in Page(tmp_path / "report.html").text


def test_letters_in_place_of_files(files, tmp_path):
    words = [f"protein={PROTEINS['P1']}", f"draft={DRAFT}", "keep=1-20", "n=1", "host=9606"]
    assert main(["optimize", *words, f"output={tmp_path}/d.fasta", f"checkpoint={files}/model"]) == 0
    (dna,) = read(tmp_path / "d.fasta").values()
    assert dna[:60] == DRAFT[:60]


def test_nothing_is_written_after_a_mistake(files, tmp_path, capsys):
    (tmp_path / "bad.fasta").write_text(">b\nMKXL\n")
    (tmp_path / "bare.fa").write_text(">c\nACGTACGTTAGC\n")
    before = sorted(tmp_path.iterdir())
    for said, arguments in {
        "bad.fasta, record b: letter 'X' at position 3 stands for any residue": [
            f"protein={tmp_path}/bad.fasta",
            "host=e_coli",
        ],
        "bare.fa: has no coding sequence": [f"host={tmp_path}/bare.fa"],
        "cannot all be satisfied: ": ["host=e_coli", "constraints.forbidden_sites=ATG,ACC"],
    }.items():
        assert optimize(files, tmp_path / "designs.fasta", *arguments) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]
        assert sorted(tmp_path.iterdir()) == before


def test_mistakes(files, tmp_path, monkeypatch):
    model = small_model(hybrid_ratio="2:0").eval()
    (tmp_path / "twice.fasta").write_text(">b\nMKL\n>b\nMKL\n")
    (tmp_path / "empty.fasta").write_text("")
    (tmp_path / "drafts.fasta").write_text(">protein\nATGAAA\n>protein\nATGAAG\n")
    (tmp_path / "bare.fa").write_text("MKL\n")
    monkeypatch.setattr("lifecode.verbs.optimize.design", None)  # is not reached
    for said, changes in {
        "twice.fasta, record b: two proteins have this name": {"protein": tmp_path / "twice.fasta"},
        "empty.fasta: holds no protein": {"protein": tmp_path / "empty.fasta"},
        "record named: reads like nucleotides": {"protein": files / "cds.fasta"},
        "no_such.fasta: cannot be read": {"protein": tmp_path / "no_such.fasta"},
        "there is no table of 'klingon'": {"host": "klingon"},
        "has no draft": {"keep": "1-3"},
        "is no FASTA file": {"output": tmp_path / "designs.txt"},
        "n: is not positive": {"n": 0},
        "genetic code 99 does not exist": {"genetic_code": 99},
        "holds no sequence of P1, P2": {"draft": tmp_path / "drafts.fasta"},
        "record P1: is a protein, and its coding sequence is wanted": {"draft": files / "p.fasta"},
        "bare.fa, record 1: begins with 'MKL', not with >": {"protein": tmp_path / "bare.fa"},
        "codon 2 has a letter that is not A, C, G or T": {"protein": "MK", "draft": "ATGAAN"},
        "6 nucleotides are not the codons of 2 residues and a stop": {"protein": "MK*", "draft": "ATGAAA"},
        "two sequences have this name": {"protein": "MK", "draft": tmp_path / "drafts.fasta"},
        "9 nucleotides are not the codons of 2 residues": {"protein": "MK", "draft": "ATGAAATGG"},
        "letter 'X' at position 2": {"protein": ["MKL", "MXL"]},
        "draft: nothing of it is used, since sampling.start=masked": {
            "protein": "MK",
            "draft": "ATGAAA",
            "sampling": Sampling(start="masked"),
        },
    }.items():
        arguments = {"protein": files / "p.fasta", "host": "e_coli", "progress": False, **changes}
        with pytest.raises(UserError, match=said):
            lifecode.optimize(model, **arguments)


def test_from_python(files):
    model = small_model(hybrid_ratio="2:0").eval()
    given = {"host": "e_coli", "n": 2, "progress": False}
    designs = lifecode.optimize(model, PROTEINS["P1"], draft=DRAFT, keep="1-10,20", **given)
    assert list(designs.dna) == ["protein|1", "protein|2"]
    for dna in designs.dna.values():
        assert lifecode.translate(dna) == PROTEINS["P1"]
        assert dna[:30] == DRAFT[:30]
        assert dna[57:60] == DRAFT[57:60]
    frame = designs.frame.set_index("id")
    assert frame.loc["protein|wild_type", "codons_unlike_wild_type"] == 0
    assert frame.loc["protein|wild_type", "sequence"] == DRAFT[:-3]
    assert frame.loc["protein|1", "codons_unlike_wild_type"] > 0
    stopped = lifecode.optimize(model, PROTEINS["P1"], stop=True, draft=DRAFT, keep=22, **given)
    assert all(dna.endswith("TAA") for dna in stopped.dna.values())
    several = lifecode.optimize(model, [PROTEINS["P2"], "MKK*"], **given)
    assert list(several.dna)[::2] == ["protein_1|1", "protein_2|1"]
    assert lifecode.translate(several.dna["protein_2|1"]) == "MKK*"
    assert several.frame["min_max_mean"].isna().all()  # shorter than a window
    with pytest.raises(UserError, match="codon 2 spells R, and the protein has K"):
        lifecode.optimize(model, "MKK", draft="ATGCGAAAA", **given)


def test_drafts_without_the_names_of_their_proteins(files, tmp_path):
    model = small_model(hybrid_ratio="2:0").eval()
    given = {"host": "e_coli", "n": 1, "progress": False, "sampling": Sampling(passes=1, mask_fraction=1.0)}
    by_order = lifecode.optimize(model, ["MK", "ML"], draft=["ATGAAA", "ATGTTA"], keep=[1, 2], **given)
    assert by_order.dna == {"protein_1|1": "ATGAAA", "protein_2|1": "ATGTTA"}
    (tmp_path / "drafts.fasta").write_text(f">x\n{DRAFT}\n>y\nATGTTATAA\n>z\nATGTTA\n")
    spelt = lifecode.optimize(model, files / "p.fasta", draft=tmp_path / "drafts.fasta", **given)
    assert [one.protein for one in spelt.sequences if one.kind == "wild_type"] == ["P1"]
    with pytest.raises(UserError, match="record protein: two sequences have this name or spell this protein"):
        lifecode.optimize(model, "ML", draft=tmp_path / "drafts.fasta", **given)
    unnamed = lifecode.optimize(model, [SeqRecord(Seq("MK")), SeqRecord(Seq("ML"))], **given)
    assert list(unnamed.dna) == ["protein_1|1", "protein_2|1"]


def test_genbank_names_are_unique_and_designs_read_back(files, tmp_path):
    model = small_model(hybrid_ratio="2:0").eval()
    names = ["sp|P62593|BLAT_ECOLX", "tr|A0A0|BLAT_ECOLX_AND_MORE", "tr|A0A1|BLAT_ECOLX_AND_MORE"]
    (tmp_path / "p.fasta").write_text("".join(f">{name}\nMKL*\n" for name in names))
    lifecode.optimize(
        model, tmp_path / "p.fasta", "e_coli", tmp_path / "d" / "d.fasta", n=2, genbank=True, progress=False
    )
    records = list(SeqIO.parse(tmp_path / "d" / "d.gb", "genbank"))
    assert len({record.name for record in records}) == 6
    assert records[0].name == "BLAT_ECOLX_1"
    verdicts = [one for contig in lifecode.read_records(tmp_path / "d/d.gb") for one in verify_all(contig)]
    assert [type(one) for one in verdicts] == [ExactPair] * 6


def test_an_alternative_start_codon_may_be_a_draft_but_is_not_kept():
    model = small_model(hybrid_ratio="2:0").eval()
    given = {"host": "e_coli", "genetic_code": 11, "n": 1, "progress": False, "draft": "GTGAAAAAA"}
    designs = lifecode.optimize(model, "MKK", **given)
    assert designs.dna["protein|1"].startswith("ATG")
    with pytest.raises(UserError, match="as a start codon only"):
        lifecode.optimize(model, "MKK", keep="1", **given)


def test_lists_with_commas_are_no_sweep():
    given = ["keep=1-10,40", "constraints.fixed_codons=2:AAA", "n=2", "keep=[1,2]", "keep='1,2'", "keep=4"]
    quoted = ["keep='1-10,40'", "constraints.fixed_codons='2:AAA'", *given[2:]]
    assert lists_quoted("optimize", given) == quoted
    assert lists_quoted("train", given) == given
