"""What a caller gives LucaOne, text, records or a file, as tokens; each with the molecule that it is."""

from collections.abc import Iterable, Sequence
from typing import Any

from lifecode.data.reading.named_sequences import named_records
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.models.luca_one.rows import Tokens
from lifecode.models.luca_one.vocabulary import (
    Kind,
    molecule_kind,
    tokens_of_letters,
    tokens_of_nucleotides,
)

Molecules = str | Sequence[str] | None
"""What sequences are: one word for all, one for each, or None where they say it themselves."""

_SAY = 'Say which: molecule="dna" or molecule="protein", or a list with one word per sequence'


def named_tokens(given: Any, molecule: Molecules) -> tuple[Sequence[str | int], list[Tokens]]:
    """Names and tokens of one or several sequences.

    Args:
        given: as for `lifecode.data.reading.named_sequences.named_records`.
        molecule: what the sequences are, one word for all or one for each; None where all are records of
            `read_records`, or a file, which say so themselves.

    Raises:
        UserError: no sequence, an empty one, something that is none, a molecule that is unknown, missing or
            not that of a record, or a character that is no letter.
    """
    names, records = named_records(given)
    if isinstance(molecule, str) or not isinstance(molecule, Iterable):
        words: list[Any] = [molecule] * len(records)
    else:
        words = list(molecule)
    if len(words) != len(records):
        raise UserError(f"{len(words)} molecules are named for {len(records)} sequences", source="molecule")
    tokens = [_tokens(record, word, name) for record, word, name in zip(records, words, names, strict=True)]
    empty = next((name for name, own in zip(names, tokens, strict=True) if not len(own.ids)), None)
    if not tokens or empty is not None:
        raise UserError("there is no sequence to read", record=empty, remedy="Give at least one letter")
    return names, tokens


def _tokens(record: Any, word: str | None, name: object) -> Tokens:
    if isinstance(record, Contig):
        kind = molecule_kind(record.molecule, record=name)
        _require_same(kind, word, name)
        if kind == "nucleic acid":
            return Tokens(tokens_of_nucleotides(record.nucleotides), kind)
        protein = record.coding_sequences[0].protein or ""
        return Tokens(tokens_of_letters(protein, kind, record=name), kind)
    if word is None:
        raise UserError("it is not said what molecule this is", record=name, remedy=_SAY)
    kind = molecule_kind(word, record=name)
    return Tokens(tokens_of_letters(record, kind, record=name), kind)


def _require_same(kind: Kind, word: str | None, name: object) -> None:
    if word is not None and molecule_kind(word, record=name) != kind:
        raise UserError(
            f"the record is a {kind}, not {word!r}", source="molecule", record=name, remedy="Leave it out"
        )
