"""One change has one normal form, whichever way a file writes it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.variants.alleles import Change, as_in_vcf, moved_right, normal_form, plain


def applied(sequence: str, change: Change) -> str:
    return sequence[: change.start] + change.alt + sequence[change.end :]


def test_trimmed_and_moved_left():
    sequence = "GATTTACA"
    assert normal_form(sequence, 3, "TT", "T") == Change(2, 3, "")
    assert normal_form(sequence, 4, "T", "TT") == Change(2, 2, "T")
    assert normal_form(sequence, 0, "GATTT", "GAGTT") == Change(2, 3, "G")
    assert normal_form(sequence, 0, "GAT", "GCC") == Change(1, 3, "CC")
    assert as_in_vcf(sequence, Change(2, 3, "")) == (2, "AT", "A")
    assert as_in_vcf(sequence, Change(0, 1, "")) == (1, "GA", "A")
    assert moved_right(sequence, Change(2, 3, "")) == Change(4, 5, "")


def test_letters():
    assert plain("acgtun") == "ACGTTN"
    assert plain("RY") == "NN"
    assert plain("<DEL>") is None


few = st.text(alphabet="AC", min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.text(alphabet="AC", min_size=6, max_size=20), st.data())
def test_every_form_is_the_same_change_and_none_lies_further_left(sequence, data):
    start = data.draw(st.integers(0, len(sequence) - 1))
    size = data.draw(st.integers(1, min(4, len(sequence) - start)))
    ref, alt = sequence[start : start + size], data.draw(few)
    change = normal_form(sequence, start, ref, alt)
    wanted = sequence[:start] + alt + sequence[start + size :]
    assert applied(sequence, change) == wanted
    assert applied(sequence, moved_right(sequence, change)) == wanted
    position, own_ref, own_alt = as_in_vcf(sequence, change)
    if ref != alt:
        assert min(len(own_ref), len(own_alt)) >= 1
        assert sequence[position - 1 :][: len(own_ref)] == own_ref
        assert normal_form(sequence, position - 1, own_ref, own_alt) == change
    if change.start and (change.start == change.end) != (not change.alt):
        one_left = Change(change.start - 1, change.end - 1, sequence[change.start - 1] + change.alt[:-1])
        if not change.alt:
            one_left = Change(change.start - 1, change.end - 1, "")
        assert applied(sequence, one_left) != wanted
