"""Contigs of one name in several files told apart: chromosome `I` of two genomes is `I@worm` and `I@yeast`.

Which name a contig gets depends on the names of the files, not on their order. An accession that comes twice
with the same sequence is the same record given twice, which is a mistake.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lifecode.data.reading.inputs import InputUnit, stem
from lifecode.errors import UserError


class Namesake(NamedTuple):
    """A contig whose name is not its own alone: number, name, digest of the sequence, number of the unit."""

    number: int
    name: str
    digest: bytes
    unit: int


def _unit_labels(units: Sequence[InputUnit]) -> list[str]:
    """A label of each unit, no two alike: its first file without endings, behind folders where need be."""
    paths = [unit.files[0].expanduser().absolute() for unit in units]
    labels, folders = [stem(path) for path in paths], [path.parent for path in paths]
    while any(number > 1 for number in Counter(labels).values()) and any(f.name for f in folders):
        alike = Counter(labels)
        for i, label in enumerate(labels):
            if alike[label] > 1 and folders[i].name:
                labels[i], folders[i] = f"{folders[i].name}/{label}", folders[i].parent
    return [label if labels.count(label) == 1 else f"{label}#{i + 1}" for i, label in enumerate(labels)]


def told_apart(namesakes: Sequence[Namesake], units: Sequence[InputUnit]) -> dict[int, str]:
    """A name of its own for each contig, by its number: with the file behind it, numbered within a file.

    Args:
        namesakes: every contig that has its name in common with another, in the order of the inputs.
        units: what was read.

    Raises:
        UserError: two of them are the same sequence, or stand in one file whose annotation, a file of its
            own, cannot tell them apart.
    """
    labels = _unit_labels(units) if namesakes else []
    renamed: dict[int, str] = {}
    first: dict[tuple[str, bytes], Namesake] = {}
    within: Counter[str] = Counter()
    for one in namesakes:
        files = units[one.unit].files
        other = first.setdefault((one.name, one.digest), one)
        new = f"{one.name}@{labels[one.unit]}"
        within[new] += 1
        if other is not one or (within[new] > 1 and len(files) > 1):
            same = ", for the same sequence" if other is not one else ""
            raise UserError(
                f"the contig name was already used in {units[other.unit].files[0].name}{same}",
                source=files[0].name,
                record=one.name,
                remedy="Give each sequence once, under its own name",
            )
        renamed[one.number] = new if within[new] == 1 else f"{new}#{within[new]}"
    return renamed
