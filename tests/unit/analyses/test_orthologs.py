"""`kind=orthologs`: genes of one name are looked for; residues find them where proteins are alike."""

import numpy as np
import pytest

import lifecode
from lifecode.analyses import Convergence, Orthologs
from lifecode.errors import UserError
from tests.support.small_models import small_luca_one, small_model

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def genome(path, proteins, organism):
    """Coding sequences with gene names, spelled by the usage of a host; several may have one name."""
    records = [
        f">{number} [gene={name}]\n{lifecode.reverse_translate(protein + '*', organism=organism)}\n"
        for number, (name, protein) in enumerate(proteins)
    ]
    path.write_text("".join(records))
    return f"cds:{path}"


def test_namesakes_are_found_by_their_residues(tmp_path):
    draw = np.random.default_rng(0)
    proteins = [
        (f"gen{i}", "M" + "".join(draw.choice(list(RESIDUES), p=draw.dirichlet(np.ones(20)), size=60)))
        for i in range(12)
    ]
    first = genome(
        tmp_path / "one.fa", [*proteins, ("same", "M" + "A" * 40), ("same", "M" + "C" * 40)], "e_coli"
    )
    upper = [(name.upper(), protein[:40] + "W" * 5 + protein[45:]) for name, protein in proteins]
    second = genome(tmp_path / "two.fa", [*upper[::-1], ("same", "M" + "W" * 40)], "h_sapiens")
    found = lifecode.analyse(Orthologs(genes=10), [first, second], [small_model().eval()], progress=False)
    assert [row[0] for row in found.rows] == [
        "model 1",
        "untrained model 1",
        "residue composition",
        "words of 3 residues",
    ]
    assert {row[-1] for row in found.rows} == {10}
    for row in found.rows[2:]:
        assert row[4] == 1.0, row
        assert row[5] == 1.0
    backward = genome(tmp_path / "again.fa", proteins[::-1], "e_coli")
    alike = lifecode.analyse(Orthologs(genes=10), [first, backward], [small_model().eval()], progress=False)
    assert [row[4:6] for row in alike.rows] == [[1.0, 1.0]] * 4
    with pytest.raises(UserError, match="names 1 files"):
        lifecode.analyse(Orthologs(), [first], [small_model().eval()], progress=False)
    other = genome(tmp_path / "three.fa", [("x", proteins[0][1]), ("gen1", proteins[1][1])], "e_coli")
    with pytest.raises(UserError, match="have 1 genes of one name"):
        lifecode.analyse(Orthologs(), [first, other], [small_model().eval()], progress=False)


def test_genes_that_a_model_reads_in_windows_are_said(tmp_path):
    draw = np.random.default_rng(1)
    proteins = [(f"gen{i}", "M" + "".join(draw.choice(list(RESIDUES), size=39))) for i in range(4)]
    one, two = (genome(tmp_path / name, proteins, "e_coli") for name in ("one.fa", "two.fa"))
    short = small_luca_one(heads={}, max_tokens=102)
    said = "8 sequences of more than 100 letters are read in overlapping windows"
    found = lifecode.analyse(Orthologs(), [one, two], [short], progress=False)
    assert [note for note in found.notes if note.startswith(said)]
    found = lifecode.analyse(Convergence(), one, [short], progress=False)
    assert [note for note in found.notes if note.startswith(said.replace("8", "4"))]
