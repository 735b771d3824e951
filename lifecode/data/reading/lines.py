"""How files were read and what was left out, in lines that a biologist can act upon."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FILES_NAMED = 3


def _dialect_lines(report: Mapping[str, Any]) -> list[str]:
    """Which files were taken for what, files of one dialect in one line.

    Args:
        report: `Corpus.report`, or that of a dry reading; one without `read` gives no lines.
    """
    by_dialect: dict[str, list[tuple[str, Mapping[str, Any], bool]]] = {}
    for unit in report.get("read", ()):
        name = "+".join(reversed(unit["files"]))
        for entry in unit["dialects"]:
            by_dialect.setdefault(entry["dialect"], []).append((name, entry, len(unit["dialects"]) > 1))
    return [_dialect_line(dialect, entries) for dialect, entries in by_dialect.items()]


def _dialect_line(dialect: str, entries: Sequence[tuple[str, Mapping[str, Any], bool]]) -> str:
    names = [
        f"{name}: {_some(entry['first'], entry['contigs'])}" if mixed else name
        for name, entry, mixed in entries
    ]
    contigs, cds = (sum(entry[key] for _, entry, _ in entries) for key in ("contigs", "cds"))
    return f"{dialect} ({_some(names, len(names))}): {_number(contigs, 'contig')}, {cds:,} CDS"


def genetic_code_lines(report: Mapping[str, Any]) -> list[str]:
    """Which contigs are read by which genetic code and why, contigs of one answer in one line."""
    groups: dict[tuple[int, str], dict[str, Any]] = {}
    for unit in report.get("read", ()):
        for entry in unit["genetic_codes"]:
            group = groups.setdefault(
                (entry["genetic_code"], entry["because"]),
                {"contigs": 0, "cds": 0, "agree": 0, "voters": 0, "first": []},
            )
            for key in ("contigs", "cds", "agree", "voters"):
                group[key] += entry[key]
            group["first"] += entry["first"]
    return [
        f"{_why(code, because, group)}: {_some(group['first'], group['contigs'])} ({group['cds']:,} CDS)"
        for (code, because), group in groups.items()
    ]


def _why(code: int, because: str, group: Mapping[str, Any]) -> str:
    if because == "organelle":
        return "no genetic code, DNA of an organelle without proteins or /transl_table"
    against = group["voters"] - group["agree"]
    reasons = {
        "key": "as data.reading.genetic_code says"
        + (f", against /transl_table of {against:,} CDS" if against else ""),
        "transl_table": "by /transl_table",
        "vote": f"by vote of {group['agree']:,} of {group['voters']:,} proteins",
        "default": "by default, nothing says another",
    }
    return f"genetic code {code} {reasons[because]}"


def renamed_line(report: Mapping[str, Any]) -> str | None:
    """That contigs of one name were told apart, or None."""
    number = report.get("num_renamed", 0)
    return (
        f"contigs of one name in several files, told apart: {_some(report['renamed'], number)}"
        if number
        else None
    )


def _matched_name_lines(report: Mapping[str, Any]) -> list[str]:
    """Where an annotation names sequences in another form than their own file, a line a file."""
    return [
        f"{unit['files'][-1]} names sequences in another form than {unit['files'][0]}: "
        + _some([f"{name} is {own}" for name, own in unit["matched_names"]], unit["num_matched_names"])
        for unit in report.get("read", ())
        if unit.get("num_matched_names")
    ]


def how_read_lines(report: Mapping[str, Any]) -> list[str]:
    """All of these."""
    lines = [
        *_dialect_lines(report),
        *_matched_name_lines(report),
        *genetic_code_lines(report),
        renamed_line(report),
    ]
    return [line for line in lines if line is not None]


def left_out_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Each reason with more than 1 % of the CDS, what would change it, and the first that it concerns."""
    for entry in report.get("left_out", ()):
        yield f"{entry['reason'].replace('_', ' ')}, {entry['count']:,}; to change it: {entry['remedy']}"
        for example in entry["examples"]:
            yield f"  {_example_place(example)}: {example['id']}, {example['detail']}"


def _example_place(example: Mapping[str, str]) -> str:
    """Contig and line or location of one that was left out."""
    return " ".join(word for word in (example["contig"], example.get("place")) if word)


def _some(names: Sequence[str], number: int) -> str:
    shown = list(names[:_FILES_NAMED])
    more = [f"and {number - len(shown):,} more"] if number > len(shown) else []
    return ", ".join(shown) + (" " + more[0] if more else "")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
