"""The Life-Code model: codec, hybrid encoder, and how both are saved."""

from lifecode.model.codec import CodonCodec
from lifecode.model.families import load
from lifecode.model.life_code import LifeCode

__all__ = ["CodonCodec", "LifeCode", "load"]
