"""`lifecode optimize`: coding sequences of a protein for a host, drawn under a masked model."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.reading.inputs import Inputs
from lifecode.design.constraints import Constraints
from lifecode.design.designing import Task, design, designable
from lifecode.design.designs import Designs
from lifecode.design.files import DesignFiles
from lifecode.design.host import host_usage
from lifecode.design.positions import positions
from lifecode.design.proteins import coding_sequences, is_path, named_proteins
from lifecode.design.sampler import Sampling
from lifecode.design.synonyms import residues_of
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.host.machine import best_device
from lifecode.models.families import load, require_life_code
from lifecode.models.life_code.model import LifeCode
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.design.page import write_design_report


@arguments_checked
def optimize(
    model: LifeCode | str | Path,
    protein: Any,
    host: Inputs | int = "ecoli",
    output: str | Path | None = None,
    *,
    n: int = 5,
    draft: Any = None,
    keep: str | int | Iterable[str | int] | None = None,
    wild_type: Any = None,
    sampling: Sampling | None = None,
    constraints: Constraints | None = None,
    genetic_code: int | None = None,
    stop: bool = False,
    genbank: bool = False,
    seed: int = 0,
    progress: bool = True,
) -> Designs:
    """Design coding sequences that spell proteins as a model and a host would.

    Args:
        model: a model, which stays on its device, or what `lifecode.load` takes, which goes to a GPU if there
            is one.
        protein: path of a FASTA file, or one or several proteins as text or records.
        host: `ecoli` for the genome that ships, annotated sequence files as for `lifecode.read_records`, or a
            table of `python_codon_tables` by name, species or NCBI taxon.
        output: FASTA file to write the designs to; a table, a report and its figures are put beside it. None
            writes nothing.
        n: designs for each protein.
        draft: sequences that already spell the proteins, where sampling begins; or the path of a FASTA file
            of them, or of one that annotates them (GenBank, EMBL, GFF3).
        keep: positions, from 1, whose codons of the draft stay, such as `1-10,40`, or a list of them.
        wild_type: likewise, to compare with; None takes the draft.
        sampling: a `lifecode.design.sampler.Sampling`.
        constraints: a `lifecode.design.constraints.Constraints`.
        genetic_code: NCBI number; None takes the host's.
        stop: end with a stop codon where the protein has no `*`.
        genbank: also write the designs as GenBank.
        seed: of every draw; a protein's designs depend on it, the protein's name and the protein alone.
        progress: show on stderr what is being done.

    Raises:
        UserError: a protein, host, draft or output that will not do, or contradictory constraints.
    """
    if n < 1:
        raise UserError("is not positive", source="n", remedy="Ask for at least 1 design")
    sampling, constraints = sampling or Sampling(), constraints or Constraints()
    output = None if output is None else Path(output).expanduser()
    files = None if output is None else DesignFiles(output, genbank=genbank)
    proteins = named_proteins(protein)
    if stop:
        proteins = {name: f"{letters.removesuffix('*')}*" for name, letters in proteins.items()}
    with told(progress) as say:
        say("counting the host's codons")
        usage = host_usage(str(host) if isinstance(host, int) else host, genetic_code)
        if isinstance(keep, Iterable) and not isinstance(keep, str):
            keep = list(keep)
        source = protein if is_path(protein) else "protein"
        for name, letters in proteins.items():
            residues_of(letters, usage.genetic_code, name=name, source=source)
        tasks = _tasks(proteins, draft, keep, wild_type, usage.genetic_code, sampling, n, seed)
        for task in tasks:  # so that the last one's fault does not cost the work on the first
            designable(task, usage, sampling, constraints)
        loaded = model if isinstance(model, LifeCode) else require_life_code(load(model)).to(best_device())
        sequences = []
        for number, task in enumerate(tasks, start=1):
            place = f"protein {number:,} of {len(tasks):,}, {task.name}"
            sequences += design(
                loaded, task, usage, sampling, constraints, lambda step, at=place: say(f"{at}: {step}")
            )
        designs = Designs(sequences, usage, proteins, constraints.sites)
        if files is None:
            return designs
        say("writing")
        return replace(designs, page=files.write(designs, write_design_report))


def run(config: DictConfig) -> Designs:
    """Design the sequences, write them and say what they are like."""
    use_colours(construct(config.figures))
    output = Path(checked_value(config, "output", str)).expanduser()
    host = checked_value(config, "host", str | int | list[str])
    designs = optimize(
        checked_value(config, "checkpoint", str),
        _given(checked_value(config, "protein", str)),
        host if isinstance(host, list) else str(host),
        output,
        n=checked_value(config, "n", int),
        draft=_given(checked_value(config, "draft", str | None)),
        keep=checked_value(config, "keep", str | int | list[str | int] | None),
        wild_type=_given(checked_value(config, "wild_type", str | None)),
        sampling=construct(config.sampling),
        constraints=construct(config.constraints),
        genetic_code=checked_value(config, "genetic_code", int | None),
        stop=checked_value(config, "stop", bool),
        genbank=checked_value(config, "genbank", bool),
        seed=checked_value(config, "seed", int),
    )
    count, distinct = len(designs.dna), len(set(designs.dna.values()))
    of = "a table" if designs.host.num_genes is None else f"{designs.host.num_genes:,} genes"
    print(f"host {designs.host.name}: {of}, genetic code {designs.host.genetic_code}")
    print(f"{count:,} designs ({distinct:,} distinct) for {len(designs.proteins):,} proteins in {output}")
    print(f"each translates to its protein; {output.with_suffix('.tsv')} and {designs.page} describe them")
    return designs


def _tasks(
    proteins: dict[str, str],
    draft: Any,
    keep: str | int | Sequence[str | int] | None,
    wild_type: Any,
    code: int,
    sampling: Sampling,
    n: int,
    seed: int,
) -> list[Task]:
    drafts = {} if draft is None else coding_sequences(draft, proteins, code, key="draft")
    wild = drafts if wild_type is None else coding_sequences(wild_type, proteins, code, key="wild_type")
    if keep is not None and (without := [name for name in proteins if name not in drafts]):
        raise UserError(
            "has no draft whose codons could be kept", source="keep", record=without[0], remedy="Give draft="
        )
    if drafts and keep is None and sampling.start not in (None, "draft"):
        raise UserError(
            f"nothing of it is used, since sampling.start={sampling.start} and no keep names its codons",
            source="draft",
            remedy="Give it as wild_type to compare with, or say keep= or sampling.start=draft",
        )
    return [
        Task(
            name=name,
            protein=letters,
            draft=drafts.get(name),
            keep=np.empty(0, dtype=np.int64)
            if keep is None
            else positions(keep, len(letters), source="keep", name=name),
            wild_type=wild.get(name),
            n=n,
            seed=seed,
        )
        for name, letters in proteins.items()
    ]


def _given(value: str | None) -> Path | str | None:
    """A file, or the letters themselves where nothing has that name."""
    is_letters = value is not None and value.strip("*").isalpha() and not os.path.isfile(value)
    return value if value is None or is_letters else Path(value)
