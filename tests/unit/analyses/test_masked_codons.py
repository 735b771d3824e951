"""`kind=masked_codons`: statistics by hand, who is asked about, who is counted, the table."""

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import CODONS, encode_nucleotides
from lifecode.analyses import MaskedCodons
from lifecode.analyses.genes import Asked, Gene, read_genes
from lifecode.analyses.masked_codons import contexts, figures
from lifecode.data.splits.similarity import protein_sketch
from lifecode.data.statistics.seen_genes import NUM_KEPT
from lifecode.data.translation import translate
from lifecode.design.masked_codons import strided_log_probabilities
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, InterpolatedNeighbours
from tests.support.small_models import small_luca_one, small_model

SENSE = [codon for codon in CODONS if codon not in ("TAA", "TAG", "TGA")]
ATG, AAA, AAG, TGG = (CODONS.index(codon) for codon in ("ATG", "AAA", "AAG", "TGG"))


def species(folder, name, count, first=0):
    """A file of genes; equal numbers are equal genes."""
    records = []
    for number in range(first, first + count):
        draw = np.random.default_rng(number)
        records.append(f">{name}{number}\nATG{''.join(draw.choice(SENSE, size=30 + number % 7))}TAA\n")
    (folder / f"{name}.fa").write_text("".join(records))
    return f"cds:{folder / name}.fa"


def test_interpolated_weights_are_the_likeliest():
    draw = np.random.default_rng(0)
    pairs = draw.dirichlet(np.full(64, 0.2), size=64)
    genes = []
    for _ in range(40):
        gene = [int(draw.integers(64))]
        for _ in range(50):
            gene.append(int(draw.choice(64, p=pairs[gene[-1]])))
        genes.append(np.array(gene))
    found = InterpolatedNeighbours(genes)
    assert found.weights.sum() == pytest.approx(1)

    counts, asked = np.zeros((65, 65)), []
    for number, gene in enumerate(genes):
        steps = list(zip([64, *gene], [*gene, 64], strict=True))
        if number % 10:
            np.add.at(counts, tuple(np.transpose(steps)), 1)
        else:
            asked += steps
    single = counts.sum(0) / counts.sum()

    def likelihood(weights):
        by_pair = [counts[a, b] / counts[a].sum() if counts[a].sum() else single[b] for a, b in asked]
        by_one = [single[b] for _, b in asked]
        return sum(np.log(weights @ [x, y, 1 / 65]) for x, y in zip(by_pair, by_one, strict=True))

    best = likelihood(found.weights)
    for change in np.eye(3):
        moved = 0.98 * found.weights + 0.02 * change
        assert likelihood(moved) < best
    few = InterpolatedNeighbours([np.array([ATG, AAA]), np.array([ATG, AAG]), np.array([ATG, TGG])])
    assert np.isfinite(few.log_probabilities(np.array([ATG, AAA, ATG]), np.arange(3))).all()


def test_with_few_genes_interpolation_is_nearer_than_pairs():
    draw = np.random.default_rng(1)
    genes = [draw.choice(64, p=draw.dirichlet(np.ones(64)), size=60) for _ in range(30)]
    others, asked = genes[:20], genes[20:]

    def mean(kind):
        return np.mean([kind(others).cross_entropy(gene, np.arange(len(gene))).mean() for gene in asked])

    assert mean(InterpolatedNeighbours) < mean(BothNeighbours) - 0.1


def test_figures_by_hand():
    gene = Gene("a", encode_nucleotides("ATGAAATGG"), np.zeros(3, np.uint8), 11)
    log_p = np.full((3, 64), np.log(0.001))
    log_p[1, AAA], log_p[1, AAG], log_p[2, TGG] = np.log(0.2), np.log(0.6), np.log(0.5)
    unigram = CodonUnigram([np.arange(64)])
    found = figures([gene], [log_p], unigram)
    mean = -(np.log(0.2) + np.log(0.5)) / 2
    assert found.cross_entropy == pytest.approx(mean)
    assert found.below_unigram == pytest.approx(np.log(64) - mean)
    assert found.standard_error is None
    assert found.right == 0.5  # AAG is likelier than AAA; TGG is the likeliest
    assert found.cross_entropy_among == pytest.approx(-np.log(0.2 / 0.8))  # of K alone: W has one codon
    assert found.right_among == 0
    assert (found.genes, found.codons) == (1, 2)
    other = Gene("b", encode_nucleotides("ATGTGG"), np.zeros(2, np.uint8), 11)
    both = figures([gene, other], [log_p, log_p[[0, 2]]], unigram)
    gains = np.log(64) + np.log([0.2, 0.5, 0.5])
    off = [(gains[:2] - gains.mean()).sum(), (gains[2:] - gains.mean()).sum()]
    assert both.standard_error == pytest.approx(np.sqrt(2 * np.square(off).sum()) / 3)


