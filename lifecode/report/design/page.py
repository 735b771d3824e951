"""The page of designed coding sequences, each beside best codons, the host's usage and the wild type."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from lifecode.design.designs import Designs
from lifecode.design.measures import MIN_MAX_WINDOW
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.codons.min_max_chart import Profile, min_max_chart
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.page import Drawing, write_page

_MOST_PROTEINS = 20
"""That the page shows; the table beside it has all."""
_HEADINGS = (
    "score", "log P per codon", "CAI", "%MinMax mean", "lowest", "GC, %", "pair score", "sites",
    "unlike wild type",
)  # fmt: skip
_COLUMNS = (
    ("score", ".3f"),
    ("log_likelihood_per_codon", ".3f"),
    ("cai", ".3f"),
    ("min_max_mean", ".0f"),
    ("min_max_lowest", ".0f"),
    ("gc", ".1%"),
    ("codon_pair_score", ".3f"),
    ("forbidden_sites", "d"),
    ("codons_unlike_wild_type", "d"),
)


@plain_settings
def write_design_report(designs: Designs, folder: Path) -> Path:
    """Write `report.html` and `figures/min_max_*.png` into a folder; the same designs, the same page.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    shown = list(designs.proteins)[:_MOST_PROTEINS]
    drawings = {f"min_max_{number}": drawing for number, name in enumerate(shown, start=1)
                if (drawing := _drawing(designs, name)) is not None}  # fmt: skip
    host, rows = designs.host, defaultdict(list)
    for row in designs.rows():
        rows[row["protein"]].append(_shown(row))
    source = "a table of codon usage" if host.num_genes is None else f"{host.num_genes:,} verified genes"
    content = {
        "kind": "Designed coding sequences",
        "name": display_name(shown[0] if len(shown) == 1 else f"{len(designs.proteins):,} proteins"),
        "verdict": f"Every one of {len(designs.dna):,} designs translates to its protein",
        "key_figures": [
            ("host", display_name(host.name, 40)), ("proteins", f"{len(designs.proteins):,}"),
            ("distinct designs", f"{len(set(designs.dna.values())):,}"),
        ],
        "host": f"{display_name(host.name)}, {source}, genetic code {host.genetic_code}",
        "sites": ", ".join(designs.sites),
        "headings": _HEADINGS,
        "proteins": [
            {"name": display_name(name), "key": f"min_max_{number}", "rows": rows[name]}
            for number, name in enumerate(shown, start=1)
        ],
        "left_out": len(designs.proteins) - len(shown),
        "window": MIN_MAX_WINDOW,
        "versions": installed_versions("lifecode", "dnachisel", "biopython", "python-codon-tables"),
    }  # fmt: skip
    return write_page(folder, "design.html.jinja", content, drawings)


def _drawing(designs: Designs, name: str) -> Drawing | None:
    profiles = [
        Profile(one.kind, one.number, values)
        for one in designs.of(name)
        if len(values := designs.min_max_profile(one))
    ]
    if not profiles:
        return None
    words = (
        f"%MinMax along {display_name(name)}: designs, best codons, matched usage and the wild type if known."
    )
    return Drawing(min_max_chart(profiles, name=name, window=MIN_MAX_WINDOW), "%MinMax", words)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    number = row["id"].rpartition("|")[2]
    label = f"design {number}" if row["kind"] == "design" else row["kind"].replace("_", " ")
    return {"label": label, "explanation": _changes(row), "numbers": _numbers(row)}


def _changes(row: dict[str, Any]) -> str:
    changed = row["changed_by_constraints"]
    return f"{changed:,} codons changed for the constraints" if changed else ""


def _numbers(row: dict[str, Any]) -> list[str]:
    return ["–" if row[key] is None else format(row[key], form) for key, form in _COLUMNS]
