"""A FASTA file and the annotation of its records, brought together record by record.

The annotation is read once and indexed (`AnnotationIndex`), then the FASTA file is streamed: its order
counts, and one record with its own annotation is in memory at a time. Names that differ in form alone are
matched where no other pair of them fits (`name_forms`), which needs the names of all records beforehand.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from lifecode.data.formats.annotation.index import AnnotationIndex
from lifecode.data.formats.annotation.name_forms import Matched, forms, paired_names
from lifecode.data.formats.fasta import NucleotideRecord, nucleotide_records
from lifecode.data.formats.malformed import Settle
from lifecode.errors import UserError

_NAMED = 3


class AnnotatedRecord(NamedTuple):
    """A FASTA record with its lines of annotation, and under which name that has them.

    Attributes:
        key: of the lines in the index; the record's own where it has none.
    """

    record: NucleotideRecord
    lines: list[bytes]
    key: str


def annotated_records(
    sections: Iterable[BinaryIO],
    source: str,
    names: Callable[[], Iterable[str]],
    index: AnnotationIndex,
    key_of: Callable[[NucleotideRecord], str],
    num_cds: Callable[[list[bytes]], int],
    annotation: str,
    settle: Settle,
    *,
    joined: bool = False,
) -> Iterator[AnnotatedRecord]:
    """Yield every FASTA record with its lines of annotation.

    Args:
        sections: uncompressed bytes of the FASTA file, or of the sections of one that holds annotation too.
        source: its name, for messages.
        names: gives the keys of all records; asked where those of the annotation differ.
        index: the lines of the annotation file.
        key_of: under which key the index has the lines of a record.
        num_cds: how many CDS lines there are, so that it is a fault if their sequence is missing.
        annotation: name of the annotation file, for messages.
        settle: takes the fault of a record, and CDS whose sequence is missing.
        joined: the sections are those of the index: of a name in several, each has its own lines.

    Raises:
        UserError: not one record of the FASTA file is annotated, so the two do not belong together.
    """
    matching = _Matching(index, names)
    repeated = {name for name, count in Counter(names()).items() if count > 1} if joined else ()
    for number, section in enumerate(sections):
        for record in nucleotide_records(section, source, settle):
            own = key_of(record)
            key = matching.key_for(own)
            lines = index.take(key, number if own in repeated else None)
            yield AnnotatedRecord(record, lines, key)
    missing = [(key, count) for key, lines in index.left() if (count := num_cds(lines))]
    if missing and not index.taken:
        raise UserError(
            f"no sequence of {source} is annotated here; this file names {missing[0][0]}"
            + matching.why_not(missing[0][0]),
            source=annotation,
            remedy="Give the sequence file that this annotation was made for, with the same names",
        )
    for key, count in missing:
        settle(
            UserError(
                f"its CDS have no sequence ({count:,} line{'s' * (count != 1)}): {source} has no such record"
                + matching.why_not(key),
                source=annotation,
                record=key,
                remedy="Give a sequence file with all records of the annotation",
            )
        )


class _Matching:
    """Which key of the index a record has that none is for: that of the only name of the same form."""

    def __init__(self, index: AnnotationIndex, names: Callable[[], Iterable[str]]) -> None:
        self._index, self._names = index, names
        self._bare: set[str] | None = None
        self._found: Matched | None = None
        self._key_of: dict[str, str] = {}

    def key_for(self, key: str) -> str:
        if key in self._index or not self._index:
            return key
        if self._found is None:
            if self._bare is None:
                self._bare = {form.bare for name in self._index.keys_left() for form in forms(name)}
            if any(form.bare in self._bare for form in forms(key)):
                self._match()
        return self._key_of.get(key, key)

    def _match(self) -> None:
        taken = self._index.taken
        known = [name for name in self._names() if name not in taken]
        self._found = paired_names(self._index.keys_left(), known)
        self._key_of = {one: name for name, one in self._found.names.items()}

    def why_not(self, key: str) -> str:
        """Which records a key may be that has none, in words."""
        several = self._found.several.get(key, []) if self._found else []
        if len(several) < 2:
            return f", and others may be {several[0]} too" if several else ""
        return f", and it may be {' or '.join(several[:_NAMED])}{' …' * (len(several) > _NAMED)}"
