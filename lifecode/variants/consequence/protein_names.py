"""HGVS names of what a protein becomes: `p.(Lys12Arg)`, `p.(Gly4fs...)`; in parentheses, since predicted.

By the recommendations of the Human Genome Variation Society (version 21). The sequences are compared from
their first difference on, so that a change that could stand in several places stands furthest C-terminal.
"""

from Bio.Data import IUPACData

_THREE = {**IUPACData.protein_letters_1to3_extended, "*": "Ter", "X": "Xaa"}

SAME = "p.(=)"
UNKNOWN = "p.?"
START_LOST = "p.(Met1?)"
NONE_MADE = "p.0?"


def three_letters(residues: str) -> str:
    """Residues by three letters each; `*` is Ter, X is Xaa."""
    return "".join(_THREE[residue] for residue in residues)


def silent(protein: str, first: int, last: int) -> str:
    """The name where residues `first` to `last` (0-based, inclusive) stay what they are."""
    return f"p.({_span(protein, first, last)}=)"


def substituted(residue: str, number: int, other: str) -> str:
    """The name of one residue (0-based number) that becomes another, or a stop."""
    return f"p.({_THREE[residue]}{number + 1}{_THREE[other]})"


def in_frame(protein: str, altered: str, begin: int, behind: str) -> str:
    """The name of a change that keeps the frame.

    Args:
        protein: with its stop, if it has one.
        altered: what it becomes, likewise; equal to it before `begin`, and again behind what changes.
        begin: first residue that may differ, 0-based.
        behind: residues behind the stop in this frame, to the next one inclusive; read where the stop is
            lost.
    """
    same, end_old, end_new = begin, len(protein), len(altered)
    while same < end_old and same < end_new and protein[same] == altered[same]:
        same += 1
    if same == end_old and (end_old == end_new or protein.endswith("*")):
        return SAME
    if same < end_new and altered[same] == "*":
        return substituted(protein[same], same, "*") if same < end_old else UNKNOWN
    while end_old > same and end_new > same and protein[end_old - 1] == altered[end_new - 1]:
        end_old, end_new = end_old - 1, end_new - 1
    old, new = protein[same:end_old], altered[same:end_new]
    if "*" in new:  # nothing behind it is read: p.(Lys2_Ala3insProTer)
        new = new[: new.index("*") + 1]
        while old and new and old[-1] == new[-1]:
            old, new, end_old = old[:-1], new[:-1], end_old - 1
    elif old.endswith("*") and end_old == len(protein):
        return extended(protein, altered, same, behind)
    if not old:
        size = len(new)
        if same >= size and protein[same - size : same] == new:
            return f"p.({_span(protein, same - size, same - 1)}dup)"
        if not same or same >= len(protein):
            return UNKNOWN
        return f"p.({_span(protein, same - 1, same)}ins{three_letters(new)})"
    if not new:
        return f"p.({_span(protein, same, end_old - 1)}del)"
    if len(old) == len(new) == 1:
        return substituted(old, same, new)
    return f"p.({_span(protein, same, end_old - 1)}delins{three_letters(new)})"


def extended(protein: str, altered: str, same: int, behind: str) -> str:
    """The name where the stop is lost and reading goes on in its frame to the next one, as for `in_frame`."""
    last, altered = len(protein) - 1, altered + behind
    while same < last and same < len(altered) and protein[same] == altered[same]:
        same += 1
    if same >= len(altered):
        return UNKNOWN
    if altered[same] == "*":
        return substituted(protein[same], same, "*")
    if same < last:
        return f"p.({_span(protein, same, last)}delins{three_letters(altered[same:])})"
    stop = altered.find("*", last)
    return f"p.(Ter{last + 1}{_THREE[altered[last]]}extTer{stop - last if stop >= 0 else '?'})"


def shifted(protein: str, altered: str, begin: int) -> str:
    """The name of a frameshift.

    Args:
        protein: with its stop, if it has one.
        altered: what is read instead, as far as can be, to its first stop inclusive.
        begin: first residue that may differ, 0-based.
    """
    same = begin
    while same < len(protein) and same < len(altered) and protein[same] == altered[same]:
        same += 1
    if same >= len(altered):
        return SAME if len(altered) == len(protein) else UNKNOWN
    if same >= len(protein):
        return UNKNOWN
    if altered[same] == "*":
        return substituted(protein[same], same, "*")
    stop = altered.find("*", same)
    behind = str(stop - same) if stop >= 0 else "?"
    if protein[same] == "*":
        return f"p.(Ter{same + 1}{_THREE[altered[same]]}extTer{behind})"
    count = str(stop - same + 1) if stop >= 0 else "?"
    return f"p.({_THREE[protein[same]]}{same + 1}{_THREE[altered[same]]}fsTer{count})"


def _span(protein: str, first: int, last: int) -> str:
    one = f"{_THREE[protein[first]]}{first + 1}"
    return one if first == last else f"{one}_{_THREE[protein[last]]}{last + 1}"
