import python_codon_tables
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from lifecode.alphabet import AMINO_ACIDS, CODONS
from lifecode.data.cds.translation import reverse_translate, translate
from lifecode.genetic_code import genetic_code, genetic_code_numbers

organisms = st.sampled_from(python_codon_tables.available_codon_tables_names)
codes = st.sampled_from(genetic_code_numbers())
residues = AMINO_ACIDS.removesuffix("*")
unambiguous_stops = codes.filter(
    lambda number: (
        not any(genetic_code(number).stops & (genetic_code(number).residues != AMINO_ACIDS.index("*")))
    )
)


@given(st.text(alphabet=AMINO_ACIDS), organisms, unambiguous_stops)
def test_translation_undoes_reverse_translation(protein, organism, code):
    assert translate(reverse_translate(protein, organism, genetic_code=code), code) == protein


@given(st.text(alphabet=residues), organisms, codes)
def test_complete_cds_comes_back_in_every_code(protein, organism, code):
    cds = reverse_translate("M" + protein + "*", organism, genetic_code=code)
    assert translate(cds, code, complete_cds=True) == "M" + protein + "*"


@given(st.text(alphabet=AMINO_ACIDS + "UOBJXZ" + residues.lower()))
def test_reverse_translation_is_three_nucleotides_per_letter(protein):
    dna = reverse_translate(protein)
    assert len(dna) == 3 * len(protein)
    assert set(dna) <= set("ACGTN")


@given(st.lists(st.sampled_from(CODONS)), st.sampled_from([1, 2, 4, 5, 11]))
def test_translation_agrees_with_biopython(codons, code):
    assert translate("".join(codons), code) == str(Seq("".join(codons)).translate(code))
