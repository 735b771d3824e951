"""`lifecode track`: along a genome, what a masked codon model finds surprising."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.reading.inputs import Inputs, fingerprint
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import Interrupted, UserError
from lifecode.host.activity import Activity
from lifecode.host.durable import disk_faults_named
from lifecode.models.checksum import weights_checksum
from lifecode.models.life_code.model import LifeCode
from lifecode.report.charts.figure_style import plain_settings, save_png, use_colours
from lifecode.report.charts.track_chart import Arrow, Line, track_chart
from lifecode.report.track.page import write_track_report
from lifecode.tracks.along import Plan, plan_of, told_progress, tracks_along
from lifecode.tracks.asked import Asked
from lifecode.tracks.bedgraph import write_bedgraph
from lifecode.tracks.bigwig import require_bigwig, write_bigwig
from lifecode.tracks.igv_session import session_files, write_session
from lifecode.tracks.readings import SIX_FRAMES
from lifecode.tracks.region import Region, region_of
from lifecode.tracks.runs import Runs
from lifecode.tracks.settings import Frames, Quantity, Strands, TrackSettings, ValueUnit
from lifecode.variants.reading.genome import why_left_out
from lifecode.verbs.score.scores import on_device, require_output

if TYPE_CHECKING:
    from pandas import DataFrame

_BEDGRAPH = (".bedgraph", ".bedGraph")
_BIGWIG = (".bw", ".bigwig", ".bigWig")
_LABELS = {
    "surprisal": "surprisal, nats",
    "entropy": "entropy, nats",
    "coding_potential": "coding potential, nats a codon",
}
_MEANINGS = {
    "surprisal": "-log P of the {unit} that stands there, in nats, as the model expects it from the codons "
    "around: high where it is surprised.",
    "entropy": "Entropy of what the model expects of the {unit} there, in nats: low where it is sure.",
    "coding_potential": "Of each of six frames, the mean over {smooth} codons of log P(codon) under the "
    "model less that of its nucleotides drawn one by one as the genome has them; above zero the frame reads "
    "as codons. It is no probability of a gene.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracks:
    """Values along a genome.

    Attributes:
        runs: by the name of the track (`""` where there is one), the name of each contig and its runs.
        paths: the files written, by the name of the track.
        left_out: coding sequences that were not read, by reason.
        num_codons: that the model was asked about.
        picture: of the region, or None.
        page: `report.html`, or None.
        session: for IGV, or None.
    """

    runs: Mapping[str, Sequence[tuple[str, Runs]]]
    paths: Mapping[str, Path]
    left_out: Mapping[str, int]
    num_codons: int
    picture: Path | None = None
    page: Path | None = None
    session: Path | None = None

    @property
    def frame(self) -> "DataFrame":
        """A row a run: columns track, contig, start (from 0), end (behind the last) and value."""
        from pandas import DataFrame, concat

        tables = [
            DataFrame(of_contig._asdict()).assign(track=name, contig=contig)
            for name, contigs in self.runs.items()
            for contig, of_contig in contigs
        ]
        frame = concat(tables, ignore_index=True)
        frame.columns = ["start", "end", "value", "track", "contig"]
        return frame[["track", "contig", "start", "end", "value"]]


def track(
    model: LifeCode | str | Path,
    input: Inputs,
    output: str | Path | None = None,
    *,
    region: str | None = None,
    genetic_code: int | Mapping[str, int] | None = None,
    report: bool = False,
    igv: bool = False,
    progress: bool = True,
    **settings: Any,
) -> Tracks:
    """What a masked codon model finds surprising along a genome, for a genome browser.

    Memory holds the genome and, for six frames, about 60 bytes for each of its nucleotides.

    Args:
        model: a model, which stays on its device, or what `lifecode.load` takes, which goes to a GPU if there
            is one.
        input: as for `lifecode.read_records`.
        output: .bedgraph or .bw (bigWig); several tracks are written to `NAME.TRACK.bedgraph`. A call that
            was killed goes on. None writes nothing.
        region: `contig:start-end`, from 1, both included; only there values are computed, from all that is
            around, and a picture `NAME.png` is drawn.
        genetic_code: as for `lifecode.read_records`; coding sequences of organelles need one to be read.
        report: write `report.html` with the picture beside the output.
        igv: write a session for IGV and igv.js beside the output.
        progress: show on stderr how far it is and how long it will take.
        settings: the fields of `lifecode.tracks.settings.TrackSettings`, such as `quantity="entropy"`.

    Raises:
        UserError: an input that cannot be read, has proteins or nothing to read, no such region, model or
            choice, or an output that cannot be written or is there already.
        Interrupted: at Ctrl-C; the same call goes on.
    """
    chosen = TrackSettings(**settings)
    place = None if output is None else Path(output).expanduser()
    if place is None and (report or igv):
        raise UserError("needs an output to stand beside", source="report" if report else "igv")
    if report and region is None:
        raise UserError(
            "shows one region", source="report", remedy="Give region=CONTIG:1-20000, or leave report out"
        )
    if place is not None:
        require_output(place, (*_BEDGRAPH, *_BIGWIG))
        if place.name.endswith(_BIGWIG):
            require_bigwig()
    code = dict(genetic_code) if isinstance(genetic_code, Mapping) else genetic_code
    contigs = _checked(list(read_records(input, genetic_code=code)))
    where = None if region is None else region_of(region, _lengths(contigs))
    plan = plan_of(contigs, chosen, where)
    paths = {} if place is None else _paths(place, plan.names)
    picture = None if place is None or where is None else _stem(place).with_name(_stem(place).name + ".png")
    _require_new(paths, place, picture, report, igv)
    loaded = on_device(model)
    checksum = weights_checksum(loaded)
    about = json.dumps([asdict(chosen), str(where), str(code), checksum, fingerprint(input)])
    journal = None if place is None else place.with_name(f".{place.name}.track")
    with ExitStack() as stack:
        on_progress = None
        if progress:
            say = stack.enter_context(Activity()).say
            on_progress = told_progress(say, plan.num_codons, time.monotonic)
        stack.enter_context(nullcontext() if journal is None else disk_faults_named(journal))
        asked = stack.enter_context(
            Asked(loaded, chosen, journal=journal, about=about, on_progress=on_progress)
        )
        try:
            runs = tracks_along(contigs, plan, asked, chosen, where)
        except KeyboardInterrupt as stop:
            if journal is None:
                raise
            raise Interrupted("stopped; what is done is kept, and the same command goes on") from stop
    described = f"{_LABELS[chosen.quantity]}, {chosen.method}, model {checksum}"
    for name, path in paths.items():
        if path.name.endswith(_BIGWIG):
            write_bigwig(path, runs[name], _lengths(contigs))
        else:
            title = f"{chosen.quantity} {name}".strip()
            write_bedgraph(path, title, described, runs[name])
    page = session = None
    if place is not None and where is not None and picture is not None:
        page = _draw(place, picture, where, plan, runs, chosen, paths, report=report, model=checksum)
    if place is not None and igv:
        shown = {f"{chosen.quantity} {name}".strip(): path for name, path in paths.items()}
        session = write_session(_stem(place), contigs, shown, where)["json"]
    if journal is not None:
        journal.unlink(missing_ok=True)
    return Tracks(
        runs=runs,
        paths=paths,
        left_out=plan.left_out,
        num_codons=plan.num_codons,
        picture=picture,
        page=page,
        session=session,
    )


def run(config: DictConfig) -> Tracks:
    """Compute the tracks, write them and say where they are."""
    use_colours(construct(config.figures))
    tracks = track(
        checked_value(config, "checkpoint", str),
        checked_value(config, "input", str | list[str]),
        checked_value(config, "output", str),
        region=checked_value(config, "region", str | None),
        genetic_code=checked_value(config, "genetic_code", int | dict[str, int] | None),
        report=checked_value(config, "report", bool),
        igv=checked_value(config, "igv", bool),
        quantity=checked_value(config, "quantity", Quantity),
        frames=checked_value(config, "frames", Frames),
        unit=checked_value(config, "unit", ValueUnit),
        strands=checked_value(config, "strands", Strands),
        method=checked_value(config, "method", str),
        window_codons=checked_value(config, "window_codons", int | None),
        smooth_codons=checked_value(config, "smooth_codons", int),
    )
    for reason, count in tracks.left_out.items():
        print(f"{count:,} coding sequences left out: {reason}")
    print(f"{tracks.num_codons:,} codons asked about")
    for written in (*tracks.paths.values(), tracks.picture, tracks.page, tracks.session):
        if written is not None:
            print(written)
    return tracks


def _checked(contigs: list[Contig]) -> list[Contig]:
    """The contigs, where they are of DNA or RNA and each has its own name."""
    times = Counter(contig.name for contig in contigs)
    for contig in contigs:
        if contig.molecule == "protein":
            raise UserError(
                "is a protein, which has no codons",
                source=contig.source,
                record=contig.name,
                remedy="Give its genome or coding sequence",
            )
        if times[contig.name] > 1:
            raise UserError(
                "the contig comes twice",
                source=contig.source,
                record=contig.name,
                remedy="Give each sequence once, under its own name",
            )
    return contigs


def _lengths(contigs: Sequence[Contig]) -> dict[str, int]:
    return {contig.name: len(contig.nucleotides) for contig in contigs}


def _stem(place: Path) -> Path:
    """The output without what says its format."""
    return place.with_suffix("")


def _paths(place: Path, names: Sequence[str]) -> dict[str, Path]:
    """The file of each track."""
    stem = _stem(place).name
    return {name: place.with_name(f"{stem}.{name}{place.suffix}") if name else place for name in names}


def _require_new(
    paths: Mapping[str, Path], place: Path | None, picture: Path | None, report: bool, igv: bool
) -> None:
    """Raises a UserError if one of the files to be written is there already."""
    files = [*paths.values(), *([] if picture is None else [picture])]
    if place is not None and report:
        files.append(place.parent / "report.html")
    if place is not None and igv:
        files += session_files(_stem(place)).values()
    for file in files:
        if file.exists():
            raise UserError(
                "is there already", source=file, remedy="Choose another output, or delete this one"
            )


@plain_settings
def _draw(
    place: Path,
    picture: Path,
    region: Region,
    plan: Plan,
    runs: Mapping[str, Sequence[tuple[str, Runs]]],
    chosen: TrackSettings,
    paths: Mapping[str, Path],
    *,
    report: bool,
    model: str,
) -> Path | None:
    """Draws the region, and writes the page if one is wanted."""
    (contig,) = plan.contigs
    lines = {name: Line(*of_contig) for name, own in runs.items() for _, of_contig in own}
    span = (region.start, region.end)
    label = _LABELS[chosen.quantity]
    figure = track_chart(str(region), span, lines, _arrows(contig, region), label)
    with disk_faults_named(picture):
        save_png(figure, picture)
    if not report:
        return None
    settings = {
        "method": chosen.method,
        "read as": "six frames" if plan.names == SIX_FRAMES else "coding sequences",
        "unit": chosen.unit,
        "codons of a window": chosen.window_codons or "all",
        "codons asked about": f"{plan.num_codons:,}",
        "model": model,
    }
    return write_track_report(
        place.parent,
        str(region),
        figure,
        quantity=label,
        meaning=_MEANINGS[chosen.quantity].format(unit=chosen.unit, smooth=chosen.smooth_codons),
        settings=settings,
        files=[path.name for path in paths.values()],
    )


def _arrows(contig: Contig, region: Region) -> list[Arrow]:
    """The coding sequences that reach into the region; one across the origin is an arrow at either end."""
    arrows = []
    for cds in contig.coding_sequences:
        if why_left_out(cds, contig) is not None:
            continue
        strand = cds.exons[0].strand
        exons = [(exon.start, exon.end) for exon in (cds.exons if strand == 1 else cds.exons[::-1])]
        cut = next((i for i in range(1, len(exons)) if exons[i][0] < exons[i - 1][0]), len(exons))
        for own in (exons[:cut], exons[cut:]):
            if own and own[0][0] < region.end and own[-1][1] > region.start:
                arrows.append(Arrow(cds.gene or cds.id, strand, own))
    return arrows
