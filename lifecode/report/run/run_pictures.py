"""Pictures of a model while it trains, for the loggers that show them."""

from collections.abc import Mapping, Sequence

import numpy as np
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.data.corpus.corpus import Corpus
from lifecode.evaluation.masked_genes import HeldOut
from lifecode.evaluation.sample import SamplePredictions, sample_predictions
from lifecode.models.life_code.codec import CodonCodec
from lifecode.report.charts.codons.codon_map import codon_map_in_code
from lifecode.report.charts.codons.sample_chart import sample_chart
from lifecode.report.charts.figure_style import plain_settings
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage

_STANDARD_CODE = 1


class RunPictures(Callback):
    """After every validation: the codon map and, in stage 2, guesses at masked codons of a validation gene.

    A model whose parameters are shared out over processes is left alone.

    Args:
        loggers: that get the pictures.
        corpus: whose validation split holds the gene.
        settings: how much of it is masked.
    """

    def __init__(self, loggers: Sequence[Logger], corpus: Corpus, settings: HeldOut) -> None:
        self.loggers, self.settings = loggers, settings
        self.genes = corpus.segments("cds", "validation")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws and hands over."""
        if pl_module.device_mesh is not None:
            return
        if isinstance(pl_module, TokenizerStage):
            figures = model_pictures(pl_module.codec, None)
        else:
            assert isinstance(pl_module, EncoderStage)
            sample = sample_predictions(pl_module.model, self.genes, self.settings)
            figures = model_pictures(pl_module.model.codec, sample)
        log_pictures(self.loggers, figures, f"{pl_module.name}/validation", trainer.global_step - 1)


@plain_settings
def model_pictures(codec: CodonCodec, sample: SamplePredictions | None) -> dict[str, Figure]:
    """`codon_map`, coloured by the standard genetic code, and `sample_predictions`; if finite."""
    figures = {}
    chart = codon_map_in_code(codec.codon_map().float().cpu().numpy(), _STANDARD_CODE)
    if chart is not None:
        figures["codon_map"] = chart
    if sample is not None and np.isfinite(sample.probabilities).all():
        figures["sample_predictions"] = sample_chart(sample)
    return figures


@plain_settings
def log_pictures(loggers: Sequence[Logger], figures: Mapping[str, Figure], prefix: str, step: int) -> None:
    """Hands pictures as `prefix/name` to the loggers that show them: W&B and TensorBoard."""
    for name, figure in figures.items():
        for logger in loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(f"{prefix}/{name}", [_pixels(figure)], step=step)
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_figure(f"{prefix}/{name}", figure, step, close=False)


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """(height, width, 4) bytes of a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())
