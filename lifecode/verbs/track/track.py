"""`lifecode track`: along a genome, what a masked codon model finds surprising."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.reading.inputs import Inputs, fingerprint
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.errors import Interrupted, UserError
from lifecode.host.activity import told
from lifecode.host.durable import disk_faults_named
from lifecode.models.families import require_life_code
from lifecode.models.life_code.model import LifeCode
from lifecode.models.weights import weights_checksum
from lifecode.report.charts.figure_style import use_colours
from lifecode.tracks.along import Scope, scope_of, told_progress, tracks_along
from lifecode.tracks.asked import Asked
from lifecode.tracks.codon_sequences import SIX_FRAMES
from lifecode.tracks.igv_session import write_session
from lifecode.tracks.quantities import IN_WORDS, Quantity
from lifecode.tracks.region import Region, region_of
from lifecode.tracks.settings import Frames, Strands, TrackSettings, ValueUnit
from lifecode.verbs.score.scores import on_device
from lifecode.verbs.track.drawing import draw_region, write_region_page
from lifecode.verbs.track.outputs import TrackFiles
from lifecode.verbs.track.tracks import Tracks


@arguments_checked
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

    Memory holds the genome, and about 60 bytes for each nucleotide of a contig that is read in six frames.

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
    _require_place(output, region, report=report, igv=igv)
    files = None if output is None else TrackFiles(Path(output).expanduser())
    code = dict(genetic_code) if isinstance(genetic_code, Mapping) else genetic_code
    contigs = _checked(list(read_records(input, genetic_code=code)))
    lengths = {contig.name: len(contig.nucleotides) for contig in contigs}
    where = None if region is None else region_of(region, lengths)
    scope = scope_of(contigs, chosen, where)
    asked_for = {"picture": where is not None, "report": report, "igv": igv}
    if files is not None and not files.journal.exists():
        files.require_new(scope.names, **asked_for)
    loaded = require_life_code(on_device(model))
    checksum = weights_checksum(loaded)
    journal, about = None, ""
    if files is not None:
        journal = files.journal
        about = json.dumps([asdict(chosen), str(where), str(code), checksum, fingerprint(input)])
        if not files.is_unfinished(about):
            files.require_new(scope.names, **asked_for)
    with told(progress) as say, _resumable(journal):
        on_progress = told_progress(say, scope.num_codons, time.monotonic)
        with Asked(loaded, chosen, journal=journal, about=about, on_progress=on_progress) as asked:
            runs = tracks_along(contigs, scope, asked, chosen, where)
    tracks = Tracks(runs=runs, left_out=scope.left_out, num_codons=scope.num_codons, paths={})
    if files is None:
        return tracks
    titles = {name: f"{chosen.quantity} {name}".strip() for name in scope.names}
    description = f"{IN_WORDS[chosen.quantity].label}, {chosen.method}, model {checksum}"
    tracks = replace(tracks, paths=files.write(runs, lengths, titles, description))
    if where is not None:
        tracks = _with_picture(tracks, files, scope, where, chosen, page_of=checksum if report else None)
    if igv:
        shown = {titles[name]: path for name, path in tracks.paths.items()}
        tracks = replace(tracks, session=write_session(files.stem, contigs, shown, where)["json"])
    files.journal.unlink(missing_ok=True)
    return tracks


@contextmanager
def _resumable(journal: Path | None) -> Iterator[None]:
    """Says of a stop that what is done is kept, and of a fault of the disk which file met it."""
    with disk_faults_named(journal):
        try:
            yield
        except KeyboardInterrupt as stop:
            if journal is None:
                raise
            raise Interrupted("stopped; what is done is kept, and the same command goes on") from stop


def _require_place(output: str | Path | None, region: str | None, *, report: bool, igv: bool) -> None:
    if output is None and (report or igv):
        raise UserError(
            "stands beside an output", source="report" if report else "igv", remedy="Give an output"
        )
    if report and region is None:
        raise UserError("shows a region", source="report", remedy="Give region=CONTIG:1-20000")


def _with_picture(
    tracks: Tracks,
    files: TrackFiles,
    scope: Scope,
    where: Region,
    settings: TrackSettings,
    page_of: str | None,
) -> Tracks:
    """With the picture of the region and, of a model's checksum, its page."""
    figure = draw_region(files.picture, where, scope.contigs[0], tracks.runs, settings)
    tracks = replace(tracks, picture=files.picture)
    if page_of is None:
        return tracks
    page = write_region_page(
        files.folder,
        where,
        figure,
        settings,
        read_as="six frames" if scope.names == SIX_FRAMES else "coding sequences",
        num_codons=scope.num_codons,
        model=page_of,
        files=[path.name for path in tracks.paths.values()],
    )
    return replace(tracks, page=page)


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
    for name in tracks.runs.keys() - tracks.paths.keys():
        print(f"no file of {name}: it has no value there, and bigWig holds no empty track")
    for written in (*tracks.paths.values(), tracks.picture, tracks.page, tracks.session):
        if written is not None:
            print(written)
    return tracks


def _checked(contigs: Sequence[Contig]) -> Sequence[Contig]:
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
