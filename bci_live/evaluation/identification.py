"""What is read of labels that a decoder never learnt: which of their captions is nearest to the embedding that it decodes.

A decoded embedding is a mixture of the captions that were learnt, weighted by how probable each is; that a caption outside
of them can be found so is Norouzi et al. 2014 (arXiv 1312.5650).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bci_live.evaluation.scores import Array
from bci_live.stimuli.captions import CaptionBank
from bci_live.types import FloatArray


def identify(embeddings: FloatArray, names: Sequence[str], among: Sequence[str], bank: CaptionBank) -> Array:
    """By the cosine to each caption of `among`; of the shares only their order means something.

    Parameters
    ----------
    embeddings : (n, tokens, width)
    names : all labels
    among : those that were left out

    Returns
    -------
    (n, names), each row sums to 1; 0 for what is not among them
    """
    captions = _directions(np.stack([bank.embedding(name) for name in among]))
    nearness = np.exp(_directions(embeddings) @ captions.T)
    shares = np.zeros((len(embeddings), len(names)))
    shares[:, [list(names).index(name) for name in among]] = nearness / nearness.sum(axis=1, keepdims=True)
    return shares


def mixed(probabilities: Array, names: Sequence[str], bank: CaptionBank) -> FloatArray:
    """The embedding (n, tokens, width) of a head that tells labels alone: their captions, as probable as they are (n, names)."""
    captions = np.stack([bank.embedding(name) for name in names])
    mixture: FloatArray = np.tensordot(probabilities.astype(np.float32), captions, 1)
    return mixture


def _directions(embeddings: FloatArray) -> Array:
    """(n, tokens × width), of length 1; what is zero stays so."""
    flat = embeddings.reshape(len(embeddings), -1).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    directions: Array = np.divide(flat, lengths, out=np.zeros_like(flat), where=lengths > 0)
    return directions
