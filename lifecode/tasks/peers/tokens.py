"""What a tokenizer of others makes of a window of letters, and whether it knows these letters at all."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lifecode.alphabet import AMINO_ACIDS, STOP
from lifecode.errors import UserError

PeerLetters = Literal["dna", "rna", "protein"]
Tokens = Mapping[str, list[int]]
"""Of one window: what its tokenizer makes, a number a token."""
SPECIAL = "special_tokens_mask"
"""Among them: 1 where a token stands for no letters."""
_USUAL = {"dna": frozenset("ACGT"), "rna": frozenset("ACGU"), "protein": frozenset(AMINO_ACIDS[:STOP])}
"""Letters that every tokenizer of such sequences knows."""
_MOST_UNKNOWN = 0.02
"""Share of the tokens of such letters that may be unknown."""


def tokens_of(tokenizer: Any, text: str) -> Tokens:
    """The tokens of a window, without padding."""
    found = tokenizer(text, return_special_tokens_mask=True)
    ids = found["input_ids"]
    if len(found[SPECIAL]) != len(ids):  # of tokenizers that add tokens and do not say which
        special = {*tokenizer.all_special_ids} - {tokenizer.unk_token_id}
        found[SPECIAL] = [int(token in special) for token in ids]
    return found


def require_known(
    tokenizer: Any,
    letters: PeerLetters,
    texts: Sequence[str],
    tokens: Sequence[Tokens],
    *,
    least: int,
    source: str,
) -> None:
    """Raises a `UserError` where a tokenizer does not know usual letters, such as T where it wants U.

    Args:
        tokenizer: of the model.
        letters: what it is said to read.
        texts: windows, as it was given them.
        tokens: what it made of each.
        least: letters of a word; shorter windows are none.
        source: the model.
    """
    unknown, usual = tokenizer.unk_token_id, _USUAL[letters] | {" "}
    total, wrong, example = 0, 0, ""
    for text, window in zip(texts, tokens, strict=True):
        if len(text) >= least and usual.issuperset(text):
            own = [
                token for token, other in zip(window["input_ids"], window[SPECIAL], strict=True) if not other
            ]
            total, wrong = total + len(own), wrong + own.count(unknown)
            example = example or (text if unknown in own else "")
    if wrong > _MOST_UNKNOWN * total:
        raise UserError(
            f"its tokenizer does not know {wrong:,} of {total:,} tokens, as in {example[:20]}",
            source=source,
            remedy="Give peer.NAME.letters (dna, rna, protein) and peer.NAME.kmer that it was made for, "
            "or peer.NAME.tokenizer",
        )
