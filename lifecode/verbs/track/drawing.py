"""The picture of a region, and the page that shows it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lifecode.data.records import Contig
from lifecode.host.durable import disk_faults_named
from lifecode.report.charts.figure_style import plain_settings, save_png
from lifecode.report.charts.track_chart import Arrow, Line, track_chart
from lifecode.report.track.page import write_track_report
from lifecode.tracks.codon_sequences import why_not_shown
from lifecode.tracks.quantities import IN_WORDS
from lifecode.tracks.region import Region
from lifecode.tracks.runs import Runs
from lifecode.tracks.settings import TrackSettings


@plain_settings
def draw_region(
    picture: Path,
    region: Region,
    contig: Contig,
    runs: Mapping[str, Sequence[tuple[str, Runs]]],
    settings: TrackSettings,
) -> Figure:
    """Write the picture of a region, and give it back.

    Raises:
        UserError: it cannot be written.
    """
    lines = {name: Line(*of_contig) for name, own in runs.items() for _, of_contig in own}
    span = (region.start, region.end)
    figure = track_chart(str(region), span, lines, _arrows(contig, region), IN_WORDS[settings.quantity].label)
    with disk_faults_named(picture):
        save_png(figure, picture)
    return figure


def write_region_page(
    folder: Path,
    region: Region,
    figure: Figure,
    settings: TrackSettings,
    *,
    read_as: str,
    num_codons: int,
    model: str,
    files: Sequence[str],
) -> Path:
    """Write `report.html`, and give back its path.

    Args:
        folder: where the tracks are.
        region: that is shown.
        figure: its picture.
        settings: of the tracks.
        read_as: what was read.
        num_codons: that the model was asked about.
        model: checksum of its weights.
        files: names of the tracks.

    Raises:
        UserError: it cannot be written.
    """
    words = IN_WORDS[settings.quantity]
    told = {
        "method": settings.method,
        "read as": read_as,
        "unit": settings.unit,
        "codons of a window": settings.window_codons or "all",
        "codons asked about": f"{num_codons:,}",
        "model": model,
    }
    return write_track_report(
        folder,
        str(region),
        figure,
        quantity=words.label,
        meaning=words.meaning.format(unit=settings.unit, smooth=settings.smooth_codons),
        settings=told,
        files=files,
    )


def _arrows(contig: Contig, region: Region) -> list[Arrow]:
    """The coding sequences that reach into the region; one across the origin is an arrow at either end."""
    arrows = []
    for cds in contig.coding_sequences:
        if why_not_shown(cds, contig) is not None:
            continue
        strand = cds.exons[0].strand
        exons = [(exon.start, exon.end) for exon in (cds.exons if strand == 1 else cds.exons[::-1])]
        cut = next((i for i in range(1, len(exons)) if exons[i][0] < exons[i - 1][0]), len(exons))
        for own in (exons[:cut], exons[cut:]):
            if own and own[0][0] < region.end and own[-1][1] > region.start:
                arrows.append(Arrow(cds.gene or cds.id, strand, own))
    return arrows
