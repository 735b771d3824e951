"""`lifecode analyse`: what models hold of sequences without being tuned, an untrained one beside each."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lifecode.analyses.analysis import Analysed, Analysis
from lifecode.analyses.named_model import NamedModel, with_twins
from lifecode.analyses.page import shown, write_analysis_page
from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.reading.inputs import Inputs
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.host.output_folder import output_folder, require_absent
from lifecode.models.families import load
from lifecode.models.saved import SavedModel
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings, use_colours
from lifecode.tasks.names_in_tables import model_name, notes_on_name
from lifecode.tasks.tables import write_table

TABLE, DESCRIPTION, CONFIG = "table.csv", "analysis.json", "config.yaml"
_LEAST_WIDTH_OF_TEXT, _WIDTH_OF_A_FILE = 7, 200


@arguments_checked
def analyse(
    kind: Analysis,
    input: Inputs,
    checkpoints: Sequence[str | Path | SavedModel] = ("lifecode-mini",),
    *,
    run_dir: str | Path | None = None,
    untrained: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> Analysed:
    """Measure models on an analysis, an untrained one of the same shape beside each.

    Args:
        kind: such as `lifecode.analyses.EmbeddingMap()`.
        input: what it reads: a file, or several.
        checkpoints: names or folders of models of any family, or models.
        run_dir: folder to write; None writes nothing.
        untrained: whether the twins are measured.
        seed: of every draw, and of the twins' weights.
        progress: show on stderr what is being done.

    Raises:
        UserError: what the files or settings do not allow, or a `run_dir` that is there already.
    """
    return _analysed(
        kind,
        str(input) if isinstance(input, str | Path) else list(map(str, input)),
        checkpoints,
        run_dir=run_dir,
        untrained=untrained,
        seed=seed,
        progress=progress,
        config=None,
    )


def run(config: DictConfig) -> Analysed:
    """Measure, write the folder, and print the table."""
    use_colours(construct(config.figures))
    run_dir = checked_value(config, "run_dir", str)
    found = _analysed(
        construct(config.kind),
        checked_value(config, "input", str | list[str]),
        checked_value(config, "checkpoints", list[str]),
        run_dir=run_dir,
        untrained=checked_value(config, "untrained", bool),
        seed=checked_value(config, "seed", int),
        progress=True,
        config=OmegaConf.to_yaml(config, resolve=True),
    )
    for note in found.notes:
        print(display_name(note, 500))
    _print_table(found)
    print(f"\nreport.html, {TABLE} and {DESCRIPTION} are in {run_dir}")
    return found


def _print_table(found: Analysed) -> None:
    """To stdout; a narrow terminal folds names, never cuts them, and a file or pipe has whole lines."""
    table = Table(
        title=display_name(found.verdict, 200),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading, *values in zip(found.headings, *found.rows, strict=True):
        is_text = any(isinstance(value, str) for value in values)
        longest = max(len(shown(value)) for value in values)
        least = min(longest, _LEAST_WIDTH_OF_TEXT) if is_text else longest
        justify = "left" if is_text else "right"
        table.add_column(heading, overflow="fold", min_width=least, justify=justify)
    for row in found.rows:
        table.add_row(*map(shown, row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    console.print(table)


@plain_settings
def _analysed(
    kind: Analysis,
    input: str | list[str],
    checkpoints: Sequence[str | Path | SavedModel],
    *,
    run_dir: str | Path | None,
    untrained: bool,
    seed: int,
    progress: bool,
    config: str | None,
) -> Analysed:
    folder = None if run_dir is None else Path(run_dir).expanduser()
    if folder is not None:
        require_absent(folder)
    if not checkpoints:
        raise UserError("names no model", source="checkpoints", remedy="Give checkpoints=[lifecode-mini]")
    models = [_named(given, number) for number, given in enumerate(checkpoints, start=1)]
    names = [one.name for one in models]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"names {twice!r} twice", source="checkpoints")
    with told(progress) as say:
        found = kind.analyse(input, with_twins(models, seed) if untrained else models, seed=seed, say=say)
        found.notes[:0] = [note for name in names for note in notes_on_name(name)]
        if folder is not None:
            say("writing")
            with output_folder(folder) as partial:
                _write(found, partial, folder.resolve().name, config)
    return found


def _named(given: str | Path | SavedModel, number: int) -> NamedModel:
    if isinstance(given, SavedModel):
        return NamedModel(f"model {number}", given)
    return NamedModel(model_name(str(given)), load(given))


def _write(found: Analysed, folder: Path, name: str, config: str | None) -> None:
    columns = {heading: [row[i] for row in found.rows] for i, heading in enumerate(found.headings)}
    write_table(pa.table(columns), folder / TABLE)
    described = {
        "kind": found.kind,
        "verdict": found.verdict,
        "rows": [dict(zip(found.headings, row, strict=True)) for row in found.rows],
        "notes": found.notes,
    }
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    write_analysis_page(found, folder, name=name)
    if config is not None:
        (folder / CONFIG).write_text(config, encoding="utf-8")
