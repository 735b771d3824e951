"""A `c.` name says all of a change: put back on the contig, with intron offsets, it gives the same letters.

Genes are drawn: up to four exons, untranslated ones among them or unknown, on both strands, poor in letters,
so that much can be shifted. Names are read by numbers that are counted here on their own.
"""

import random
import re
from itertools import pairwise

import pytest

from lifecode.data.records import CodingSequence, Exon
from lifecode.variants.alleles import normal_form
from lifecode.variants.alleles import reverse_complement_letters as opposite
from lifecode.variants.consequence.effects import effect_on
from lifecode.variants.transcripts import Transcript

_NUMBER = r"(\*?-?\d+(?:[+-]\d+)?)"
_NAME = re.compile(rf"c\.{_NUMBER}(?:_{_NUMBER})?([ACGT]>[ACGT]|delins|del|dup|inv|ins)([ACGT]*)")


class Gene:
    """Letters in the direction of the gene, the exons there, and the transcript on its strand of a contig."""

    def __init__(self, draw: random.Random, alphabet: str) -> None:
        def letters(least: int, most: int) -> str:
            return "".join(draw.choice(alphabet) for _ in range(draw.randint(least, most)))

        head, tail = letters(0, 9), letters(0, 9)
        coding = "ATG" + "".join(letters(3, 3) for _ in range(draw.randint(3, 9))) + "TAA"
        spliced = head + coding + tail
        cuts = [0, *sorted(draw.sample(range(1, len(spliced)), draw.randint(0, 3))), len(spliced)]
        self.letters, exons, parts = letters(20, 20), [], []
        for first, last in pairwise(cuts):
            begin = len(self.letters)
            exons.append((begin, begin + last - first))
            low, high = max(first, len(head)), min(last, len(head) + len(coding))
            parts += [(begin + low - first, begin + high - first)] if low < high else []
            self.letters += spliced[first:last] + (
                "GT" + letters(8, 12) + "AG" if last < len(spliced) else ""
            )
        self.letters += letters(20, 20)
        self.forward, known = draw.random() < 0.5, draw.random() < 0.7
        self.exons = exons if known else parts
        self.sequence = self.letters if self.forward else opposite(self.letters)
        own = tuple(Exon(*self.on_contig(*part), 1 if self.forward else -1) for part in parts)
        placed = [self.on_contig(*exon) for exon in exons] if known else None
        self.transcript = Transcript(CodingSequence("t", None, own), self.sequence, placed)
        self.places = self._places(len(head) if known else 0, len(coding))

    def on_contig(self, start: int, end: int) -> tuple[int, int]:
        return (start, end) if self.forward else (len(self.letters) - end, len(self.letters) - start)

    def _places(self, before: int, coding: int) -> dict[str, int]:
        """Where each number lies along the gene."""
        spliced = [place for exon in self.exons for place in range(*exon)]

        def number(along: int) -> str:
            along -= before
            return str(along) if along < 0 else str(along + 1) if along < coding else f"*{along - coding + 1}"

        places = {number(along): place for along, place in enumerate(spliced)}
        for along, (place, other) in enumerate(pairwise(spliced)):
            gap = other - place - 1
            for way in range(1, gap + 1):
                upstream = way <= gap + 1 - way
                name = f"{number(along)}+{way}" if upstream else f"{number(along + 1)}-{gap + 1 - way}"
                places[name] = place + way
        places |= {number(place - spliced[0]): place for place in range(spliced[0])}
        end = spliced[-1] + 1
        return places | {number(len(spliced) + i): end + i for i in range(len(self.letters) - end)}

    def named(self, at: int, ref: str, alt: str) -> str:
        start, _ = self.on_contig(at, at + len(ref))
        pair = (ref, alt) if self.forward else (opposite(ref), opposite(alt))
        change = normal_form(self.sequence, start, *pair)
        return effect_on(self.transcript, self.sequence, change).hgvs_c

    def described(self, name: str) -> str:
        """The letters that a name gives; fails where another kind of name or another place comes first."""
        found = _NAME.fullmatch(name)
        assert found, name
        first = self.places[found[1]]
        last = self.places[found[2]] if found[2] else first
        kind, new = found[3], found[4]
        before, own, behind = self.letters[:first], self.letters[first : last + 1], self.letters[last + 1 :]
        if ">" in kind:
            assert own == kind[0]
            return before + kind[2] + behind
        if kind == "ins":
            assert last == first + 1
            before, behind = before + own[0], own[1] + behind
            assert behind[0] != new[0], f"{name} can stand further right"
            assert not before.endswith(new), f"{name} is a duplication"
            return before + new + behind
        if kind in ("del", "dup"):
            assert own[0] != behind[:1], f"{name} can stand further right"
        if kind == "delins":
            assert own[0] != new[0], f"{name} is not trimmed"
            assert own[-1] != new[-1], f"{name} is not trimmed"
            assert len(own) == 1 or new != opposite(own), f"{name} is an inversion"
        return before + {"del": "", "delins": new, "dup": own + own, "inv": opposite(own)}[kind] + behind


@pytest.mark.parametrize("alphabet", ["ACGT", "AG", "ACT"])
def test_names_put_back_on_the_contig_give_the_change(alphabet):
    draw, seen = random.Random(0), set()
    for _ in range(25):
        gene = Gene(draw, alphabet)
        size = len(gene.letters)
        for _ in range(40):
            at = draw.randrange(gene.exons[0][0] + 1, gene.exons[-1][1] - 1)
            ref = gene.letters[at : min(at + draw.choice([0, 0, 1, 1, 2, 3, 4, 6, 9]), size - 15)]
            new = "".join(draw.choice("ACGT") for _ in range(draw.choice([len(ref), 0, 1, 2, 3, 6])))
            alt = draw.choice([new, new, ref + ref, opposite(ref), ""])
            if ref != alt:
                name = gene.named(at, ref, alt)
                assert gene.described(name) == gene.letters[:at] + alt + gene.letters[at + len(ref) :], name
                seen.add(re.sub(r"[^a-z>]", "", name[2:]))
    assert seen == {">", "del", "delins", "dup", "ins", "inv"}
