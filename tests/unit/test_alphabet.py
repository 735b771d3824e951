import numpy as np
import pytest

from lifecode.alphabet import (
    CLS,
    CODONS,
    IGNORE,
    MASK,
    PAD,
    SEP,
    STOP,
    UNK,
    amino_acid_ids,
    codon_ids,
    decode_nucleotides,
    encode_nucleotides,
    reverse_complement,
)
from lifecode.errors import UserError


def test_case_and_rna_read_as_dna():
    assert encode_nucleotides("ACGTUacgtu").tolist() == [0, 1, 2, 3, 3, 0, 1, 2, 3, 3]


def test_every_ambiguity_code_is_unk():
    assert encode_nucleotides("NRYSWKMBDHVnryswkmbdhv").tolist() == [UNK] * 22


def test_unknown_letter_names_source_record_position_and_letter():
    with pytest.raises(UserError, match=r"genome\.fa, record chr1: letter 'E' at position 3 "):
        encode_nucleotides("ACEGTX", source="genome.fa", record="chr1")


def test_unk_decodes_to_n():
    assert decode_nucleotides(encode_nucleotides("acRgu")) == "ACNGT"


def test_reverse_complement_by_hand():
    assert decode_nucleotides(reverse_complement(encode_nucleotides("ATGCCN"))) == "NGGCAT"


def test_special_tokens_are_their_own_complement():
    assert reverse_complement(np.array([MASK, 0, SEP], dtype=np.uint8)).tolist() == [SEP, 3, MASK]


def test_codon_ids_number_the_codons_in_order():
    assert codon_ids(encode_nucleotides("".join(CODONS))).tolist() == list(range(64))


def test_codon_ids_ignore_the_rest_and_mark_ambiguity():
    assert codon_ids(encode_nucleotides("ATGANGTT")).tolist() == [CODONS.index("ATG"), -1]
    assert codon_ids(encode_nucleotides("NAAANAAANAAATTT")).tolist() == [-1, -1, -1, 0, 63]


@pytest.mark.parametrize("special", [UNK, PAD, CLS, SEP, MASK])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_codon_with_a_special_token_is_none(special, place):
    ids = np.full(3, 3, dtype=np.uint8)
    ids[place] = special
    assert codon_ids(ids).tolist() == [-1]


def test_amino_acid_ids_ignore_what_is_no_residue():
    assert amino_acid_ids("aY*X").tolist() == [0, 19, STOP, IGNORE]
