"""The gated delta rule in chunks of 64 steps (WY form), in plain torch: any device, any precision.

Inside a chunk all steps are solved at once by matrix products and one triangular solve; only the states at
chunk borders follow one another. Segments are cut into chunks of their own, padded with steps that neither
decay nor write, so no number of one segment ever meets one of another. The states of all segments advance
together: the loop runs as often as the longest segment has chunks, not once a segment.

With a_t = exp(g_t), D[i, j] the product of a over (j, i], b_i the product of a from the chunk's start, and
S the state that enters the chunk:

    r_i = v_i - b_i k_i^T S - sum_{j<i} D[i, j] (k_i . k_j) beta_j r_j
    o_i = scale (b_i q_i^T S + sum_{j<=i} D[i, j] (q_i . k_j) beta_j r_j)
    S' = b_last S + sum_j D[last, j] k_j (beta_j r_j)^T

Source: Yang et al. 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule", section 3.3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 64


def chunked_gated_delta_rule(
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
    """Compute what `recurrent_gated_delta_rule` computes, with the same arguments, chunk by chunk.

    Returns:
        Outputs [B, T, H, V] and the final states, shaped as `initial_state`.
    """
    batch, length = q.shape[:2]
    if borders is None:
        borders = tuple(length * row for row in range(batch + 1))
    lengths = torch.tensor(borders, device="cpu").diff()
    order = lengths.argsort(descending=True, stable=True)
    active = _active_segments(lengths)
    index = _chunk_index(torch.tensor(borders, device="cpu"), order, active, reverse).to(q.device)

    def chunks(x: Tensor) -> Tensor:
        # [B, T, H, ...] -> [chunks, H, 64, ...]; the index of a padding step points at the appended zeros.
        rows = F.pad(x.flatten(0, 1), (0, 0) * (x.dim() - 2) + (0, 1))
        return rows.index_select(0, index).unflatten(0, (-1, CHUNK)).transpose(1, 2)

    order = order.to(q.device)
    solved = _solve_chunks(chunks(q * scale), chunks(k), chunks(v), chunks(g), chunks(beta))
    output, finals = _advance_states(solved, initial_state.index_select(0, order), active)
    rows = torch.empty_like(index)[: batch * length]
    real = (index < batch * length).nonzero().squeeze(1)
    rows = rows.index_copy(0, index[real], real)
    output = output.transpose(1, 2).flatten(0, 1).index_select(0, rows)
    return output.unflatten(0, (batch, length)), finals.index_select(0, order.argsort())


def _active_segments(lengths: Tensor) -> list[int]:
    """How many segments have a first chunk, a second, and so on: the chunks of one rank form one batch."""
    counts = (lengths + CHUNK - 1) // CHUNK
    return [int((counts > rank).sum()) for rank in range(int(counts.max()))]


def _chunk_index(borders: Tensor, order: Tensor, active: list[int], reverse: bool) -> Tensor:
    """Source row of every step of every chunk, ordered by rank, then by segment, the longest first."""
    starts, ends, total = borders[:-1][order], borders[1:][order], int(borders[-1])
    steps, blocks = torch.arange(CHUNK, device="cpu"), [torch.empty(0, dtype=torch.long, device="cpu")]
    for rank, count in enumerate(active):
        step = rank * CHUNK + steps
        rows = ends[:count, None] - 1 - step if reverse else starts[:count, None] + step
        inside = step < (ends - starts)[:count, None]
        blocks.append(torch.where(inside, rows, total).flatten())
    return torch.cat(blocks)


def _solve_chunks(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    """Everything about the chunks that does not need the state entering them; all [chunks, H, 64, ...]."""
    # Each sum over (j, i] is summed as such, not taken as the difference of two running sums: those reach
    # -3200 at g = -50 and their difference keeps three digits. Masked before exp: no inf * 0 in the gradient.
    span = g[..., :, None].expand(*g.shape, CHUNK).tril(-1).cumsum(-2)
    causal = torch.ones(CHUNK, CHUNK, dtype=torch.bool, device=g.device).tril()
    decay = span.masked_fill(~causal, -torch.inf).exp()
    from_start = g.cumsum(-1).exp()[..., None]
    to_end = decay[..., -1, :, None]
    beta = beta[..., None]
    system = (decay * (k @ k.transpose(-1, -2)) * beta.transpose(-1, -2)).tril(-1)
    sides = torch.cat([v, k * from_start], dim=-1)
    # unitriangular: the solver takes the diagonal as ones without reading it.
    solved = torch.linalg.solve_triangular(system, sides, upper=False, unitriangular=True)
    values, keys = solved.split([v.shape[-1], k.shape[-1]], dim=-1)
    scores = decay * (q @ k.transpose(-1, -2))
    return q * from_start, k * to_end, from_start[..., -1:, :], scores, beta * values, beta * keys


def _advance_states(solved: tuple[Tensor, ...], state: Tensor, active: list[int]) -> tuple[Tensor, Tensor]:
    """Carry the states along; the longest segments come first, so finished ones drop off the end."""
    # Split once: the gradient of a slice is as large as the whole, so slicing in the loop would be quadratic.
    ranks = zip(*(x.split(active) for x in solved), strict=True) if active else ()
    outputs, finals = [solved[4][:0]], []
    for q, k, decay, scores, values, keys in ranks:
        finals.append(state[len(q) :])
        state = state[: len(q)]
        written = values - keys @ state
        outputs.append(q @ state + scores @ written)
        state = decay * state + k.transpose(-1, -2) @ written
    return torch.cat(outputs), torch.cat([state, *reversed(finals)])
