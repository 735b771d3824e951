"""How the examples of a task become segments of rows for a model, as the settings of a head say."""

from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.features.at_positions import position_window, require_position_keys
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.rows import Framing
from lifecode.tasks.tuning.settings import TuningSettings


def chosen_framing(
    model: SavedModel,
    settings: TuningSettings,
    examples: Examples | PairExamples,
    labels: Labels,
    molecule: Molecule | None,
) -> Framing | PairFraming:
    """How an encoder reads examples when it is tuned: frames and window as `settings.head` says."""
    head, row_codons = settings.head, settings.fit.max_codons
    if isinstance(examples, PairExamples):
        kinds = (examples.first.kind, examples.second.kind)
        sides = []
        for kind in kinds:
            family = reading_of(model, kind)
            own = None if kind == "protein" and kinds[0] != kinds[1] else head.frames  # of the other side
            frames = family.frames(own, "sequence", "head.frames")
            sides.append(
                Framing(
                    family=family,
                    molecule=kind,
                    frames=frames,
                    most_codons=head.max_codons,
                    row_codons=row_codons,
                )
            )
        return PairFraming(kinds=kinds, first=sides[0], second=sides[1], row_codons=row_codons)
    family, window = reading_of(model, molecule or "dna"), 1
    frames = family.frames(head.frames, labels.unit, "head.frames")
    if labels.unit != "sequence":
        require_position_keys(head, "head")
        window = position_window(head.pools, head.window)
    return Framing(
        family=family,
        molecule=molecule or "dna",
        frames=frames,
        most_codons=head.max_codons,
        row_codons=row_codons,
        unit=labels.unit,
        window=window,
    )
