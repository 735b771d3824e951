"""Any transformers model as an encoder: its own tokenizer, windows of its own length, states of tokens."""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.data.translation import reverse_translate, translate
from lifecode.errors import UserError
from lifecode.host.checksum import digest_of
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.quiet_transformers import quiet_transformers
from lifecode.tasks.examples.molecule import Molecule, decoded
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.states import StatePool
from lifecode.tasks.names_in_tables import UNTRAINED
from lifecode.tasks.peers.tokens import SPECIAL, PeerLetters, Tokens, require_known, tokens_of
from lifecode.tasks.probe import Probe

_NOT_READ, _DECODER = "pooler.", "decoder."
"""Weights that states do not depend on, which many checkpoints lack; of models that also write the latter."""
_OF_TOKENIZER = frozenset({"input_ids", "attention_mask", "token_type_ids"})
"""What a model is given of all that its tokenizer makes."""
_States = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of a window: the state of its first token (d,), and those (n, d) of the tokens that are not special."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersPeer:
    """How a model of transformers reads.

    Args:
        model: folder, or `user/name` on the hub.
        revision: branch, tag or commit on the hub.
        tokenizer: likewise; None is that of the model.
        letters: what its tokenizer reads: `dna`, `rna`, or `protein`, the translation of coding sequences.
        kmer: letters are given as overlapping words of so many, with spaces between; None as they are.
        window: letters that are read at once; longer sequences are read in windows, one behind the other.
        pools: of the states of tokens that are not special: `mean`, `max`; `cls` is the first token's.
        layer: hidden states behind so many layers; None is the last.
        batch: windows at once, at most: those of as many tokens, so that nothing is padded.
        trust_remote_code: run code that comes with the model, as some on the hub need.
    """

    model: str
    revision: str | None = None
    tokenizer: str | None = None
    letters: PeerLetters = "dna"
    kmer: int | None = None
    window: int = 1_000
    pools: list[StatePool] = field(default_factory=lambda: ["mean"])
    layer: int | None = None
    batch: int = 8
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        for name, value in (("window", self.window), ("batch", self.batch), ("kmer", self.kmer or 1)):
            if value < 1:
                raise UserError("is not positive", source=f"peer.{name}")

    def reader(self, name: str) -> "PeerReader":
        """The model, loaded.

        Raises:
            UserError: transformers is missing, or there is no such model or tokenizer.
        """
        if find_spec("transformers") is None:
            raise UserError("transformers is not installed", source=name, remedy="pip install 'lifecode[hf]'")
        from transformers import AutoModel, AutoTokenizer

        given: dict[str, Any] = {"revision": self.revision, "trust_remote_code": self.trust_remote_code}
        try:
            with quiet_transformers(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # of weights that the checkpoint lacks and nothing reads
                tokenizer = AutoTokenizer.from_pretrained(self.tokenizer or self.model, **given)
                model, found = AutoModel.from_pretrained(self.model, output_loading_info=True, **given)
        except Exception as fault:  # code that comes with a model raises anything, half a file too
            said = str(fault).strip() or type(fault).__name__
            problem = f"cannot be loaded ({said.splitlines()[0][:200]})"
            raise UserError(
                problem,
                source=f"{name}: {self.model}",
                remedy="Give peer.NAME.model a whole folder or a name on the hub; code of its own needs "
                "peer.NAME.trust_remote_code=true and the version of transformers that it was written for",
            ) from fault
        not_read = (_NOT_READ, _DECODER) if _also_writes(model) else (_NOT_READ,)
        lacking = sorted(key for key in found["missing_keys"] if not key.startswith(not_read))
        if lacking:
            raise UserError(
                f"lacks {len(lacking)} weights, such as {lacking[0]}",
                source=f"{name}: {self.model}",
                remedy="Give a checkpoint of the whole encoder",
            )
        return PeerReader(name, self, model, tokenizer)


class PeerReader:
    """A loaded peer; as `lifecode.tasks.competitors.competitor.Reader`."""

    training_genes: NDArray[np.uint32] | None = None

    def __init__(self, name: str, peer: TransformersPeer, model: Any, tokenizer: Any) -> None:
        self.name, self.peer = name, peer
        self._config = model.config
        encoder = model.get_encoder() if _also_writes(model) else model
        self.encoder = PeerEncoder(peer, encoder.eval().float(), tokenizer)
        self.digest = self.encoder.digest

    def untrained(self, seed: int) -> "PeerReader":
        """The same configuration with new weights."""
        from transformers import AutoModel

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            given = {"trust_remote_code": self.peer.trust_remote_code}
            model = AutoModel.from_config(self._config, **given)
        name = f"{UNTRAINED} {self.name}"
        return PeerReader(name, self.peer, model, self.encoder.tokenizer)

    def reads(self, molecule: Molecule) -> bool:
        """A protein's model proteins and what has a reading frame, others anything."""
        return self.peer.letters != "protein" or molecule != "dna"

    def states(self, probe: Probe, molecule: Molecule, told: Callable[[int, int], None]) -> Features:
        """What a head reads: pools and layer are the peer's own, frames are none."""
        own = replace(probe, pools=self.peer.pools, layer=self.peer.layer, max_codons=None)
        encoder = PeerEncoder(self.peer, self.encoder.model, self.encoder.tokenizer, molecule)
        return own.states(encoder, self.name, molecule, told)

    def notes(self, molecule: Molecule, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """That a model of nucleic acids reads proteins as codons, and how many sequences are cut."""
        found = []
        if molecule == "protein" and self.peer.letters != "protein":
            found.append("proteins are read as codons, the most frequent one of E. coli for each residue")
        encoder = PeerEncoder(self.peer, self.encoder.model, self.encoder.tokenizer, molecule)
        longer = sum(encoder.num_letters(ids) > self.peer.window for ids in sequences)
        if longer:
            found.append(
                f"{self.name} reads {longer:,} sequences of more than {self.peer.window:,} letters "
                "in windows, one behind the other"
            )
        return found


class PeerEncoder:
    """States of a model's tokens; as `lifecode.tasks.features.encoder.Encoder`."""

    def __init__(
        self, peer: TransformersPeer, model: Any, tokenizer: Any, molecule: Molecule = "dna"
    ) -> None:
        self.peer, self.model, self.tokenizer = peer, model, tokenizer
        self.molecule: Molecule = molecule
        self._takes = _arguments(model)

    def frames(self, asked: FrameReading | None) -> FrameReading:
        """None: it has a tokenizer of its own."""
        return 0

    @property
    def digest(self) -> str:
        """Of its weights and of how it reads."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        read = {"weights": found.hexdigest(), "vocabulary": vocabulary, "padding": None}
        return digest_of(read | asdict(self.peer))

    def states(
        self, sequences: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """As `Encoder.states`; a state is that of a token, windows stand one behind the other."""
        texts = [self._letters(ids) for ids in sequences]
        width = self.peer.window
        cut = [
            (number, text[start : start + width])
            for number, text in enumerate(texts)
            for start in range(0, max(1, len(text)), width)
        ]
        words = [self._words(text) for _, text in cut]
        tokens = [tokens_of(self.tokenizer, text) for text in words]
        least, source = self.peer.kmer or 1, self.peer.model
        require_known(self.tokenizer, self.peer.letters, words, tokens, least=least, source=source)
        sizes = np.array([len(each["input_ids"]) for each in tokens])
        read: dict[int, _States] = {}
        for size in np.unique(sizes):
            alike = np.flatnonzero(sizes == size).tolist()
            for first in range(0, len(alike), self.peer.batch):
                part = alike[first : first + self.peer.batch]
                read |= zip(part, self._read([tokens[i] for i in part], place.layer), strict=True)
        windows: dict[int, list[_States]] = {}
        for window, (number, _) in enumerate(cut):
            windows.setdefault(number, []).append(read[window])
        for number, of_sequence in windows.items():
            inner = np.concatenate([states for _, states in of_sequence])
            whole = of_sequence[0][0][None]
            yield number, np.concatenate([whole, inner if len(inner) else whole, whole])

    def num_letters(self, ids: NDArray[np.uint8]) -> int:
        """How many letters of a sequence its tokenizer is given, before they are cut into windows."""
        if (self.molecule == "protein") == (self.peer.letters == "protein"):
            return len(ids)
        return 3 * len(ids) if self.molecule == "protein" else len(ids) // 3

    def _letters(self, ids: NDArray[np.uint8]) -> str:
        if self.molecule == "protein":
            protein = decoded(ids, "protein").rstrip("*").replace("*", "X")
            if self.peer.letters == "protein":
                return protein
            text = reverse_translate(protein)
            return text.replace("T", "U") if self.peer.letters == "rna" else text
        if self.peer.letters == "protein":
            return translate(ids).rstrip("*").replace("*", "X")
        text = decoded(ids, "dna")
        return text.replace("T", "U") if self.peer.letters == "rna" else text

    def _words(self, text: str) -> str:
        k = self.peer.kmer
        return text if k is None else " ".join(text[i : i + k] for i in range(max(1, len(text) - k + 1)))

    @undisturbed
    def _read(self, windows: Sequence[Tokens], layer: int | None) -> list[_States]:
        """The state of the first token (d,), and those of the tokens that are not special, of each window.

        All have as many tokens. Padding would be seen: an attention mask does not hide it from convolutions,
        nor does it shift positions that are counted from the left where the padding stands there.
        """
        names = windows[0].keys() & self._takes
        given = {name: torch.tensor([window[name] for window in windows]) for name in names}
        try:
            hidden = self._hidden(given, layer).numpy()
        except (IndexError, RuntimeError) as fault:  # of a table of positions that is shorter
            raise UserError(
                f"cannot read {len(windows[0]['input_ids']):,} tokens at once ({fault})",
                source=self.peer.model,
                remedy=f"Give peer.NAME.window less than {self.peer.window:,}",
            ) from fault
        inner = [np.array(window[SPECIAL]) == 0 for window in windows]
        return [(states[0], states[kept]) for states, kept in zip(hidden, inner, strict=True)]

    def _hidden(self, given: dict[str, torch.Tensor], layer: int | None) -> torch.Tensor:
        if layer is None:
            output = self.model(**given)
            return (output[0] if isinstance(output, tuple) else output.last_hidden_state).float()
        states = self.model(**given, output_hidden_states=True).hidden_states
        if not 0 <= layer < len(states):
            problem = f"is {layer}, and the model has {len(states) - 1} layers"
            raise UserError(problem, source=f"layer of {self.peer.model}")
        return states[layer].float()


def _also_writes(model: Any) -> bool:
    """Whether it has a decoder beside the encoder, as T5 has."""
    return hasattr(model, "encoder") and hasattr(model, "decoder")


def _arguments(model: Any) -> frozenset[str]:
    """Those of `_OF_TOKENIZER` that the model's `forward` takes; all where it does not name them."""
    own = _OF_TOKENIZER & inspect.signature(model.forward).parameters.keys()
    return own if "input_ids" in own else _OF_TOKENIZER
