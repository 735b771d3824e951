"""The genetic code of each contig: what the user says, else its `/transl_table`, else its proteins, else 1.

The proteins vote: of all NCBI codes the one under which most annotated CDS of the contig translate exactly,
alternative start codons included, so that bacterial genes that begin with GTG make it 11. Of equals code 1
wins, then 11, then the one that reads fewest codons otherwise than 1; a code must be right for more than half
of the proteins. A code by which a codon is a residue inside a gene and a stop at its end (27, 28, 31) agrees
with whatever code 1 does and with every stop that is read through, so it is asked only where no other is
right for more than half. A CDS in which `transl_except` names a codon that no code reads so does not vote.
Without proteins code 1 is taken, except on DNA of an organelle, whose code no name tells: its CDS are left
out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, Rejection, cut_out, verdict_on
from lifecode.data.cds.recoding import has_recoded_codon
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import CodeChoice, CodingSequence, Contig
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code, genetic_code_numbers

_DEFAULT_CODE = 1
_DEFAULT_KEY = "default"
_OTHER_NUMBERS = tuple(number for number in genetic_code_numbers() if number not in (1, 11))


@dataclass(frozen=True, slots=True)
class AskedCodes:
    """What the user says of genetic codes.

    Attributes:
        everywhere: of every contig, or None.
        of_contig: by name, that of the chromosome or that in the annotation; an accession also without its
            version.
        default: of contigs about which nothing else says anything, or None.
    """

    everywhere: int | None
    of_contig: Mapping[str, int]
    default: int | None

    @classmethod
    def of(cls, setting: int | Mapping[str, int] | None) -> "AskedCodes":
        """From `data.reading.genetic_code`: a number, or numbers by contig and `default`.

        Raises:
            UserError: there is no such genetic code.
        """
        numbers = setting if isinstance(setting, Mapping) else {} if setting is None else {"": setting}
        for number in numbers.values():
            genetic_code(number)
        if isinstance(setting, Mapping):
            named = {name: number for name, number in setting.items() if name != _DEFAULT_KEY}
            return cls(None, named, setting.get(_DEFAULT_KEY))
        return cls(setting, {}, None)

    def key_of(self, contig: Contig) -> str | None:
        """Which of the names in `of_contig` means a contig or its chromosome, perhaps without its version."""
        return self._key_among(contig.name, contig.chromosome, contig.annotated_as)

    def _key_among(self, *names_of_contig: str | None) -> str | None:
        for told in filter(None, names_of_contig):
            bare, _, version = told.rpartition(".")
            names = (told, bare) if version.isdecimal() else (told,)
            if found := next((name for name in names if name in self.of_contig), None):
                return found
        return None

    @property
    def where_nothing_says(self) -> int:
        """The code of proteins and of contigs about which nothing says anything."""
        return self.everywhere or self.default or _DEFAULT_CODE

    def code_of(self, *names: str) -> int:
        """The code to read a contig of these names by before its file has been asked."""
        key = self._key_among(*names)
        return self.where_nothing_says if key is None else self.of_contig[key]

    def require_found(self, found: set[str], names: Sequence[str]) -> None:
        """Raise a `UserError` for a contig that the user names and no file has.

        Args:
            found: those of `of_contig` that were met.
            names: some of the contigs that there are.
        """
        if unknown := [name for name in self.of_contig if name not in found]:
            raise UserError(
                f"no contig is named {', '.join(unknown)}",
                source="data.reading.genetic_code",
                remedy=f"There are {', '.join(names[:5])}{' …' if len(names) > 5 else ''}",
            )


def with_genetic_code(contig: Contig, asked: AskedCodes) -> Contig:
    """The contig, and its CDS, with the genetic code that it is read by, and why."""
    if contig.molecule == "protein":  # its codons were chosen by the code that it has
        return contig
    if contig.organelle is None and contig.molecule == "dna":
        contig = replace(contig, organelle=organelle_named(contig.name))
    coding = contig.coding_sequences
    key = asked.key_of(contig)
    number = asked.everywhere if key is None else asked.of_contig[key]
    if number is not None:
        given = [cds.genetic_code for cds in coding if cds.genetic_code_given]
        return replace(
            contig,
            genetic_code=number,
            coding_sequences=tuple(_read_by(cds, number) for cds in coding),
            code_choice=CodeChoice(number, "key", given.count(number), len(given)),
        )
    choice = _choice(contig, asked)
    number = choice.genetic_code
    if choice.because == "transl_table" and all(cds.genetic_code_given for cds in coding):
        return replace(contig, code_choice=choice)
    if any(cds.genetic_code != number and not cds.genetic_code_given for cds in coding):
        coding = tuple(cds if cds.genetic_code_given else _read_by(cds, number) for cds in coding)
    return replace(contig, genetic_code=number, coding_sequences=coding, code_choice=choice)


def _choice(contig: Contig, asked: AskedCodes) -> CodeChoice:
    given = Counter(cds.genetic_code for cds in contig.coding_sequences if cds.genetic_code_given)
    if given:
        return CodeChoice(given.most_common(1)[0][0], "transl_table")
    if (voted := _vote(contig)) is not None:
        return voted
    if contig.organelle and contig.coding_sequences and asked.default is None:
        return CodeChoice(_DEFAULT_CODE, "organelle")
    return CodeChoice(asked.where_nothing_says, "default")


def _read_by(cds: CodingSequence, number: int) -> CodingSequence:
    return cds if cds.genetic_code == number else replace(cds, genetic_code=number)


def _vote(contig: Contig) -> CodeChoice | None:
    """The code that most proteins of the contig agree with; None where there are none, or too few agree."""
    voters = [cds for cds in contig.coding_sequences if cds.protein and not has_recoded_codon(cds)]
    cut = [(cds, piece) for cds in voters if not isinstance(piece := cut_out(cds, contig), Rejection)]
    if not cut:
        return None
    ballot = _Ballot([cds for cds, _ in cut], [piece for _, piece in cut])
    by_default = ballot.agree(_DEFAULT_CODE, range(len(cut)))
    others = sorted(set(range(len(cut))) - by_default)
    best, most = _DEFAULT_CODE, len(by_default)
    for number in (11, *sorted(_OTHER_NUMBERS, key=_rank)) if others else ():
        if genetic_code(number).has_stops_inside and 2 * most > len(cut):
            break
        gained = len(ballot.agree(number, others))
        if gained and (total := gained + len(ballot.agree(number, sorted(by_default)))) > most:
            best, most = number, total
    return CodeChoice(best, "vote", most, len(cut)) if 2 * most > len(cut) else None


def _rank(number: int) -> tuple[bool, int]:
    """Where a code stands among the others: last if it has stops inside, then by how many codons it moves."""
    code = genetic_code(number)
    return code.has_stops_inside, int((code.residues != genetic_code(_DEFAULT_CODE).residues).sum())


class _Ballot:
    """The CDS that vote, their codons read once."""

    def __init__(self, voters: Sequence[CodingSequence], nucleotides: Sequence[NDArray[np.uint8]]) -> None:
        self._voters, self._nucleotides = voters, nucleotides
        whole = [len(piece) // 3 * 3 for piece in nucleotides]
        self._codons = codon_ids(
            np.concatenate([piece[:size] for piece, size in zip(nucleotides, whole, strict=True)])
        )
        self._ends = np.cumsum(whole) // 3

    def agree(self, number: int, among: Sequence[int]) -> set[int]:
        """Which of some voters translate exactly by a code."""
        letters = genetic_code(number).letters_of(self._codons)
        agreeing = set()
        for voter in among:
            own = slice(int(self._ends[voter - 1]) if voter else 0, int(self._ends[voter]))
            cds = _read_by(self._voters[voter], number)
            verdict = verdict_on(cds, self._nucleotides[voter], self._codons[own], letters[own], 1.0)
            if isinstance(verdict, ExactPair):
                agreeing.add(voter)
        return agreeing
