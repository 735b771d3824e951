"""From contigs to a data set on disk: verify, make the examples of a maker, split, write.

Everything is a pure function of the contigs, the maker and the seed. All contigs and examples are in memory:
a byte per nucleotide of the contigs and of every sequence written.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from lifecode.data.records import Contig
from lifecode.datasets.central_dogma.dataset import Dataset, write_dataset
from lifecode.datasets.central_dogma.genes import Genes, read_genes
from lifecode.datasets.central_dogma.ranking import SPLITS
from lifecode.errors import UserError
from lifecode.host.output_folder import require_absent


class Maker(Protocol):
    """Makes labelled examples of the genes of a genome; a class attribute `features` may name keys of the
    feature table, such as `tRNA`, that it wants beside CDS."""

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """The examples with their splits, a pure function of the genes and the seed.

        Args:
            found: genes; what gives no example is entered in its `left_out`.
            seed: of every draw and of the split.
        """
        ...


def make_dataset(
    contigs: Iterable[Contig], output: str | Path, maker: Maker, seed: int = 0
) -> dict[str, Any]:
    """Write the data set that a maker makes and return its `report.json`.

    Args:
        contigs: as from `read_records`.
        output: folder to write; must not exist or be empty.
        maker: such as `lifecode.datasets.central_dogma.Pairs()`.
        seed: of every draw and of the split.

    Raises:
        UserError: two contigs of one name, no example, or an output that exists or cannot be written.
    """
    output = Path(output).expanduser()
    require_absent(output)
    found = read_genes(contigs)
    num_cds = len(found.genes) + len(found.left_out)
    dataset = maker.dataset(found, seed)
    if not dataset.examples:
        raise _no_examples(found, num_cds)
    report = _report(found, dataset, num_cds) | {"seed": seed, "task": _settings(maker)}
    write_dataset(output, dataset, found.left_out, report)
    return report


def _report(found: Genes, dataset: Dataset, num_cds: int) -> dict[str, Any]:
    """What was found, what was made of it, and what was left out."""
    kinds = Counter(
        (example.kind, split) for example, split in zip(dataset.examples, dataset.splits, strict=True)
    )
    return {
        "contigs": len(found.contigs),
        "cds": num_cds,
        "genes": {"exact": len(found.genes), "with_introns": found.num_with_introns()},
        "examples": {
            kind: {split: kinds[kind, split] for split in SPLITS}
            for kind in sorted({kind for kind, _ in kinds})
        },
        "left_out": dict(sorted(found.reasons().items())),
    }


def _settings(maker: object) -> dict[str, Any]:
    """The name of a maker, with the settings of a dataclass, those of what it is made with likewise."""
    values = {f.name: getattr(maker, f.name) for f in fields(maker)} if is_dataclass(maker) else {}
    return {"name": type(maker).__name__} | {
        name: _settings(value) if is_dataclass(value) else value for name, value in values.items()
    }


def _no_examples(found: Genes, num_cds: int) -> UserError:
    sources = list(dict.fromkeys(contig.source for contig in found.contigs.values()))
    reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons().most_common())
    return UserError(
        f"none of {num_cds} CDS gives an example ({reasons})" if num_cds else "there is no CDS",
        source=", ".join(sources[:3]) + (" …" if len(sources) > 3 else ""),
        remedy="Give an annotated genome that has what the maker needs, or another maker",
    )
