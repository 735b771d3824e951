"""Sequence mixers: what a kind of layer is, where it is registered, and which kind each layer of a stack is.

A kind is one class in its own file. Registered, it can be named in a config, and plans, reports and
benchmarks know its cost:

    @register_mixer("mean", letter="M")
    class SegmentMean(Mixer):
        ...

Python registers it when it imports the file, which must come before a model is built or loaded with it.
"""

import inspect
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from torch import Tensor, nn

from lifecode.errors import UserError

_OF_A_RATIO = ("gdn", "mhsa")
"""The two kinds of a ratio `a:b`, in its order."""


class StackShape(NamedTuple):
    """What all layers of an encoder are built from.

    Attributes:
        width: d.
        num_heads: of a Gated DeltaNet layer.
        attention_head_dim: of a self-attention layer.
        short_conv_width: positions that the convolution of a Gated DeltaNet layer sees.
    """

    width: int
    num_heads: int
    attention_head_dim: int
    short_conv_width: int


class Mixer(nn.Module):
    """Base of the sequence mixers: a layer's part in which positions see each other.

    Attributes:
        kind: name of the class in configs.
        label: of the class in tables.
        streams: whether a layer can go on from a memory of fixed size where it stopped reading: whether it
            has `blank_memory`, `read_on` and `mix`, as `lifecode.models.layers.gated_deltanet.GatedDeltaNet`.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    streams: ClassVar[bool] = False

    @classmethod
    def in_stack(cls, shape: StackShape, **options: Any) -> Self:
        """A layer of an encoder; `options` are those that `model.mixer_options` has for this kind."""
        return cls(width=shape.width, **options)  # pyright: ignore[reportCallIssue]

    @abstractmethod
    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Mixes (T, d) inside each segment of `cu_seqlens` (S + 1,); returns (T, d)."""

    @abstractmethod
    def mixing_flops(self, positions: float, pairs: float) -> float:
        """Operations of one forward pass, those of the `nn.Linear` inside apart.

        Args:
            positions: n, of all segments.
            pairs: sum of n_s^2 over the segments, positions that see each other.
        """

    @abstractmethod
    def kept_bytes(self, low: int) -> float:
        """Bytes per position that a forward pass keeps for the backward pass, weights apart.

        Args:
            low: bytes of a value in the precision of matrix products: 4, or 2 under bf16 autocast.
        """

    def gates(self) -> list[Tensor]:
        """Two-dimensional parameters whose columns are gates of a head: no matrices to orthogonalise."""
        return []


MixerClass = TypeVar("MixerClass", bound=type[Mixer])
_REGISTERED: dict[str, type[Mixer]] = {}
_NAME_OF_LETTER: dict[str, str] = {}


def register_mixer(name: str, *, letter: str, label: str | None = None) -> Callable[[MixerClass], MixerClass]:
    """Decorator of a `Mixer`: makes it a kind of layer that configs can name.

    Args:
        name: lower-case, for lists such as `mixers: [gdn, mean]`.
        letter: upper-case, for patterns such as `mixers: GGGM`.
        label: in tables; the name in capitals by default.

    Raises:
        UserError: the name or letter is malformed or another kind's, or the class does not state its cost.
    """

    def register(kind: MixerClass) -> MixerClass:
        home = f"{kind.__module__}.{kind.__qualname__}"
        if not re.fullmatch("[a-z][a-z0-9_]*", name) or not re.fullmatch("[A-Z]", letter):
            raise UserError(
                f"{name!r}, {letter!r} do not name a mixer",
                source=home,
                remedy="Give a lower-case name and one upper-case letter",
            )
        taken = _REGISTERED.get(name) or _REGISTERED.get(_NAME_OF_LETTER.get(letter, ""))
        if taken is not None and f"{taken.__module__}.{taken.__qualname__}" != home:
            raise UserError(
                f"cannot be mixer {name!r}, {letter!r}: {taken.__module__}.{taken.__qualname__} is",
                source=home,
                remedy="Choose a name and a letter of its own",
            )
        for method in ("forward", "mixing_flops", "kept_bytes"):
            if getattr(kind, method) is getattr(Mixer, method):
                raise UserError(f"has no {method}, which a mixer must have", source=home)
        kind.kind, kind.label = name, label or name.upper()
        _REGISTERED[name], _NAME_OF_LETTER[letter] = kind, name
        return kind

    return register


