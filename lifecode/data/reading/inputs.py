"""What the user names as input, resolved to the units that are read each on its own.

An input is a path, a glob, a packaged genome, `cds:FILE` (also `rna:`, `protein:`, `genome:`) for what a
FASTA file holds, or `ANNOTATION+SEQUENCE` for two files that belong together. An annotation file given
alone takes the sequence file among the inputs whose name begins its own: the longest such name, in the
same folder if there is one. Nothing is guessed beyond that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TypeAlias

import lifecode
from lifecode.data.formats.annotation.lines import carries_sequences
from lifecode.data.formats.opening import ANNOTATION, file_format
from lifecode.data.records import Molecule
from lifecode.errors import UserError

Inputs: TypeAlias = str | Path | Sequence[str | Path]

_PACKAGED = {"ecoli": "ecoli_K12_MG1655.gbff.gz"}
_HOLDS: dict[str, Molecule] = {"genome": "dna", "cds": "cds", "rna": "rna", "protein": "protein"}
_COMPRESSED = frozenset({".gz", ".bgz", ".bz2", ".xz", ".lzma", ".zst"})
_PAIR_REMEDY = "Name the pair: ANNOTATION+SEQUENCE, such as fly.gff.gz+fly.fa.gz"


@dataclass(frozen=True, slots=True)
class InputUnit:
    """What one worker reads on its own.

    Attributes:
        files: one file, or a sequence file and its annotation file, in this order.
        holds: what the records of a FASTA file are, where the user says so.
    """

    files: tuple[Path, ...]
    holds: Molecule | None = None


def packaged_genomes() -> dict[str, Path]:
    """Name and file of each genome that ships with the package; the name works as an input."""
    assets = Path(lifecode.__file__).resolve().parent / "assets"
    return {name: assets / file for name, file in _PACKAGED.items()}


def resolve_inputs(inputs: Inputs) -> list[InputUnit]:
    """The units that the inputs name, each once, in order; the files of a glob are sorted.

    Opens every file to see which are annotation. A file that no reader knows is a unit too: reading says so.

    Raises:
        UserError: an input names no file, or a folder; an annotation file has no sequence file, or it is not
            clear which.
    """
    entries = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    units = list(dict.fromkeys(unit for entry in entries for unit in _units_of(str(entry))))
    if not units:
        raise _no_input()
    return _paired(units)


def _no_input() -> UserError:
    return UserError("no input was given", remedy="Name a file, a glob, or a packaged genome such as ecoli")


def fingerprint(inputs: Inputs) -> list[list[str | int | None]]:
    """Which files the inputs name, with sizes and times: another list tells that something has changed."""
    files = [(unit.holds, file) for unit in resolve_inputs(inputs) for file in unit.files]
    found = ((holds, file, file.stat()) for holds, file in files)
    return [[holds, str(file), stat.st_size, stat.st_mtime_ns] for holds, file, stat in found]


def _units_of(entry: str) -> list[InputUnit]:
    """The units of one input, annotation not yet paired."""
    prefix, colon, rest = entry.partition(":")
    if colon and prefix in _HOLDS and not Path(entry).exists():
        return [InputUnit(unit.files, _HOLDS[prefix]) for unit in _units_of(rest)]
    if "+" in entry and not Path(entry).expanduser().exists():
        return [InputUnit(_explicit_pair(entry))]
    return [InputUnit((file,)) for file in files_of(entry)]


def _explicit_pair(entry: str) -> tuple[Path, Path]:
    """Sequence and annotation file of `ANNOTATION+SEQUENCE`, given in either order."""
    files = [file for part in entry.split("+") for file in files_of(part)]
    annotation = [file for file in files if _is_annotation(file)]
    sequence = [file for file in files if file not in annotation]
    if len(files) != 2 or len(annotation) != 1:
        for file in files:
            file_format(file)  # for its error, of a file that is neither
        known = ", ".join(sorted(ANNOTATION))
        raise UserError(
            f"+ joins one annotation file ({known}) and one sequence file (FASTA)",
            source=entry,
            remedy=_PAIR_REMEDY,
        )
    return sequence[0], annotation[0]


def files_of(entry: str) -> list[Path]:
    """Files of one input: a packaged genome, an existing file, or the matches of a glob."""
    if entry in _PACKAGED:
        return [packaged_genomes()[entry]]
    if not entry.strip():
        raise _no_input()
    path = Path(entry).expanduser()
    if path.is_dir():
        raise UserError("is a folder", source=entry, remedy=f"Give the files in it, such as {path}/*.gbff.gz")
    if path.is_file():
        return [path]
    if path.exists():  # it is read more than once, first to see what it is
        raise UserError(
            "is a pipe or a device, no plain file", source=entry, remedy="Write it into a file, and name that"
        )
    matches = sorted(glob(str(path), recursive=True)) if has_magic(str(path)) else []
    files = [Path(match) for match in matches if Path(match).is_file()]
    if not files:
        problem = "no file matches" if has_magic(str(path)) else "no such file"
        packaged = ", ".join(_PACKAGED)
        raise UserError(
            problem, source=entry, remedy=f"Give a path, a glob, or a packaged genome ({packaged})"
        )
    return files


def _is_annotation(file: Path) -> bool:
    try:
        return file_format(file) in ANNOTATION
    except (UserError, OSError):
        return False  # reading it will say what is wrong


def _paired(units: list[InputUnit]) -> list[InputUnit]:
    """The units with every lone annotation file joined to its sequence file, in the place of the latter."""
    in_pairs = {file for unit in units if len(unit.files) == 2 for file in unit.files}
    units = [unit for unit in units if len(unit.files) == 2 or unit.files[0] not in in_pairs]
    lone = [unit.files[0] for unit in units if len(unit.files) == 1]
    annotations = [file for file in lone if _is_annotation(file)]
    annotated = set(annotations)
    sequences = _by_stem(file for file in lone if file not in annotated)
    annotation_of: dict[Path, Path] = {}
    for annotation in annotations:
        sequence = _sequence_of(annotation, sequences)
        if (other := annotation_of.get(sequence)) is not None:
            problem = f"both this and {other.name} would annotate {sequence.name}"
            raise UserError(problem, source=annotation, remedy=_PAIR_REMEDY)
        if sequence != annotation:
            annotation_of[sequence] = annotation
    joined = set(annotation_of.values())
    return [
        InputUnit((*unit.files, annotation_of[unit.files[0]]), unit.holds)
        if unit.files[0] in annotation_of
        else unit
        for unit in units
        if unit.files[0] not in joined
    ]


def _sequence_of(annotation: Path, sequences: Mapping[str, list[Path]]) -> Path:
    """The sequence file that an annotation file belongs to: itself where it has a FASTA section.

    Its stem is that of the annotation, or is followed there by something that is no letter or digit.
    """
    own = stem(annotation)
    named_alike = [
        file
        for length in range(len(own), 0, -1)
        if not own[length : length + 1].isalnum()
        for file in sequences.get(own[:length], ())
    ]
    beside = [file for file in named_alike if file.parent == annotation.parent] or named_alike
    longest = max((len(stem(file)) for file in beside), default=0)
    best = [file for file in beside if len(stem(file)) == longest]
    if len(best) == 1:
        return best[0]
    if best:
        names = " or ".join(file.name for file in best)
        raise UserError(f"may belong to {names}", source=annotation, remedy=_PAIR_REMEDY)
    if not carries_sequences(annotation):
        raise UserError(
            "is annotation, and no sequence file among the inputs has a name that it shares or extends",
            source=annotation,
            remedy=_PAIR_REMEDY,
        )
    return annotation


def _by_stem(files: Iterable[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in files:
        found.setdefault(stem(file), []).append(file)
    return found


def stem(file: Path) -> str:
    """The name of a file without compression and format."""
    name = Path(file.stem) if file.suffix in _COMPRESSED else file
    return name.stem
