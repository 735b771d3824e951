"""Outside of a CDS a score is the mean over both strands, and by a model of codons over three frames."""

import numpy as np
import pytest
import torch

from lifecode.alphabet import MASK, UNK, encode_nucleotides, reverse_complement
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models.luca_one.vocabulary import TOKENS
from lifecode.variants.alleles import COMPLEMENT_LETTERS
from lifecode.variants.annotate import annotate
from lifecode.variants.asking import Scoring
from lifecode.variants.reading.allele_tables import alleles_of_rows
from lifecode.variants.reading.genome import Genome, Reference
from lifecode.variants.table import table_of
from lifecode.variants.transcripts import Transcript
from lifecode.variants.variant_scores import scored
from tests.support.small_models import small_luca_one, small_model
from tests.support.spliced_gene import FIRST, FORWARD, SplicedGene

MODEL = small_model(hybrid_ratio="1:1").eval()
LUCA = small_luca_one()


def genome_of(strand: int = 1, letters: str | None = None) -> Genome:
    contig = SplicedGene(strand).contig
    if letters is not None:
        object.__setattr__(contig, "nucleotides", encode_nucleotides(letters))
    return Genome({"toy": Reference(contig, contig.coding_sequences, {})})


def rows_of(variants: list[tuple], genome: Genome | None = None, model=MODEL, **options) -> list[dict]:
    genome = genome or genome_of()
    alleles = alleles_of_rows([("toy", *variant, ".") for variant in variants], "test").alleles
    found = annotate(alleles, genome, source="test").rows
    return table_of(found, scored(found, genome, model, Scoring(**options), "abc")).to_pylist()


def log_p_at(ids: np.ndarray, place: int) -> torch.Tensor:
    """Mean over three frames of log P (4,) of a masked nucleotide, written out."""
    masked = ids.copy()
    masked[place] = MASK
    found = []
    for shift in range(3):
        padded = np.concatenate([np.full(shift, UNK, np.uint8), masked])
        row = pack([np.concatenate([padded, np.full(-len(padded) % 3, UNK, np.uint8)])])
        with torch.no_grad():
            logits = MODEL.codec.detokenizer(MODEL.codon_projection(MODEL.encode(row)), row.cu_seqlens)
        found.append(logits[3 + shift + place, :4].log_softmax(-1))
    return torch.stack(found).mean(0)


def test_the_mean_of_both_strands_and_three_frames():
    position = FIRST - 3
    ids = encode_nucleotides(FORWARD)
    plus = log_p_at(ids, position - 1)
    minus = log_p_at(reverse_complement(ids), len(ids) - position).flip(0)
    old, new = ids[position - 1], (ids[position - 1] + 1) % 4
    (row,) = rows_of([(position, FORWARD[position - 1], "ACGT"[new])])
    expected = (plus[new] - plus[old] + minus[new] - minus[old]) / 2
    assert row["score"] == pytest.approx(float(expected), abs=1e-5)
    p = ((plus.log_softmax(-1) + minus.log_softmax(-1)) / 2).softmax(-1)
    assert row["entropy"] == pytest.approx(float(-(p * p.log()).sum()), abs=1e-5)
    assert (row["status"], row["method"]) == ("scored", "masked, nucleotides, 3 frames, 2 strands")
    assert row["context"] == f"nucleotides 1-{len(FORWARD)} of toy"
    assert row["score_residue"] is row["score_synonymous"] is row["quantile"] is None


@pytest.mark.parametrize("model", [MODEL, LUCA], ids=["life_code", "luca_one"])
def test_the_other_way_round_is_the_opposite(model):
    place = FIRST - 4
    ref = FORWARD[place : place + 3]
    alt = ref.translate(COMPLEMENT_LETTERS)
    (one,) = rows_of([(place + 1, ref, alt)], model=model)
    turned = genome_of(letters=FORWARD[:place] + alt + FORWARD[place + 3 :])
    (other,) = rows_of([(place + 1, alt, ref)], turned, model=model)
    assert one["score"] == -other["score"] != 0
    assert one["entropy"] == other["entropy"]


@pytest.mark.parametrize("model", [MODEL, LUCA], ids=["life_code", "luca_one"])
def test_either_strand_of_the_genome_gives_the_same(model):
    position = FIRST - 3
    assert FORWARD[position - 1] == "C"
    (one,) = rows_of([(position, "C", "A")], model=model)
    (other,) = rows_of([(len(FORWARD) + 1 - position, "G", "T")], genome_of(-1), model=model)
    assert other["score"] == pytest.approx(one["score"], abs=1e-6)


def test_where_it_makes_no_sense_it_is_null_and_says_why():
    rows = rows_of([(2, "T", "TA"), (1, "T", "N"), (35, "A", "C")])
    assert [row["status"] for row in rows] == ["indel", "ambiguous", "scored"]
    assert [row["score"] is None for row in rows] == [True, True, False]
    assert [row["consequence"] for row in rows] == ["intergenic_variant"] * 2 + ["intron_variant"]


def test_windows_and_no_scores_there():
    variant = [(4, "A", "C")]
    (row,) = rows_of(variant, window_nucleotides=10)
    assert row["context"] == "nucleotides 1-10 of toy"
    (row,) = rows_of(variant, window_nucleotides=None)
    assert (row["score"], row["method"], row["status"]) == (None, None, "not_scored")


def test_luca_one_reads_letters_of_the_coding_strand():
    cds = Transcript(SplicedGene(1).contig.coding_sequences[0], FORWARD).whole_codons
    log_p = LUCA.masked_logits([cds], molecule="dna")[0][4 - 1].double()
    (row,) = rows_of([(FIRST + 4, "A", "G")], model=LUCA)
    token = {letter: TOKENS.index(number) for letter, number in zip("ATCG", "1234", strict=True)}
    assert cds[3] == "A"
    assert row["score"] == pytest.approx(float(log_p[token["G"]] - log_p[token["A"]]), abs=1e-5)
    assert (row["method"], row["context"]) == ("masked, nucleotides", "nucleotides 1-24 of 24")
    backward = rows_of([(len(FORWARD) - (FIRST + 3), "T", "C")], genome_of(-1), model=LUCA)[0]
    assert backward["score"] == pytest.approx(row["score"], abs=1e-6)


def test_letters_farther_apart_than_a_model_reads_have_no_score():
    assert FORWARD[46:54] == "GGCCAAAA"
    inside = [(47, "GGCCAAAA", "CGCCAAAC"), (47, "GGCCAAAA", "CGCGAAAA")]
    outside = [(2, "TGACAT", "AGACAA"), (2, "TGACAT", "AGAGAT")]
    rows = rows_of(inside + outside, model=small_luca_one(max_tokens=6))
    assert [row["status"] for row in rows] == ["too_far_apart", "scored"] * 2
    assert [row["score"] is None for row in rows] == [True, False] * 2


def test_what_stops_it():
    variant = [(FIRST + 4, "A", "G")]
    with pytest.raises(UserError, match="ranks codons"):
        rows_of(variant, model=LUCA, quantile=True)
    with pytest.raises(UserError, match="speaks of residues"):
        rows_of(variant, method="translator")
    with pytest.raises(UserError, match="window_nucleotides: is too short"):
        Scoring(window_nucleotides=5)
