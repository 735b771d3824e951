"""A name says all of a change: done to the transcript and the protein, it gives what the change gives."""

import re

from Bio.Data import IUPACData
from Bio.Seq import Seq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.spliced_gene import FORWARD, SplicedGene

GENES = {1: SplicedGene(1), -1: SplicedGene(-1)}
EXONS = ((10, 26), (46, 70))
UTR, CDS = 6, 24
ONE = {"Ter": "*", "Xaa": "X"} | {
    three: one for one, three in IUPACData.protein_letters_1to3_extended.items()
}


def spliced(forward: str) -> str:
    return "".join(forward[start:end] for start, end in EXONS)


def along(number: str) -> int:
    """Place in the spliced transcript of a `c.` number without an intron, from 0."""
    if number.startswith("*"):
        return UTR + CDS + int(number[1:]) - 1
    value = int(number)
    return UTR + value - 1 if value > 0 else UTR + value


def applied_c(name: str, letters: str) -> str:
    """The transcript that a `c.` name describes."""
    number = r"(\*?-?\d+)"
    found = re.fullmatch(rf"c\.{number}(?:_{number})?([ACGT]>[ACGT]|delins|del|dup|inv|ins)([ACGT]*)", name)
    assert found, name
    first = along(found[1])
    last = along(found[2]) if found[2] else first
    kind, new = found[3], found[4]
    before, own, behind = letters[:first], letters[first : last + 1], letters[last + 1 :]
    if ">" in kind:
        assert own == kind[0]
        return before + kind[2] + behind
    if kind == "ins":
        assert last == first + 1
        return letters[:last] + new + letters[last:]
    return (
        before
        + {
            "del": "",
            "delins": new,
            "dup": own + own,
            "inv": str(Seq(own).reverse_complement()),
        }[kind]
        + behind
    )


def applied_p(name: str, protein: str) -> tuple[str, bool]:
    """The protein that a `p.` name describes, as far as it does, and whether that is all of it."""
    if name.endswith("=)"):
        return protein, True
    residue = r"([A-Z][a-z]{2})(\d+)"
    body = name.removeprefix("p.(").removesuffix(")")
    if found := re.fullmatch(rf"{residue}([A-Z][a-z]{{2}})fsTer[\d?]+", body):
        return protein[: int(found[2]) - 1] + ONE[found[3]], False
    if found := re.fullmatch(r"Ter(\d+)([A-Z][a-z]{2})extTer[\d?]+", body):
        return protein[: int(found[1]) - 1] + ONE[found[2]], False
    found = re.fullmatch(rf"{residue}(?:_{residue})?(delins|del|dup|ins|)((?:[A-Z][a-z]{{2}})*)", body)
    assert found, name
    first = int(found[2]) - 1
    last = int(found[4]) - 1 if found[4] else first
    assert protein[first] == ONE[found[1]]
    assert not found[3] or protein[last] == ONE[found[3]]
    new = "".join(ONE[word] for word in re.findall("[A-Z][a-z]{2}", found[6]))
    own = protein[first : last + 1]
    if found[5] == "ins":
        done = protein[:last] + new + protein[last:]
    else:
        put = {"": new, "del": "", "delins": new, "dup": own + own}[found[5]]
        done = protein[:first] + put + protein[last + 1 :]
    return done[: done.index("*") + 1] if "*" in done else done, True


letters = st.text(alphabet="ACGT", max_size=5)


@settings(max_examples=150)
@given(st.sampled_from([1, -1]), st.integers(13, 66), st.integers(0, 5), letters)
def test_names_describe_the_change(strand, at, size, alt):
    ref = FORWARD[at : at + size]
    assume(ref != alt and any(start <= at and at + size <= end for start, end in EXONS))
    assume(not (not ref and at in (10, 46)))
    effect = GENES[strand].effect(at, ref, alt)
    altered = FORWARD[:at] + alt + FORWARD[at + size :]
    grown = len(alt) - size
    first, second = EXONS
    if at <= first[1]:
        after = altered[first[0] : first[1] + grown] + altered[second[0] + grown : second[1] + grown]
    else:
        after = altered[first[0] : first[1]] + altered[second[0] : second[1] + grown]
    # shifted into the intron, or a duplication of letters beyond the transcript
    if re.search(r"\d[+-]\d|-([7-9]|\d\d)|\*\d\d", effect.hgvs_c):
        return
    assert applied_c(effect.hgvs_c, spliced(FORWARD)) == after
    if not effect.hgvs_p or effect.hgvs_p in ("p.(Met1?)", "p.?"):
        return
    if effect.status == "start_retained":
        assert after.endswith(spliced(FORWARD)[UTR:])
        return
    coding = after[UTR:]
    read = str(Seq(coding[: len(coding) // 3 * 3]).translate(to_stop=True))
    ended = "*" in str(Seq(coding[: len(coding) // 3 * 3]).translate())
    described, whole = applied_p(effect.hgvs_p, "MKAWPKT*")
    if whole:
        assert described.removesuffix("*") == read
        assert described.endswith("*") == ended
    else:
        assert read.startswith(described)
        assert read != "MKAWPKT"