def registered_mixer(name: str, *, source: str = "model.mixers") -> type[Mixer]:
    """The class that is registered under a name.

    Args:
        name: of the kind.
        source: config key that names it, for the error.

    Raises:
        UserError: none is.
    """
    if name not in _REGISTERED:
        known = ", ".join(f"{own} ({letter})" for letter, own in _NAME_OF_LETTER.items())
        raise UserError(
            f"no mixer {name!r} is registered",
            source=source,
            remedy=f"Registered are {known}; import the module that registers another one first",
        )
    return _REGISTERED[name]


def parsed_ratio(text: object) -> tuple[int, int] | None:
    """(a, b) of a ratio `a:b` of Gated DeltaNet to self-attention layers; None if it is no such text."""
    match = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", text) if isinstance(text, str) else None
    if match is None or not any(map(int, match.groups())):
        return None
    return int(match.group(1)), int(match.group(2))


def layer_kinds(mixers: str | Sequence[str], depth: int, *, source: str = "model.mixers") -> list[str]:
    """Name of the mixer of each layer; none for depth 0.

    Args:
        mixers: a ratio `a:b` of Gated DeltaNet to self-attention, the latter last in every group of a + b;
            a pattern of registered letters; or the names of all layers. Ratio and pattern repeat.
        depth: number of layers.
        source: config key that `mixers` stands under, for errors.

    Raises:
        UserError: they make no stack of this depth, or name a mixer that is not registered.

    >>> layer_kinds("2:1", 6)
    ['gdn', 'gdn', 'mhsa', 'gdn', 'gdn', 'mhsa']
    """
    if isinstance(mixers, list | tuple):
        if len(mixers) != depth:
            raise UserError(
                f"{len(mixers)} mixers are named for a depth of {depth} layers",
                source=source,
                remedy=f"Set model.depth to {len(mixers)}, or repeat a pattern of letters",
            )
        return [registered_mixer(name, source=source).kind for name in mixers]
    numbers = parsed_ratio(mixers)
    if numbers is None and not (isinstance(mixers, str) and re.fullmatch("[A-Z]+", mixers)):
        raise UserError(
            f"{mixers!r} is no ratio of Gated DeltaNet to self-attention layers, pattern of letters or list",
            source=source,
            remedy='Write it as a quoted string such as "11:1" (unquoted, YAML reads a number), or as GGGA',
        )
    length = sum(numbers) if numbers else len(mixers)
    if depth < 0 or depth % length:
        raise UserError(
            f"a depth of {depth} layers is no multiple of "
            + (f"{numbers[0]} + {numbers[1]}" if numbers else f"the {length} of {mixers}"),
            source=source,
            remedy="Choose model.depth as a multiple",
        )
    if numbers:
        group = [
            name for name, count in zip(_OF_A_RATIO, numbers, strict=True) for _ in range(min(count, depth))
        ]
    else:
        names = [_NAME_OF_LETTER.get(letter, letter) for letter in mixers]
        group = [registered_mixer(name, source=source).kind for name in names]
    return group * (depth // length)


def build_mixer(name: str, shape: StackShape, options: Mapping[str, Mapping[str, Any]]) -> Mixer:
    """A layer's mixer.

    Args:
        name: of its kind.
        shape: of the stack.
        options: further arguments by kind, `model.mixer_options`.

    Raises:
        UserError: a kind that is not registered, or an option that it does not take.
    """
    kind, own = registered_mixer(name), options.get(name, {})
    unknown = own.keys() - inspect.signature(kind).parameters.keys()
    if unknown:
        raise UserError(f"{name} takes no {sorted(unknown)[0]!r}", source=f"model.mixer_options.{name}")
    return kind.in_stack(shape, **own)


def mixers_of(module: nn.Module) -> str:
    """How many mixers of each kind are inside a module, in order of their first layer: `22 GDN, 2 MHSA`."""
    counts = Counter(part.label for part in module.modules() if isinstance(part, Mixer))
    return ", ".join(f"{count} {label}" for label, count in counts.items())


def streaming_share(mixers: str) -> float:
    """Share of the layers of a ratio or pattern whose kind streams, 0 to 1: those of linear time."""
    numbers = parsed_ratio(mixers)
    kinds = layer_kinds(mixers, sum(numbers) if numbers else len(mixers))
    return sum(registered_mixer(kind).streams for kind in kinds) / len(kinds)
