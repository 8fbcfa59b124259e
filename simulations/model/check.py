"""The model beside the machines that it stands for: each scene of `bounds`, each figure, how far they are apart."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from simulations.crowd import Scene
from simulations.crowd import measure as measure_crowd
from simulations.model.bounds import BOUNDS, SCENES, SEEDS
from simulations.model.scenes import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of one scene. `off`: how much more the model's is, mostly as a part of the crowd's."""

    scene: str
    figure: str
    crowd: float
    model: float
    off: float
    most: float | None  # that it may be off; None: it is told and held to nothing

    @property
    def met(self) -> bool:
        """Whether it is within its bound."""
        return self.most is None or abs(self.off) <= self.most


def check(scenes: dict[str, Scene] = SCENES, seeds: Sequence[int] = SEEDS) -> Iterator[Compared]:
    """Run each scene by both, and give every figure. The crowd takes some seconds for a seed."""
    for name, scene in scenes.items():
        crowd = [measure_crowd(replace(scene, seed=seed), plain=False) for seed in seeds]
        model = measure(scene, seeds)
        for bound in BOUNDS:
            before = statistics.fmean(float(getattr(one, bound.figure)) for one in crowd)
            after = float(getattr(model, bound.figure))
            yield Compared(
                scene=name,
                figure=bound.figure,
                crowd=before,
                model=after,
                off=(after - before) / before if bound.relative else after - before,
                most=bound.most,
            )
