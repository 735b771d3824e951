"""Names of LucaOne's weights in its released state dict and in its transformers port, and in ours.

Every name of ours has exactly one in each layout, but for the heads of the tasks, for which the port has no
room. Two kinds of names there hold nothing of their own: the token embedding, written once more at the
language head, and the frequencies of the rotary positions in every layer.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.models.luca_one.heads import LEVELS

RELEASED_EMBEDDING, RELEASED_TIED = "embed_tokens.weight", "lm_head.weight"
UNREAD = ("contact_head.", "loss_fct_list.")
"""Prefixes in released files of what no output of the model depends on."""
PARALLEL = "module."
"""Prefix that training on several devices leaves."""

_BOTH = ("weight", "bias")
_IN_LAYER = {
    "mixer_norm": "pre_layer_norm",
    "mixer.q_proj": "self_attn.q_proj",
    "mixer.k_proj": "self_attn.k_proj",
    "mixer.v_proj": "self_attn.v_proj",
    "mixer.o_proj": "self_attn.out_proj",
    "feed_forward_norm": "post_layer_norm",
    "feed_forward.up_proj": "fc1",
    "feed_forward.down_proj": "fc2",
}
_BESIDE_LAYERS = {
    "encoder.norm": "last_layer_norm",
    "language_head.dense": "lm_head.dense",
    "language_head.norm": "lm_head.layer_norm",
}
_ALONE = {
    "embedding.tokens.weight": RELEASED_EMBEDDING,
    "embedding.molecules.weight": "embed_type.weight",
    "language_head.bias": "lm_head.bias",
}
_BASE, _OF_BASE = "lucaone.", ("embeddings.", "encoder.")
"""What begins the names of the encoder in the port, and the same without a head on it."""
_TO_PORT = {
    "embed_": f"{_BASE}embeddings.embed_",
    "layers.": f"{_BASE}encoder.layers.",
    "last_layer_norm.": f"{_BASE}encoder.last_layer_norm.",
    "lm_head.weight": "lm_head.decoder.weight",
    "lm_head.": "lm_head.",
}
"""Beginnings of released names, and of the same in the port; the first that fits."""


def released_names(depth: int, tasks: Sequence[str]) -> dict[str, str]:
    """The released name of each of our weights.

    Args:
        depth: number of layers.
        tasks: that have heads, in their order.
    """
    modules = dict(_BESIDE_LAYERS)
    for layer in range(depth):
        modules |= {
            f"encoder.layers.{layer}.{own}": f"layers.{layer}.{name}" for own, name in _IN_LAYER.items()
        }
    for number, task in enumerate(tasks):
        modules[f"task_heads.{task}.hidden"] = f"hidden_layer_list.{number}"
        modules[f"task_heads.{task}.classes"] = f"classifier_list.{number}"
    named = {f"{own}.{part}": f"{name}.{part}" for own, name in modules.items() for part in _BOTH}
    return _ALONE | named


def frequency_name(layer: int) -> str:
    """Released name of the rotary frequencies of a layer."""
    return f"layers.{layer}.self_attn.rot_emb.inv_freq"


def port_name(released: str) -> str | None:
    """The name in the transformers port; None for what it has no room for."""
    for beginning, own in _TO_PORT.items():
        if released.startswith(beginning):
            return own + released.removeprefix(beginning)
    return None


def as_released(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of either layout under released names, without `module.` and what nothing depends on.

    Raises:
        UserError: a name with and without `module.`.
    """
    plain = {name.removeprefix(PARALLEL): tensor for name, tensor in state.items()}
    if len(plain) < len(state):
        twice = next(name for name in state if PARALLEL + name in state)
        raise UserError(f"the weights have both {twice} and {PARALLEL}{twice}")
    if any(name.startswith(_OF_BASE) for name in plain):  # the port's model without any head
        plain = {f"{_BASE}{name}": tensor for name, tensor in plain.items()}
    if any(name.startswith(_BASE) for name in plain):
        beginnings = sorted(_TO_PORT.items(), key=lambda pair: -len(pair[1]))
        plain = {_from_port(name, beginnings): tensor for name, tensor in plain.items()}
    return {name: tensor for name, tensor in plain.items() if not name.startswith(UNREAD)}


def _from_port(name: str, beginnings: Iterable[tuple[str, str]]) -> str:
    released = ((old, own) for old, own in beginnings if name.startswith(own))
    old, own = next(released, ("", ""))
    return old + name.removeprefix(own)


_HEADS_OF_RELEASES = (
    tuple(LEVELS),
    tuple(task for task in LEVELS if task.startswith("gene")),
    tuple(task for task in LEVELS if task.startswith("prot")),
    (),
)
"""The tasks of each kind of released model, of which the heads say only how many they are."""


def tasks_of(num_heads: int) -> tuple[str, ...]:
    """The tasks of a released checkpoint by how many heads it has: all, those of genes or of proteins, none.

    Raises:
        UserError: another number.
    """
    for tasks in _HEADS_OF_RELEASES:
        if len(tasks) == num_heads:
            return tasks
    raise UserError(f"the weights have {num_heads} heads of tasks; released models have 8, 6, 2 or none")


def require_heads_of_a_release(tasks: Sequence[str]) -> None:
    """Raises a `UserError` for other heads, which would be taken for those of other tasks."""
    if tuple(tasks) not in _HEADS_OF_RELEASES:
        raise UserError(
            f"the released layout numbers the heads of tasks, and has no place for {', '.join(tasks)} alone",
            source="layout",
            remedy="Write a folder with save_pretrained, or transformers, which keeps no heads",
        )


def rotary_frequencies(head_dim: int) -> Tensor:
    """(head_dim / 2,) as the released files hold them, in float32."""
    return 1.0 / 10_000 ** (torch.arange(0, head_dim, 2, device="cpu").float() / head_dim)
