"""Families of models, Life-Code and LucaOne, on shared layers, and how they are saved."""

from lifecode.models.families import load
from lifecode.models.layers.mixers import Mixer, register_mixer
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne

__all__ = ["CodonCodec", "LifeCode", "LucaOne", "Mixer", "load", "register_mixer"]
