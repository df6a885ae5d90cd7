"""The classifier: encode the input, start particles, read the equilibrium out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from ddeq.model.base import Model, ModelConfig
from ddeq.model.encoded import Applied, Encoded
from ddeq.model.operator import Operator, OperatorConfig
from ddeq.model.readout import MaxReadout
from ddeq.seeds import initial_particles, seeded


@dataclass(frozen=True)
class ClassifierConfig(ModelConfig):
    """Architecture of a classifier.

    Attributes:
        operator: sizes of ``F_theta``.
        classes: number of classes.
        particles: ``N``, particles a cloud starts with unless asked otherwise.
    """

    operator: OperatorConfig
    classes: int = 10
    particles: int = 10

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        return cls(**{**plain, "operator": OperatorConfig(**plain["operator"])})


class Classifier(Model):
    """A DDEQ that classifies clouds (paper, section 4.1).

    Attributes:
        temperature: by what class scores are divided before they become probabilities, so that
            these mean what they say; 1 unless a card tells another.
    """

    Config = ClassifierConfig
    config: ClassifierConfig
    solves = True

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.operator = Operator(config.operator)
        self.readout = MaxReadout(config.operator.latent_dim, config.classes)
        self.temperature = 1.0

    def heed(self, card: Mapping[str, Any]) -> None:
        self.temperature = float(card.get("known", {}).get("temperature", 1.0))

    def encode(self, x: Tensor, x_mask: Tensor | None = None, twice: bool = False) -> Encoded:
        """``F(., x)`` of standardised clouds; call once per solve.

        Args:
            x: input clouds ``(B, M, d_x)``.
            x_mask: ``(B, M)`` bool, True where valid; None if all are.
            twice: as of :meth:`ddeq.model.operator.Operator.forward`.
        """
        context = self.operator.encode(x, x_mask)
        operator = Applied(self.operator, context, twice=twice)
        return Encoded(operator, apart=self.operator.apart(context, twice))

    def start(self, seeds: Sequence[int], particles: int | None = None) -> Tensor:
        """Initial particles of one cloud a seed, ``(B, N, d)``, on the model's device."""
        count = particles or self.config.particles
        z0 = initial_particles(seeded(seeds), count, self.config.operator.latent_dim)
        return z0.to(self.operator.skip_norm.weight.device)

    def logits(self, z: Tensor) -> Tensor:
        """Class scores ``(B, classes)`` of particles ``(B, N, d)``, at any step of a flow."""
        return self.readout(z)

    def probabilities(self, z: Tensor) -> Tensor:
        """Class probabilities ``(B, classes)`` of particles ``(B, N, d)``."""
        return (self.logits(z) / self.temperature).softmax(-1)
