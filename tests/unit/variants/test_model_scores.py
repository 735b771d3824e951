"""Scores are what the model says where the touched codons are masked, and each pass is made once."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import lifecode
from lifecode.alphabet import CODONS, MASK, codon_ids, encode_nucleotides
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, pack
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.models.life_code.masked_readers import CodonReader
from lifecode.models.life_code.model import LifeCode
from lifecode.models.weights import weights_checksum
from lifecode.variants import journal as journal_file
from lifecode.variants.annotate import annotate
from lifecode.variants.asking import Question, Scoring, answered, window_of
from lifecode.variants.journal import Journal
from lifecode.variants.reading.allele_tables import alleles_of_rows
from lifecode.variants.reading.genome import Genome, Reference
from lifecode.variants.table import table_of
from lifecode.variants.variant_scores import all_single_scores, parts_of, scored
from tests.support.small_models import small_model
from tests.support.spliced_gene import FIRST, FORWARD, SplicedGene

MODEL = small_model(hybrid_ratio="1:1").eval()
CDS = "ATGAAAGCTTGGCCAAAAACGTAA"


def genome_of(strand: int = 1, letters: str = FORWARD) -> Genome:
    gene = SplicedGene(strand)
    contig = gene.contig
    if strand == 1 and letters != FORWARD:
        object.__setattr__(contig, "nucleotides", encode_nucleotides(letters))
    return Genome({"toy": Reference(contig, contig.coding_sequences, {})})


def scores(rows: list[tuple], genome: Genome, model: Any = MODEL, **options) -> list[dict]:
    given = alleles_of_rows([("toy", *row, ".") for row in rows], "test")
    found = annotate(given.alleles, genome, source="test").rows
    return table_of(found, scored(found, genome, model, Scoring(**options), "abc")).to_pylist()


def test_one_codon_is_what_masked_logits_say():
    (row,) = scores([(FIRST + 4, "A", "G")], genome_of())
    log_p = MODEL.masked_logits([CDS])[0][1].double()
    expected = log_p[CODONS.index("GAA")] - log_p[CODONS.index("AAA")]
    assert row["score"] == pytest.approx(float(expected), abs=1e-5)
    lysine = torch.logsumexp(log_p[[CODONS.index("AAA"), CODONS.index("AAG")]], 0)
    glutamate = torch.logsumexp(log_p[[CODONS.index("GAA"), CODONS.index("GAG")]], 0)
    assert row["score_residue"] == pytest.approx(float(glutamate - lysine), abs=1e-5)
    assert row["score_residue"] + row["score_synonymous"] == pytest.approx(row["score"])
    assert row["entropy"] == pytest.approx(float(-(log_p.exp() * log_p).sum()), abs=1e-4)
    assert (row["status"], row["context"], row["method"]) == ("scored", "codons 1-8 of 8", "masked")


def test_codons_that_a_variant_touches_are_masked_together():
    ids = encode_nucleotides(CDS).copy()
    ids[3:9] = MASK
    with torch.no_grad():
        packed = pack([ids])
        hidden = MODEL.codon_projection(MODEL.encode(packed))
        log_p = MODEL.codec.codon_log_probabilities(hidden, packed.cu_seqlens, torch.tensor([2, 3])).double()
    expected = log_p[0, CODONS.index("AAC")] - log_p[0, CODONS.index("AAA")]
    expected += log_p[1, CODONS.index("CCT")] - log_p[1, CODONS.index("GCT")]
    (row,) = scores([(FIRST + 6, "AG", "CC")], genome_of())
    assert row["score"] == pytest.approx(float(expected), abs=1e-5)


def test_the_other_way_round_is_the_opposite():
    ref, alt = "AAG", "CTA"
    (one,) = scores([(FIRST + 5, ref, alt)], genome_of())
    turned = FORWARD[: FIRST + 4] + alt + FORWARD[FIRST + 7 :]
    (other,) = scores([(FIRST + 5, alt, ref)], genome_of(letters=turned))
    for key in ("score", "score_residue", "score_synonymous"):
        assert one[key] == -other[key] != 0


def test_the_strand_of_the_gene_is_read():
    forward = scores([(FIRST + 4, "A", "G")], genome_of(1))[0]
    at = len(FORWARD) - (FIRST + 3)
    backward = scores([(at, "T", "C")], genome_of(-1))[0]
    assert backward["score"] == forward["score"]
    assert backward["hgvs_c"] == forward["hgvs_c"]


def test_what_has_no_score_says_why():
    rows = [
        (FIRST + 4, "A", "T"),
        (FIRST + 4, "AA", "A"),
        (FIRST + 6, "A", "AAAA"),
        (FIRST + 1, "A", "C"),
        (3, "G", "GA"),
        (FIRST + 4, "A", "<DEL>"),
    ]
    found = [(row["score"], row["status"]) for row in scores(rows, genome_of())]
    words = ("stop_gained", "frameshift", "inframe_indel", "start_lost", "indel", "symbolic")
    assert found == [(None, word) for word in words]


class Counting(CodonReader):
    """Remembers what was masked, and breaks after so many passes."""

    def __init__(self, breaks_after: int = 1000) -> None:
        super().__init__(MODEL)
        self.passes, self.breaks_after = [], breaks_after

    def log_probabilities(self, sequences, masked, read):
        if len(self.passes) >= self.breaks_after:
            raise KeyboardInterrupt
        self.passes.extend(masked)
        return super().log_probabilities(sequences, masked, read)


def test_variants_of_a_codon_share_a_forward_pass(monkeypatch):
    segments, original = [], LifeCode.encode
    monkeypatch.setattr(
        LifeCode, "encode", lambda self, row: segments.append(len(row.cu_seqlens) - 1) or original(self, row)
    )
    scores([(FIRST + 4, "A", x) for x in "CG"] + [(FIRST + 5, "A", "C")], genome_of())
    assert segments == [1]
    segments.clear()
    scores([(FIRST + 4, "A", "G"), (FIRST + 33, "C", "A")], genome_of(), method="unmasked")
    assert segments == [1]
    segments.clear()
    scores([(FIRST + 4, "A", "G"), (FIRST + 33, "C", "A")], genome_of())
    assert segments == [2]  # one row of two copies
    segments.clear()
    gene = genome_of().references["toy"]
    (one,) = (transcript.coding_sequence for transcript in gene.transcripts)
    isoforms = Reference(SplicedGene(1).contig, [one, replace(one, id="isoform")], {})
    rows = scores([(FIRST + 4, "A", "G")], Genome({"toy": isoforms}))
    assert segments == [1]  # of two transcripts with one CDS
    assert [row["transcript"] for row in rows] == ["t", "isoform"]
    assert rows[0]["score"] == rows[1]["score"]
    segments.clear()
    scores([(3, "G", "A"), (3, "G", "C")], genome_of())
    assert segments == [6]  # three frames of two strands
    reader = Counting()
    answered(reader, [encode_nucleotides(CDS)], [Question(0, (i,), 0, 8) for i in range(8)], "strided:3")
    assert sorted(reader.passes) == [[0, 3, 6], [1, 4, 7], [2, 5]]


def test_a_quantile_ranks_among_all_single_nucleotide_variants():
    rows = scores([(FIRST + 4 + i, "A", x) for i in range(3) for x in "CG"], genome_of(), quantile=True)
    log_p = answered(Counting(), [encode_nucleotides(CDS)], [Question(0, tuple(range(8)), 0, 8)], "unmasked")[
        0
    ]
    codons = codon_ids(encode_nucleotides(CDS))
    others = []
    for place, codon in enumerate(codons):
        for letter in range(3):
            for new in "ACGT":
                word = CODONS[codon][:letter] + new + CODONS[codon][letter + 1 :]
                if word != CODONS[codon]:
                    others.append(float(log_p[place, CODONS.index(word)] - log_p[place, codon]))
    np.testing.assert_allclose(np.sort(all_single_scores(log_p, codons)), np.sort(others), atol=1e-6)
    own = float(log_p[1, CODONS.index("CAA")] - log_p[1, CODONS.index("AAA")])
    rank = (np.sum(np.array(others) < own - 1e-7) + 0.5) / 72
    assert rows[0]["quantile"] == pytest.approx(rank)


def test_a_killed_call_goes_on_without_asking_twice(tmp_path):
    ids, questions = encode_nucleotides(CDS), [Question(0, (i,), 0, 8) for i in range(8)]
    whole = answered(Counting(), [ids], questions, "masked")
    journal = tmp_path / "journal"
    breaking, again = Counting(breaks_after=5), Counting()
    breaking.places_per_call = again.places_per_call = 10
    with pytest.raises(KeyboardInterrupt):
        answered(breaking, [ids], questions, "masked", journal=journal, about="m")
    with journal.open("ab") as file:
        file.write(b"cut short")
    found = answered(again, [ids], questions, "masked", journal=journal, about="m")
    assert again.passes == [[5], [6], [7]]
    np.testing.assert_allclose(found, whole, atol=1e-5)
    again.passes.clear()
    answered(again, [ids], questions, "masked", journal=journal, about="another model")
    assert len(again.passes) == 8


def test_a_batch_that_a_kill_cut_is_asked_whole(tmp_path):
    """So that its passes are the bits of a call that ran through."""
    ids, questions = encode_nucleotides(CDS), [Question(0, (i,), 0, 8) for i in range(8)]
    first, again = Counting(), Counting()
    first.places_per_call = again.places_per_call = 3 * (8 + NUM_SPECIAL_CODONS)
    journal = tmp_path / "journal"
    whole = answered(first, [ids], questions, "masked", journal=journal, about="m")
    record = 16 + 4 * 64
    head = journal.stat().st_size - 8 * record
    os.truncate(journal, head + 4 * record)  # the first batch, and of the second one pass
    found = answered(again, [ids], questions, "masked", journal=journal, about="m")
    np.testing.assert_array_equal(found, whole)
    assert again.passes == [[3], [4], [5], [6], [7]]
    assert journal.stat().st_size == head + 8 * record


def test_a_journal_keeps_whole_records_only(tmp_path):
    rows = np.arange(128, dtype=np.float32).reshape(2, 64)
    with Journal(tmp_path / "j", "a", 64) as journal:
        journal.add(7, rows)
        journal.add(9, rows[:1])
    (tmp_path / "j").write_bytes((tmp_path / "j").read_bytes()[:-5])
    with Journal(tmp_path / "j", "a", 64) as journal:
        ((number, kept),) = journal.entries()
        journal.add(1, rows[:1])
    assert number == 7
    np.testing.assert_array_equal(kept, rows)
    with Journal(tmp_path / "j", "a", 64) as journal:
        assert [number for number, _ in journal.entries()] == [7, 1]


def test_a_journal_of_another_version_or_about_something_else_is_begun_anew_and_said(
    tmp_path, monkeypatch, caplog
):
    rows, path = np.ones((1, 64), np.float32), tmp_path / "j"

    def kept(about="a"):
        caplog.clear()
        with Journal(path, about, 64) as journal:
            found = len(list(journal.entries()))
            journal.add(0, rows)
        return found, "done anew" in caplog.text

    assert kept() == (0, False)
    assert kept() == (1, False)
    assert kept("b") == (0, True)
    assert kept("b") == (1, False)
    monkeypatch.setattr(journal_file, "VERSION", 2)
    assert kept("b") == (0, True)
    path.write_bytes(b"b\n")  # of before versions
    assert kept("b") == (0, True)


def test_parts_by_hand():
    """P(AAA) = 1/2, P(AAG) = 1/4, P(GAA) = 1/8, the rest alike."""
    p = np.full(64, (1 / 8) / 61)
    for codon, share in (("AAA", 1 / 2), ("AAG", 1 / 4), ("GAA", 1 / 8)):
        p[CODONS.index(codon)] = share
    old, new = (np.array([CODONS.index(codon)], dtype=np.int16) for codon in ("AAA", "AAG"))
    parts = parts_of(np.log(p)[None].astype(np.float32), old, new, genetic_code(1))
    assert parts.score == pytest.approx(np.log(1 / 2), abs=1e-6)
    assert parts.residue == pytest.approx(0)
    assert parts.synonymous == pytest.approx(np.log(1 / 2), abs=1e-6)


def test_residues_are_those_that_the_gene_reads():
    """A start codon stays M, and a selenocysteine is TGA alone, not one of three stops."""
    log_p = np.log(np.random.default_rng(0).dirichlet(np.ones(64), 2)).astype(np.float32)
    at = {codon: log_p[:, number].astype(float) for number, codon in enumerate(CODONS)}
    ids = [np.array([CODONS.index(codon)], dtype=np.int16) for codon in ("ATG", "GTG", "TGA", "TGC")]
    start = parts_of(log_p[:1], ids[0], ids[1], genetic_code(11), ("M", "M"))
    assert (start.residue, start.synonymous) == (0, start.score)
    assert start.score == pytest.approx(at["GTG"][0] - at["ATG"][0], abs=1e-6)
    recoded = parts_of(log_p[1:], ids[2], ids[3], genetic_code(11), ("U", "C"))
    cysteine = np.logaddexp(at["TGC"][1], at["TGT"][1])
    assert recoded.residue == pytest.approx(cysteine - at["TGA"][1], abs=1e-6)


def test_another_start_codon_is_synonymous():
    contig = SplicedGene(1).contig
    cds = replace(contig.coding_sequences[0], genetic_code=11)
    (row,) = scores([(FIRST + 1, "A", "G")], Genome({"toy": Reference(contig, (cds,), {})}))
    assert (row["consequence"], row["amino_acids"]) == ("start_retained_variant", "M")
    assert row["score_residue"] == 0
    assert row["score_synonymous"] == row["score"] != 0


def test_a_window_lies_around_the_codon():
    assert window_of(10, 4, 4, None) == (0, 10)
    assert window_of(10, 4, 4, 4) == (2, 6)
    assert window_of(10, 0, 0, 4) == (0, 4)
    assert window_of(10, 9, 9, 4) == (6, 10)
    assert window_of(10, 2, 8, 4) == (2, 9)


@pytest.mark.parametrize("options", [{"method": "strided:0"}, {"method": "mask"}, {"window_codons": 1}])
def test_faults_of_the_settings(options):
    with pytest.raises(UserError):
        Scoring(**options)


def test_a_checksum_names_weights():
    assert weights_checksum(MODEL) == weights_checksum(small_model(hybrid_ratio="1:1"))
    assert weights_checksum(MODEL) != weights_checksum(small_model(seed=1, hybrid_ratio="1:1"))


def test_a_frame_in_and_a_frame_out(small_genome):
    import pandas as pd

    variants = pd.DataFrame({"chrom": ["NC_000913"], "pos": [340], "ref": ["C"], "alt": ["G"]})
    found = lifecode.score(None, variants, small_genome, progress=False)
    assert found.frame.loc[0, ["gene", "hgvs_p"]].tolist() == ["thrA", "p.(Arg2Gly)"]
    with pytest.raises(UserError, match="no column alt"):
        lifecode.score(None, variants[["chrom", "pos", "ref"]], small_genome, progress=False)
