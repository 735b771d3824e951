"""The Life-Code model: codec, hybrid encoder, and how both are saved."""

from lifecode.models.families import load
from lifecode.models.layers.mixers import Mixer, register_mixer
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode

__all__ = ["CodonCodec", "LifeCode", "Mixer", "load", "register_mixer"]
