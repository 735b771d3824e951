"""What preparing would find, without writing anything: every unit is read and judged, and counted."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from lifecode.data.cds.coding_sequence import Rejection, verify_all
from lifecode.data.reading.contig_names import Namesake, told_apart
from lifecode.data.reading.inputs import Inputs, InputUnit, resolve_inputs
from lifecode.data.reading.read import ReadingSettings, read_unit
from lifecode.data.reading.summary import ReadingSummary, first_of_each, left_out_entries
from lifecode.data.splits.twins import strandless_digest


def read_without_writing(
    inputs: Inputs, reading: ReadingSettings, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """What `report.json` would say of the reading; no splits.

    Args:
        inputs: as for `prepare_corpus`.
        reading: likewise.
        progress: likewise.

    Raises:
        UserError: as `prepare_corpus` where an input cannot be read.
    """
    units = resolve_inputs(inputs)
    sizes = [sum(file.stat().st_size for file in unit.files) for unit in units]
    summaries: list[ReadingSummary] = []
    examples: dict[str, list[dict[str, str]]] = {}
    contigs: list[Namesake] = []
    num_nucleotides = kept = 0
    for number, unit in enumerate(units):
        summary = ReadingSummary([file.name for file in unit.files], reading.asked_codes())
        summaries.append(summary)
        for contig in read_unit(unit, reading, _listing(summary, examples)):
            summary.add(contig)
            digest = strandless_digest(contig.nucleotides)[0]
            contigs.append(Namesake(len(contigs), contig.name, digest, number))
            num_nucleotides += len(contig.nucleotides)
            verdicts = verify_all(contig, reading.max_ambiguous_share)
            for cds, verdict in zip(contig.coding_sequences, verdicts, strict=True):
                if isinstance(verdict, Rejection):
                    first_of_each([summary.rejected_row(cds, contig, verdict)], examples)
                else:
                    kept += 1
        if progress is not None:
            progress("reading", sum(sizes[: number + 1]), sum(sizes))
    read = [summary.as_json() for summary in summaries]
    found = {key for unit in read for key in unit["keys"]}
    reading.asked_codes().require_found(found, [contig.name for contig in contigs[:6]])
    return _report(contigs, units, num_nucleotides, kept, read, examples)


def _listing(
    summary: ReadingSummary, examples: dict[str, list[dict[str, str]]]
) -> Callable[[str, str, str], None]:
    def report(source: str, record: str, problem: str) -> None:
        first_of_each([summary.skipped_row(source, record, problem)], examples)

    return report


def _report(
    contigs: list[Namesake],
    units: list[InputUnit],
    num_nucleotides: int,
    kept: int,
    read: list[dict[str, Any]],
    examples: dict[str, list[dict[str, str]]],
) -> dict[str, Any]:
    count = Counter(contig.name for contig in contigs)
    renamed = told_apart([contig for contig in contigs if count[contig.name] > 1], units)
    reasons, skipped = (
        sum((Counter(unit[key]) for unit in read), Counter()) for key in ("reasons", "skipped")
    )
    num_cds = kept + reasons.total()
    return {
        "contigs": len(contigs),
        "nucleotides": num_nucleotides,
        "skipped": dict(sorted(skipped.items())),
        "read": [unit["read"] for unit in read],
        "renamed": sorted(renamed.values())[:10],
        "num_renamed": len(renamed),
        "cds": {"total": num_cds},
        "pairs": {"kept": kept, "rejected": dict(sorted(reasons.items())), "dropped": {}},
        "left_out": left_out_entries({**reasons, **skipped}, num_cds, examples),
    }
