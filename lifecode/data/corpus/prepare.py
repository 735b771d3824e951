"""From sequence files to a corpus on disk: read units, lay out, write shards, list what was written.

Units and shards are tasks that an engine runs in any order; each leaves a file that says it is done, so a
run that was killed goes on where it stopped. Neither engine nor number of workers changes a byte.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from lifecode.data.corpus.cache import allocate_segments
from lifecode.data.corpus.corpus import SCHEMA_VERSION, Corpus
from lifecode.data.corpus.engine import Engine, LocalEngine, Run
from lifecode.data.corpus.findings import first_rejected, report_of, write_rejected
from lifecode.data.corpus.folder import existing_corpus, partial_folder
from lifecode.data.corpus.inventory import Inventory
from lifecode.data.corpus.layout import Layout, in_each_split, make_layout
from lifecode.data.corpus.shard_task import read_record, write_shard
from lifecode.data.corpus.unit_folder import read_task, store_unit
from lifecode.data.reading.inputs import Inputs, InputUnit, resolve_inputs
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.records import Molecule
from lifecode.data.splits.regions import SPLITS
from lifecode.data.splits.split import BlockSplit, Split
from lifecode.errors import UserError
from lifecode.host.checksum import digest_of, file_entry, sha256, write_json

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done (`reading`, `writing`), and how much of how much: bytes, then nucleotides."""


def prepare_corpus(
    inputs: Inputs,
    output: str | Path,
    *,
    split: Split | None = None,
    reading: ReadingSettings | None = None,
    seed: int = 0,
    require_pairs: bool = True,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Read sequence files, keep the exact CDS-protein pairs, split, and write a corpus folder.

    Args:
        inputs: as for `read_records`: paths, globs, names of packaged genomes.
        output: folder to write; when it holds the corpus of the same inputs and settings, that is opened.
        split: how to hold out; by default blocks of 50,000 nucleotides, 5 % validation, 10 % test.
        reading: what the files do not say, and what to do about malformed records.
        seed: which blocks, contigs or taxa are held out.
        require_pairs: fail where no CDS is an exact pair, as with bare FASTA.
        engine: what runs the tasks; by default a process a core. The corpus does not depend on it.
        progress: called whenever a unit is read or a shard written.

    Raises:
        UserError: an input that cannot be read, the same contig twice, a genetic code of a contig that is not
            there, no pairs, an output that holds something else, or no permission to write there.
        Interrupted: at Ctrl-C; the same call goes on.
    """
    split, reading, engine = split or BlockSplit(), reading or ReadingSettings(), engine or LocalEngine()
    output = Path(output).expanduser()
    units = resolve_inputs(inputs)
    entries = _input_entries(units)
    identity = _identity(split, reading, seed, require_pairs, entries)
    if (existing := existing_corpus(output, identity)) is not None:
        return existing
    with partial_folder(output) as folder:
        if (existing := existing_corpus(output, identity)) is not None:  # made while this one waited
            return existing
        reads = [
            read_task(unit, of_unit, reading, sketches=split.clusters is not None, units=folder / "units")
            for unit, of_unit in zip(units, entries, strict=True)
        ]
        sizes = [sum(entry["bytes"] for entry in of_unit) for of_unit in entries]
        with engine.started(len(units)) as run:
            _do("reading", run, store_unit, reads, sizes, progress)
            inventory = Inventory.read([task.folder for task in reads], units, split.clusters)
            _require_named_contigs(reading, inventory)
            if require_pairs:
                inventory.require_pairs()
            place = folder / digest_of(identity)
            corpus, records = place / "corpus", place / "written"
            layout = make_layout(inventory, split, seed)
            tasks = layout.tasks(corpus, records)
            _allocate(corpus, records, layout)
            _do("writing", run, write_shard, tasks, [task.num_nucleotides for task in tasks], progress)
        written = [entry for task in tasks if (entry := read_record(task)) is not None]
        _finish(corpus, layout, identity, written)
        corpus.rename(output)
    return Corpus.open(output)


def _identity(
    split: Split,
    reading: ReadingSettings,
    seed: int,
    require_pairs: bool,
    entries: Sequence[Sequence[dict[str, Any]]],
) -> dict[str, Any]:
    """All that a corpus depends on."""
    return {
        "schema_version": SCHEMA_VERSION,
        "seed": seed,
        "split": {"by": type(split).__name__, **asdict(split)},
        "reading": asdict(reading),
        "require_pairs": require_pairs,
        "inputs": [entry for of_unit in entries for entry in of_unit],
    }


def _require_named_contigs(reading: ReadingSettings, inventory: Inventory) -> None:
    found = {key for unit in inventory.reading for key in unit["keys"]}
    reading.asked_codes().require_found(found, inventory.contigs["contig"][:6].to_pylist())


def _do(
    what: str,
    run: Run,
    function: Callable[[Any], None],
    tasks: Sequence[Any],
    sizes: Sequence[int],
    progress: Progress | None,
) -> None:
    """Run a function on every task, and tell after each how far it is."""
    done, total = 0, sum(sizes)
    for number in run(function, tasks):
        done += sizes[number]
        if progress is not None:
            progress(what, done, total)


def _allocate(corpus: Path, records: Path, layout: Layout) -> None:
    """The folders and the files of the cache, before anything is written into them."""
    for folder in (corpus / "shards", records):
        folder.mkdir(parents=True, exist_ok=True)
    for kind, rows in layout.rows.items():
        for name, num_segments, num_nucleotides in zip(SPLITS, *in_each_split(rows), strict=True):
            allocate_segments(corpus, kind, name, num_segments, num_nucleotides)


def _finish(corpus: Path, layout: Layout, identity: dict[str, Any], shards: Sequence[dict[str, Any]]) -> None:
    """What the main process writes: the table of the rejected, the report, and the manifest last."""
    write_rejected(corpus / "rejected.parquet", layout)
    write_json(corpus / "report.json", report_of(layout, first_rejected(corpus / "rejected.parquet")))
    known = {shard["path"]: {key: shard[key] for key in ("path", "sha256", "bytes")} for shard in shards}
    paths = sorted(path for path in corpus.rglob("*") if path.is_file() and path.name != "manifest.json")
    with ThreadPoolExecutor() as threads:
        files = threads.map(
            lambda path: known.get(path.relative_to(corpus).as_posix()) or file_entry(corpus, path), paths
        )
        write_json(corpus / "manifest.json", {**identity, "shards": list(shards), "files": list(files)})


def _input_entries(units: Sequence[InputUnit]) -> list[list[dict[str, Any]]]:
    """Name, sha256 and size of the files of each unit, and what they hold where the user says so."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda unit: [_input_entry(file, unit.holds) for file in unit.files], units))


def _input_entry(file: Path, holds: Molecule | None) -> dict[str, Any]:
    try:
        return {
            "name": file.name,
            "holds": holds,
            "sha256": sha256(file),
            "bytes": file.stat().st_size,
        }
    except OSError as fault:
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=file) from fault
