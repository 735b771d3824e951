"""Tasks with labels of a user's own: read, split, learnt by a probe or by tuning, beside honest baselines."""

from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.finetune import Finetuned
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuned_model import TunedModel
from lifecode.tasks.tuned_pairs import TunedPairs
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead
from lifecode.tasks.tuning.tuned_network import TunedNetwork

__all__ = [
    "Finetuned",
    "Fit",
    "Lora",
    "PairHead",
    "PairTask",
    "Probe",
    "SequenceTask",
    "TrainedHead",
    "TunedModel",
    "TunedNetwork",
    "TunedPairs",
]