def test_what_a_model_has_seen_is_not_asked_and_what_resembles_is_not_counted(tmp_path):
    kind = MaskedCodons(genes=5, min_codons=20, max_codons=60, stride=3)
    path = species(tmp_path, "one", 40)
    text = (tmp_path / "one.fa").read_text().splitlines()
    near = text[1][:-6] + ("TGG" if text[1][-6:-3] != "TGG" else "AAA") + text[1][-3:]
    (tmp_path / "one.fa").write_text("\n".join([*text, ">near", near, ""]))
    model = small_model().eval()
    found, _ = read_genes(path, most=None, min_codons=2, max_codons=99, seed=0)
    sketches = np.array([protein_sketch(gene.residues)[:NUM_KEPT] for gene in found])
    model.training_genes = sketches[1:30]
    given = lifecode.analyse(kind, path, [model], progress=False, untrained=False)
    assert list(given.frame["model"]) == [
        "model 1",
        "codon unigram",
        "both neighbours",
        "both neighbours, interpolated",
    ]
    assert [row[8] for row in given.rows] == [5, 5, 5, 5]
    assert len({row[9] for row in given.rows}) == 1
    assert given.rows[1][3] == 0
    assert "one: 29 genes resemble training genes of a model and are not asked about" in given.notes
    model.training_genes = sketches[1:40]  # left are the first and its double
    given = lifecode.analyse(kind, path, [model], progress=False, untrained=False)
    assert set(given.frame["genes"]) == {2}
    model.training_genes = sketches
    with pytest.raises(UserError, match="nothing of 20 to 60 codons that no model has seen"):
        lifecode.analyse(kind, path, [model], progress=False, untrained=False)
    model.training_genes = None
    given = lifecode.analyse(kind, path, [model, small_luca_one(heads={})], progress=False, untrained=False)
    assert [note.split()[1] for note in given.notes if "does not say which genes" in note] == ["1", "2"]
    assert [row[0] for row in given.rows[:2]] == ["model 1", "model 2"]
    with pytest.raises(UserError, match="too few to count"):
        lifecode.analyse(
            MaskedCodons(genes=40, min_codons=20), path, [model], progress=False, untrained=False
        )


def test_a_gene_among_others_is_read_between_them_and_asked_alone(tmp_path):
    """What stands around it are counted genes; what the model says without them does not change."""
    path = species(tmp_path, "one", 40)
    found, _ = read_genes(path, most=None, min_codons=2, max_codons=99, seed=0)
    model = small_model().eval()
    drawn = Asked(found[:2], found[2:])
    around = contexts(drawn, 50, seed=3)
    joined = ["".join(CODONS[codon] for codon in gene.codons_and_stop) for gene in drawn.others]
    assert all(text.endswith("TAA") for text in joined)
    for gene, own in zip(drawn.genes, around, strict=True):
        assert [len(own.before), len(own.behind)] == [50, 50]
        assert any(text in "".join(CODONS[codon] for codon in own.before) for text in joined)
        dna = ["".join(CODONS[codon] for codon in ids) for ids in (own.before, gene.codons, own.behind)]
        (logits,) = model.masked_logits(["".join(dna)])
        inside = slice(50, 50 + len(gene.codons))
        (ours,) = strided_log_probabilities(model, [gene.codons], len(gene.codons), [own])
        np.testing.assert_allclose(ours, logits[inside].log_softmax(-1).numpy(), atol=1e-5)
    assert not np.array_equal(around[0].before, around[1].before)

    def table(**settings):
        kind = MaskedCodons(genes=5, min_codons=20, max_codons=60, stride=3, **settings)
        return lifecode.analyse(kind, path, [model], progress=False, untrained=False).rows

    alone, both = table(), table(context_codons=50)
    assert [row[0] for row in both[:2]] == ["model 1", "model 1, among genes"]
    assert both[0] == alone[0]
    assert both[2:] == alone[1:]
    assert both[1][2] != alone[0][2]
    assert both[1][8:] == alone[0][8:]
    with pytest.raises(UserError, match="context included"):
        lifecode.analyse(
            MaskedCodons(genes=5, min_codons=20, context_codons=250),
            path,
            [small_luca_one(heads={})],
            progress=False,
            untrained=False,
        )


def test_homologs_of_the_asked_are_not_counted(tmp_path):
    """Every gene has a double in another spelling: of 60 genes 5 are asked, so 50 are counted."""
    path = species(tmp_path, "twice", 30)
    back = {}
    for codon in SENSE:
        back.setdefault(translate(codon), codon)
    text = (tmp_path / "twice.fa").read_text().splitlines()
    doubles = [
        f">double{number}\nATGTGG{''.join(back[x] for x in translate(line)[1:-1])}TAA"
        for number, line in enumerate(text[1::2])
    ]
    (tmp_path / "twice.fa").write_text("\n".join([*text, *doubles, ""]))
    kind = MaskedCodons(genes=5, min_codons=20, max_codons=60, stride=2)
    given = lifecode.analyse(kind, path, [small_model().eval()], progress=False, untrained=False)
    (line,) = [note for note in given.notes if "are not counted" in note]
    assert given.rows[0][8] == 5
    assert 3 <= int(line.split(": ")[1].split()[0]) <= 5
