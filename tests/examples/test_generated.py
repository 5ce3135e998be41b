"""The edits of generated pictures, on the real embedded model."""

from __future__ import annotations

import numpy as np
import pytest

from examples.generated import Sampler, pictures


@pytest.mark.slow
# the scheduler's own use of numpy, and few steps do not reach what is asked
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::realedit.generate.self_guidance_pipeline.GuidanceWarning")
def test_every_edit_changes_the_sampled_picture() -> None:
    made = dict(pictures(Sampler("tabletop", steps=4), seed=3))
    before = np.asarray(made.pop("as sampled"), float)
    made.pop("a second")
    assert before.mean() > 70  # from latent zero it would be dark
    for name, picture in made.items():
        assert np.abs(np.asarray(picture, float) - before).mean() > 0.05, name
