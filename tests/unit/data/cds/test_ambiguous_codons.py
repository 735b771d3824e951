"""A codon with an ambiguous nucleotide does not cost a gene, and is no label anywhere."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lifecode.alphabet import IGNORE, NO_RESIDUE, codon_ids, encode_nucleotides
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.data.batches.batch import Segment, corrupt_and_pack
from lifecode.data.batches.masking import Masking
from lifecode.data.cds.coding_sequence import ExactPair, Rejected, verify
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, majority_residue
from lifecode.evaluation.distillation import _one_hot
from lifecode.evaluation.masked_genes import HeldOut, baseline_metrics, held_out_genes

GENE = "ATG" + "AAACCC" * 20 + "TAA"  # 42 codons
PROTEIN = "M" + "KP" * 20


def judge(dna, protein=PROTEIN, share=0.05, **fields):
    cds = CodingSequence("cds", None, (Exon(0, len(dna), 1),), protein=protein, **fields)
    return verify(cds, Contig("contig", encode_nucleotides(dna), "by hand", coding_sequences=(cds,)), share)


def with_letters(at, letters):
    return GENE[:at] + letters + GENE[at + len(letters) :]


@pytest.mark.parametrize("letter", "NRYKMSWBDHV")
@pytest.mark.parametrize("residue", "KX")
def test_one_ambiguous_base_keeps_the_gene_without_a_label(letter, residue):
    pair = judge(with_letters(5, letter), "M" + residue + PROTEIN[2:])
    assert isinstance(pair, ExactPair)
    assert (pair.amino_acids == NO_RESIDUE).nonzero()[0].tolist() == [1]
    assert (codon_ids(pair.nucleotides) < 0).nonzero()[0].tolist() == [1]


@pytest.mark.parametrize(("at", "codon"), [(0, 0), (123, 41)])
def test_start_and_stop_may_be_ambiguous_too(at, codon):
    pair = judge(with_letters(at, "N"))
    assert (pair.amino_acids == NO_RESIDUE).nonzero()[0].tolist() == [codon]


@pytest.mark.parametrize(
    ("dna", "changes", "reason"),
    [
        (with_letters(3, "NNNNNN"), {}, None),
        (with_letters(3, "NNNNNNNNN"), {}, Rejected.AMBIGUOUS_NUCLEOTIDE),
        (with_letters(3, "N"), {"share": 0.0}, Rejected.AMBIGUOUS_NUCLEOTIDE),
        (
            with_letters(3, "N"),
            {"protein": None, "protein_source": "translated"},
            Rejected.AMBIGUOUS_NUCLEOTIDE,
        ),
        (with_letters(3, "N"), {"protein": PROTEIN[:-1] + "R"}, Rejected.TRANSLATION_DIFFERS),
        (with_letters(3, "NNNTAA"), {}, Rejected.INTERNAL_STOP),
        (with_letters(3, "N")[:-1], {}, Rejected.LENGTH_NOT_MULTIPLE_OF_3),
    ],
)
def test_the_reason_is_what_is_wrong_apart_from_the_ambiguous_codons(dna, changes, reason):
    verdict = judge(dna, **changes)
    assert isinstance(verdict, ExactPair) if reason is None else verdict.reason == reason


def test_no_loss_reads_an_ambiguous_codon():
    pair = judge(with_letters(3, "N"))
    segment = Segment(ids=pair.nucleotides, amino_acids=pair.amino_acids)
    batch = corrupt_and_pack([segment], Masking(codon_fraction=1.0), np.array([7], dtype=np.uint64))
    unlabelled = 2  # behind [CLS] and the start codon
    assert batch.codon_labels[unlabelled] == batch.amino_acid_labels[unlabelled] == IGNORE
    assert not batch.codon_selected[unlabelled]
    assert (batch.amino_acid_labels != IGNORE).sum() == (batch.codon_labels != IGNORE).sum() == 41


class Table(SimpleNamespace):
    """The part of a `SegmentTable` that figures are counted on, of one gene."""

    def __len__(self):
        return 1

    def nucleotides(self, _):
        return self.pair.nucleotides

    def amino_acids(self, _):
        return self.pair.amino_acids

    def record_index(self, _):
        return 0


def test_no_figure_counts_an_ambiguous_codon():
    table = Table(pair=judge(with_letters(30, "NN")))
    (gene,) = held_out_genes(table, HeldOut(mask_fraction=1.0))
    assert gene.masked.tolist() == [i for i in range(1, 41) if i != 10]
    assert {figure.n for figure in baseline_metrics(table, [0], [gene]).values()} == {39}


def test_baselines_count_known_codons_only_and_nothing_follows_from_an_unknown_neighbour():
    known, unknown = np.array([5, 6, 5]), np.array([5, -1, 5])
    assert np.allclose(
        CodonUnigram([unknown]).log_probabilities, CodonUnigram([np.array([5, 5])]).log_probabilities
    )
    both = BothNeighbours([known])
    # Between unknown neighbours all 64 codons are alike.
    assert both.cross_entropy(np.array([-1, 5, -1]), np.array([1])) == pytest.approx(np.log(64))
    assert majority_residue([np.array([NO_RESIDUE, 3, NO_RESIDUE], dtype=np.uint8)]) == 3
    assert _one_hot(np.array([2, -1], dtype=np.int16)).sum(1).tolist() == [1, 0]
    assert torch.equal(_one_hot(np.array([63], dtype=np.int16)).argmax(1), torch.tensor([63]))


def test_a_corpus_with_and_without(tmp_path):
    lines = [
        f"{i + 1:9} {GENE.replace('CCC', 'CCN', 1)[i : i + 60].lower()}" for i in range(0, len(GENE), 60)
    ]
    record = f"LOCUS       X {len(GENE)} bp DNA\nVERSION     X.1\nFEATURES             Location/Qualifiers\n"
    record += f'     CDS             1..126\n                     /translation="{PROTEIN}"\nORIGIN\n'
    (tmp_path / "x.gbk").write_text(record + "\n".join(lines) + "\n//\n")
    split = BlockSplit(validation=0.0, test=0.0)
    corpus = prepare_corpus(tmp_path / "x.gbk", tmp_path / "with", split=split)
    table = corpus.segments("cds", "train")
    assert table.protein(0) == "MKX" + PROTEIN[3:]
    assert table.column("nucleotides")[0][6:9] == "CCN"
    reading = ReadingSettings(max_ambiguous_share=0.0)
    without = prepare_corpus(
        tmp_path / "x.gbk", tmp_path / "without", split=split, reading=reading, require_pairs=False
    )
    assert without.report["pairs"]["rejected"] == {"ambiguous_nucleotide": 1}
