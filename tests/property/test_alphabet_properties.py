import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import (
    CODONS,
    NUM_NUCLEOTIDE_IDS,
    codon_ids,
    decode_nucleotides,
    encode_nucleotides,
    reverse_complement,
)

dna = st.text(alphabet="ACGTN")
ids = st.lists(st.integers(0, NUM_NUCLEOTIDE_IDS - 1)).map(lambda values: np.array(values, dtype=np.uint8))


@given(dna)
def test_decode_undoes_encode(sequence):
    assert decode_nucleotides(encode_nucleotides(sequence)) == sequence


@given(dna)
def test_case_and_rna_make_no_difference(sequence):
    same = encode_nucleotides(sequence.lower().replace("t", "u"))
    assert np.array_equal(same, encode_nucleotides(sequence))


@given(ids)
def test_reverse_complement_twice_is_identity(nucleotides):
    assert np.array_equal(reverse_complement(reverse_complement(nucleotides)), nucleotides)


@given(dna, dna)
def test_reverse_complement_of_a_concatenation(left, right):
    both = decode_nucleotides(reverse_complement(encode_nucleotides(left + right)))
    parts = [decode_nucleotides(reverse_complement(encode_nucleotides(part))) for part in (right, left)]
    assert both == "".join(parts)


@given(st.lists(st.sampled_from(CODONS)))
def test_codon_ids_name_their_codons(codons):
    assert [CODONS[i] for i in codon_ids(encode_nucleotides("".join(codons)))] == codons
