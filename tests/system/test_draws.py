"""The pipeline that ships draws what it is told to, in the eyes of a judge that never saw its drawings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bci_live.config import DiffusionConfig, bundled
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.evaluation.object_classifier import ObjectClassifier, name_objects
from bci_live.stimuli.captions import load_bank


@pytest.mark.timeout(300)
def test_from_the_true_caption_and_flat_grey_the_right_object_is_drawn(judge: ObjectClassifier) -> None:
    """One draw a label. `benchmarks/draws.py` makes 400 with a judge that is trained longer, and finds 100 % right."""
    pipeline = bundled("models/diffusion-demo")
    drawer = DiffusionReconstructor.load(pipeline, torch.device("cpu"), DiffusionConfig(initial="grey"))
    bank = load_bank(pipeline)
    drawn = [list(drawer.draw(embedding, None, seed))[-1] for seed, embedding in enumerate(bank.embeddings)]
    named = name_objects(judge, np.stack(drawn))
    assert (named == np.arange(len(bank.labels))).mean() >= 0.8
