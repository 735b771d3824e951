"""The files of `lifecode track`: where each goes, and that none is there already."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lifecode.errors import UserError
from lifecode.tracks.bedgraph import write_bedgraph
from lifecode.tracks.bigwig import require_bigwig, write_bigwig
from lifecode.tracks.igv_session import session_files
from lifecode.tracks.runs import Runs
from lifecode.variants.journal import is_about
from lifecode.verbs.score.scores import require_output

_BEDGRAPH = (".bedgraph", ".bedGraph")
_BIGWIG = (".bw", ".bigwig", ".bigWig")


class TrackFiles:
    """Where tracks are going to be written.

    Args:
        output: .bedgraph or .bw.

    Raises:
        UserError: another suffix, a file that is there already, a folder where nothing can be written, or no
            package for bigWig.
    """

    def __init__(self, output: Path) -> None:
        self.journal = output.with_name(f".{output.name}.track")
        require_output(output, (*_BEDGRAPH, *_BIGWIG), new=not self.journal.exists())
        self.output, self.stem, self.folder = output, output.with_suffix(""), output.parent
        self.is_bigwig = output.name.endswith(_BIGWIG)
        if self.is_bigwig:
            require_bigwig()
        self.picture = self.stem.with_name(f"{self.stem.name}.png")

    def paths(self, names: Sequence[str]) -> dict[str, Path]:
        """The file of each track."""
        stem, suffix = self.stem.name, self.output.suffix
        named = {name: self.output.with_name(f"{stem}.{name}{suffix}") for name in names}
        return {name: path if name else self.output for name, path in named.items()}

    def is_unfinished(self, about: str) -> bool:
        """Whether the same command was stopped: some of its files may be there."""
        return is_about(self.journal, about)

    def require_new(self, names: Sequence[str], *, picture: bool, report: bool, igv: bool) -> None:
        """Raises a UserError if one of the files to be written is there already."""
        files = list(self.paths(names).values())
        files += [self.picture] if picture else []
        files += [self.folder / "report.html", self.folder / "figures" / "region.png"] if report else []
        files += session_files(self.stem).values() if igv else []
        for file in files:
            if file.exists():
                raise UserError(
                    "is there already", source=file, remedy="Choose another output, or delete this one"
                )

    def write(
        self,
        runs: Mapping[str, Sequence[tuple[str, Runs]]],
        lengths: Mapping[str, int],
        titles: Mapping[str, str],
        description: str,
    ) -> dict[str, Path]:
        """Writes every track and says where; one without any value is no bigWig, and is left out.

        Args:
            runs: by the name of the track, contig by contig.
            lengths: nucleotides of each contig.
            titles: what each track is called in a browser.
            description: of all.

        Raises:
            UserError: a file cannot be written.
        """
        written = {}
        for name, path in self.paths(list(runs)).items():
            if not self.is_bigwig:
                write_bedgraph(path, titles[name], description, runs[name])
            elif any(len(own.starts) for _, own in runs[name]):
                write_bigwig(path, runs[name], lengths)
            else:
                continue
            written[name] = path
        return written
