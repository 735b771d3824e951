"""How the files of a unit were read: as which dialects, by which genetic codes and why, with what result."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lifecode.data.cds.coding_sequence import Rejection
from lifecode.data.reading.contig_codes import AskedCodes
from lifecode.data.reading.remedies import MALFORMED, remedy
from lifecode.data.records import CodingSequence, Contig

NUM_EXAMPLES = 3
_LEAST_SHARE = 0.01


class ReadingSummary:
    """Counts over the contigs of a unit; thousands of scaffolds make a few entries.

    Args:
        files: names of the unit's files.
        asked: what the user says of genetic codes.

    Attributes:
        reasons: how many CDS are no exact pair, by reason.
        skipped: how many records could not be read, by reason.
    """

    def __init__(self, files: Sequence[str], asked: AskedCodes) -> None:
        self.reasons: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._files, self._asked = list(files), asked
        self._dialects: dict[str, dict[str, Any]] = {}
        self._codes: dict[tuple[int, str], dict[str, Any]] = {}
        self._matched: list[list[str]] = []
        self._num_matched = 0
        self._keys: set[str] = set()  # contigs that the user named a genetic code for, and that are there

    def add(self, contig: Contig) -> None:
        """Count a contig with its annotation."""
        if (key := self._asked.key_of(contig)) is not None:
            self._keys.add(key)
        num_cds = len(contig.coding_sequences)
        dialect = contig.dialect or "unknown"
        _count(self._dialects.setdefault(dialect, {"dialect": dialect}), contig.name, num_cds)
        if contig.annotated_as is not None:
            self._num_matched += 1
            if len(self._matched) < NUM_EXAMPLES:
                self._matched.append([contig.annotated_as, contig.name])
        if num_cds and contig.code_choice is not None:
            number, because, agree, voters = contig.code_choice
            codes = {"genetic_code": number, "because": because, "agree": 0, "voters": 0}
            entry = self._codes.setdefault((number, because), codes)
            entry["agree"] += agree
            entry["voters"] += voters
            _count(entry, contig.name, num_cds)

    def rejected_row(self, cds: CodingSequence, contig: Contig, rejection: Rejection) -> dict[str, str]:
        """Count a CDS that is no exact pair; its row of the table of those."""
        self.reasons[rejection.reason.value] += 1
        return {
            "id": cds.id,
            "contig": contig.name,
            "source": Path(contig.source).name,
            "reason": rejection.reason.value,
            "detail": rejection.detail,
            "place": _place(cds, contig),
        }

    def skipped_row(self, source: str, record: str, problem: str) -> dict[str, str]:
        """Count a record that could not be read; its row."""
        self.skipped[MALFORMED] += 1
        row = {"id": record, "contig": record, "source": Path(source).name, "reason": MALFORMED}
        return {**row, "detail": problem, "place": ""}

    def as_json(self) -> dict[str, Any]:
        """All of it, for `unit.json`."""
        return {
            "reasons": dict(self.reasons),
            "skipped": dict(self.skipped),
            "keys": sorted(self._keys),
            "read": {
                "files": self._files,
                "dialects": list(self._dialects.values()),
                "genetic_codes": list(self._codes.values()),
                "matched_names": self._matched,
                "num_matched_names": self._num_matched,
            },
        }


def left_out_entries(
    counts: Mapping[str, int], num_cds: int, examples: Mapping[str, Sequence[Mapping[str, str]]]
) -> list[dict[str, Any]]:
    """The reasons that cost more than 1 % of the CDS, the most frequent first, for `report.json`.

    Args:
        counts: CDS by reason.
        num_cds: all CDS.
        examples: the first rows of each reason.
    """
    frequent = {reason: n for reason, n in counts.items() if n > _LEAST_SHARE * num_cds}
    return [
        {
            "reason": reason,
            "count": number,
            "remedy": remedy(reason, [row["contig"] for row in examples.get(reason, ())]),
            "examples": [
                {key: row[key] for key in ("contig", "place", "id", "detail")}
                for row in examples.get(reason, ())
            ],
        }
        for reason, number in sorted(frequent.items(), key=lambda entry: -entry[1])
    ]


def first_of_each(rows: Iterable[dict[str, str]], known: dict[str, list[dict[str, str]]]) -> None:
    """Add rows to the first ones of their reasons."""
    for row in rows:
        of_reason = known.setdefault(row["reason"], [])
        if len(of_reason) < NUM_EXAMPLES:
            of_reason.append(row)


def _count(entry: dict[str, Any], name: str, num_cds: int) -> None:
    entry["contigs"] = entry.get("contigs", 0) + 1
    entry["cds"] = entry.get("cds", 0) + num_cds
    first = entry.setdefault("first", [])
    if len(first) < NUM_EXAMPLES:
        first.append(name)


def _place(cds: CodingSequence, contig: Contig) -> str:
    """Where to look: the line, or 1-based ends with the strand; nothing for a record that is one CDS."""
    if cds.line is not None:
        return f"line {cds.line}"
    if not cds.exons or contig.molecule in ("cds", "protein"):
        return ""
    first, last = min(exon.start for exon in cds.exons) + 1, max(exon.end for exon in cds.exons)
    strands = {exon.strand for exon in cds.exons}
    return f"{first}..{last}({'+' if strands == {1} else '-' if strands == {-1} else '+-'})"
