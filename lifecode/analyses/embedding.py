"""`kind=embedding`: t-SNE of frozen embeddings, and how well they keep labelled classes apart.

Classes are known by their labels; k-means, which is told their number alone, has to find them again. Of the
embeddings, standardised, the first principal components are used. Multi-hot vectors stand beside the models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.named_model import NamedModel, notes_on_reading
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.class_map import class_map
from lifecode.report.page import Drawing
from lifecode.tasks.baselines import features_of
from lifecode.tasks.examples.molecule import MoleculeWord
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData, read_task

HEADINGS = ("model", "silhouette", "Calinski-Harabasz", "Davies-Bouldin", "k-means NMI", "k-means ARI")
_PERPLEXITY, _MOST_EXACT = 30.0, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingMap:
    """Classes of labelled sequences among their embeddings.

    Args:
        label: column of the classes; None finds it by its name.
        sequence: column of the sequences; None finds it by its letters.
        molecule: `cds`, `dna` or another word for nucleic acids, `protein`; None looks at the sequences.
        most_per_class: so many of each class are drawn.
        components: principal components, at most.
    """

    label: str | None = None
    sequence: str | None = None
    molecule: MoleculeWord | None = None
    most_per_class: int = 100
    components: int = 50

    def __post_init__(self) -> None:
        require_at_least(2, self, "most_per_class", "components", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input is what `task.train` of `lifecode finetune` takes."""
        task = SequenceTask(train=input, label=self.label, sequence=self.sequence, molecule=self.molecule)
        try:
            data = read_task(task)
        except UserError as fault:  # which speaks of the keys of a task
            remedy = fault.remedy and fault.remedy.replace("task.", "kind.")
            raise UserError(fault.problem, source=fault.source, record=fault.record, remedy=remedy) from fault
        rows, notes = self._drawn(data, seed)
        examples, classes = data.train.at(rows), data.labels.classes
        labels = examples.labels
        notes += notes_on_reading(models, examples.sequences, data.molecule)
        tables: list[list[Value]] = []
        maps: dict[str, NDArray[np.float64]] = {}
        multi_hot = features_of("multi_hot", examples, data.molecule)
        assert multi_hot is not None
        for name in [*(one.name for one in models), "multi-hot"]:
            say(f"{name}: reading {len(examples):,} sequences")
            model = next((one for one in models if one.name == name), None)
            vectors = (
                multi_hot(examples.sequences)
                if model is None
                else model.vectors(examples.sequences, data.molecule)
            )
            say(f"{name}: clustering")
            points = principal_components(vectors, self.components)
            tables.append([name, *clustering_metrics(points, labels, seed)])
            maps[name] = t_sne(points, seed)
        return Analysed(
            kind="embedding",
            verdict=f"{len(examples):,} sequences of {len(classes)} classes ({data.molecule})",
            headings=HEADINGS,
            rows=tables,
            drawing=Drawing(
                class_map(maps, labels, classes),
                "t-SNE of the embeddings",
                f"A panel for each of {', '.join(maps)}; a point is a sequence, its colour and mark its "
                "class.",
            ),
            how_to_read=(
                "Silhouette, Calinski-Harabasz (higher is better) and Davies-Bouldin (lower is better) "
                "say how far apart the classes lie. NMI and ARI compare classes with clusters of k-means "
                f"(1: the same, ARI 0: by chance). All on at most {self.components} principal components "
                "of standardised vectors; in the map neighbours are meaningful, distances are not."
            ),
            notes=[*data.notes, *notes],
        )

    def _drawn(self, data: TaskData, seed: int) -> tuple[NDArray[np.int64], list[str]]:
        """Rows of each class, in the order of the file."""
        if data.labels.kind not in ("binary", "multiclass"):
            raise UserError(
                f"the labels are {data.labels.kind}", source="kind.label", remedy="Name a column of classes"
            )
        draw = np.random.default_rng(seed)
        order = draw.permutation(len(data.train))
        labels = data.train.labels[order]
        kept = [order[labels == number][: self.most_per_class] for number in range(len(data.labels.classes))]
        rows = np.sort(np.concatenate(kept))
        left_out = len(data.train) - len(rows)
        notes = [f"{left_out:,} sequences beyond {self.most_per_class} a class left out"] if left_out else []
        if min(map(len, kept)) < 2:
            raise UserError(
                "a class has one sequence alone", source="kind.label", remedy="Name a column of classes"
            )
        return rows, notes


def principal_components(vectors: NDArray[np.float32], most: int) -> NDArray[np.float64]:
    """(n, c) of standardised vectors; features without variance say nothing."""
    table = vectors.astype(np.float64)
    table -= table.mean(0)
    deviation = table.std(0)
    varies = deviation > 1e-6 * max(float(deviation.max(initial=0)), 1e-12)
    table = table[:, varies] / deviation[varies]
    if not table.size:
        return np.zeros((len(vectors), 1))
    left, values, _ = np.linalg.svd(table, full_matrices=False)
    size = min(most, len(values))
    return left[:, :size] * values[:size]


def clustering_metrics(points: NDArray[np.float64], labels: NDArray[np.int64], seed: int) -> list[float]:
    """The values of `HEADINGS` behind the name."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import (
        adjusted_rand_score,
        calinski_harabasz_score,
        davies_bouldin_score,
        normalized_mutual_info_score,
        silhouette_score,
    )

    num_clusters: Any = len(np.unique(labels))
    starts: Any = 10  # scikit-learn says that it is text
    found = KMeans(num_clusters, n_init=starts, random_state=seed).fit_predict(points)
    return [
        float(silhouette_score(points, labels)),
        float(calinski_harabasz_score(points, labels)),
        float(davies_bouldin_score(points, labels)),
        float(normalized_mutual_info_score(labels, found)),
        float(adjusted_rand_score(labels, found)),
    ]


def t_sne(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """(n, 2); zeros where all points are one."""
    if np.ptp(points, axis=0).max() < 1e-9:
        return np.zeros((len(points), 2))
    from sklearn.manifold import TSNE

    if points.shape[1] == 1:
        points = np.pad(points, ((0, 0), (0, 1)))

    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    method = "exact" if len(points) <= _MOST_EXACT else "barnes_hut"
    model = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", method=method, random_state=seed)
    return model.fit_transform(points).astype(np.float64)
