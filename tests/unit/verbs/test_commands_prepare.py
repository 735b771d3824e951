"""`lifecode prepare`: the census it prints and the mistakes it names."""

import pytest

from lifecode.app.main import main
from lifecode.data import Corpus


@pytest.fixture
def prepare(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["prepare", *arguments])
        return code, *capsys.readouterr()

    return run


def test_a_fasta_file_becomes_a_corpus(prepare, tmp_path):
    (tmp_path / "größe.fa").write_text(">a\n" + "ACGTTGCA" * 1500 + "\n")
    code, out, err = prepare("input=größe.fa", "output=out", "data.require_pairs=false")
    assert (code, err) == (0, "")
    assert "12,000" in out
    assert "The corpus is in out" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["größe.fa", "out"]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"manifest.json", "report.json", "report.html", "shards"} <= written


def test_the_page_is_written_again_for_a_corpus_that_is_there(prepare, tmp_path):
    (tmp_path / "a.fa").write_text(">a\n" + "ACGTTGCA" * 1500 + "\n")
    arguments = ("input=a.fa", "output=out", "data.require_pairs=false")
    assert "The report is in out/report.html" in prepare(*arguments)[1]
    page = (tmp_path / "out" / "report.html").read_bytes()
    (tmp_path / "out" / "report.html").unlink()
    assert prepare(*arguments)[0] == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["input=nowhere.fa"], "nowhere.fa: no such file"),
        (["input=5"], "5: no such file"),
        (["seed=x"], "seed: is 'x', expected integer"),
        (["data.split.test=ten"], "data.split.test: is 'ten', expected number"),
        (["data.split.tset=0.1"], "no config key 'data.split.tset'. Did you mean data.split.test?"),
        (["+data.split.tset=0.1"], "data.split.tset: lifecode.data.BlockSplit takes no 'tset'"),
        (["data.split.test=1"], "split.test: 1.0 is no fraction"),
        (["data.split._target_=os.system"], "data.split._target_: 'os.system' is not allowed"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(prepare, tmp_path, arguments, said):
    code, out, err = prepare(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lifecode prepare: {said}")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_split_and_an_engine_are_one_word(prepare, tmp_path):
    records = (f">chr{i}\n{'ACGTTGCA' * 90}{'ACGT' * i}\n" for i in range(8))
    (tmp_path / "chromosomes.fa").write_text("".join(records))
    wanted = [
        "data/split=contigs",
        "data.split.test=[chr5,chr7]",
        "data.split.validation=[chr4]",
        "engine.workers=1",
    ]
    code, _, err = prepare("input=chromosomes.fa", "output=out", "data.require_pairs=false", *wanted)
    assert (code, err) == (0, "")
    table = Corpus.open(tmp_path / "out").segments("dna", "test")
    assert table.names == ["chr5:0-740", "chr7:0-748"]
    code, _, err = prepare("input=chromosomes.fa", "output=out", "data.require_pairs=false")
    assert code == 2
    assert "holds a corpus with split.by ContigSplit, asked for BlockSplit" in err
