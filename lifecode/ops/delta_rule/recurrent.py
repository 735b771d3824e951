"""The gated delta rule written as its recurrence, one step at a time: the definition the others must meet.

Source: Yang et al. 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule".
"""

import itertools

import torch
from torch import Tensor


def recurrent_gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float,
    borders: tuple[int, ...] | None,
    reverse: bool,
    initial_state: Tensor,
) -> tuple[Tensor, Tensor]:
    """Run S_t = exp(g_t) (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T and o_t = scale q_t^T S_t.

    Args:
        q: queries [B, T, H, K], float32 or float64 like all others.
        k: keys [B, T, H, K].
        v: values [B, T, H, V].
        g: log decay [B, T, H], at most 0.
        beta: write strength [B, T, H].
        scale: factor on the queries.
        borders: segment borders of the packed row (then B is 1), or None.
        reverse: run every segment from its last position to its first.
        initial_state: [B or segments, H, K, V].

    Returns:
        Outputs [B, T, H, V] and the final states, shaped as `initial_state`.
    """
    if borders is None:
        return _run(q, k, v, g, beta, scale, reverse, initial_state)
    outputs, finals = [], []
    for segment, (start, end) in enumerate(itertools.pairwise(borders)):
        rows, state = slice(start, end), initial_state[segment : segment + 1]
        output, final = _run(
            q[:, rows], k[:, rows], v[:, rows], g[:, rows], beta[:, rows], scale, reverse, state
        )
        outputs.append(output)
        finals.append(final)
    return torch.cat(outputs, dim=1), torch.cat(finals)


def _run(
    q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor, scale: float, reverse: bool, state: Tensor
) -> tuple[Tensor, Tensor]:
    outputs: list[Tensor] = []
    steps = range(q.shape[1])
    for t in reversed(steps) if reverse else steps:
        key = k[:, t, :, :, None]
        decayed = state * g[:, t, :, None, None].exp()
        recalled = (key * decayed).sum(-2)
        written = beta[:, t, :, None] * (v[:, t] - recalled)
        state = decayed + key * written[:, :, None, :]
        outputs.append(scale * (q[:, t, :, :, None] * state).sum(-2))
    if not outputs:
        return v.new_empty(v.shape), state
    return torch.stack(outputs[::-1] if reverse else outputs, dim=1), state
