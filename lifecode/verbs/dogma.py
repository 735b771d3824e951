"""`lifecode dogma`: annotated genomes to labelled examples of the central dogma."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.datasets.central_dogma.counts_table import counts_table
from lifecode.datasets.central_dogma.make import Task, make_dataset
from lifecode.errors import UserError
from lifecode.host.activity import Activity


def run(config: DictConfig) -> None:
    """Make the data set and print its counts."""
    task = construct(config.task)
    if not isinstance(task, Task):
        raise UserError("makes no examples", source="task", remedy="Use one of: lifecode dogma --help")
    output = checked_value(config, "output", str)
    seed = checked_value(config, "seed", int)
    contigs = read_records(
        checked_value(config, "input", str | list[str]),
        **asdict(construct(config.data.reading, seed=seed)),
    )
    with Activity() as activity:
        report = make_dataset(_told(contigs, activity), output, task, seed)
    print_table(counts_table(report))
    print(f"\nThe data set is in {output} (origins.csv says where each row comes from)")


def _told(contigs: Iterable[Contig], activity: Activity) -> Iterator[Contig]:
    """The contigs as they come, each shown as it is read."""
    for number, contig in enumerate(contigs, start=1):
        activity.say(f"{number:,} contigs read, the last {contig.name}")
        yield contig
    activity.say("making the examples")
