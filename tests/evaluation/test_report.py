"""The report: one page, nothing fetched, and nothing out of a file that could act in it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bci_live.config import DiffusionConfig
from bci_live.errors import RecordingError
from bci_live.evaluation.confidence import Confidence
from bci_live.evaluation.controls import Control
from bci_live.evaluation.drawing import AblationRow, Drawing, Drawn
from bci_live.evaluation.picture_scores import Judged
from bci_live.evaluation.reading import Cut, Trials
from bci_live.evaluation.report import INVENTED, report, write_report
from bci_live.evaluation.result import EvaluatedFile, Evaluation, FoldScore
from bci_live.evaluation.scores import Scored, score_labels
from bci_live.evaluation.structure import StructureRow
from bci_live.types import Decoding, Epoch, Marker

ERRORS = {"position": 0.1, "size": 0.2, "turn": float("nan"), "overlap": 0.5}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Elements(HTMLParser):
    """The elements of a page, and all that they would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.sources: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture
def evaluation() -> Evaluation:
    """Of 20 trials, with hostile names wherever a file could bring them in."""
    names, labels = (HOSTILE, "dog"), np.arange(20) % 2
    probabilities = np.stack([1 - labels, labels], axis=1) * 0.8 + 0.1
    markers = tuple(Marker(names[label], float(i), "s", HOSTILE) for i, label in enumerate(labels))
    cut = Cut(
        np.zeros((20, 2, 8), np.float32), markers, np.zeros(20, int), np.arange(20), np.arange(20.0), {HOSTILE: 2}
    )
    decodings = tuple(
        Decoding(
            np.zeros((64, 64, 3), np.float32), np.zeros((2, 3), np.float32), None,
            dict(zip(names, map(float, row), strict=True)), Epoch(cut.data[0], 0.0, marker, 0.0, 0.0), 0.0,
        )
        for marker, row in zip(markers, probabilities, strict=True)
    )  # fmt: skip
    pictures = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    drawn = Drawn(
        Drawing("p", 3), DiffusionConfig(), pictures, pictures, pictures, True, {},
        (StructureRow("picture", 3, ERRORS, dict.fromkeys(ERRORS, (0.1, 0.2)), ERRORS),),
        (AblationRow("decoded", True, False, {"ssim": 0.5}),), {}, None, {}, "why not",
    )  # fmt: skip
    return Evaluation(
        decoder=HOSTILE,
        trials=Trials(
            names,
            probabilities,
            labels,
            np.zeros(20, int),
            cut,
            decodings,
            np.ones((20, 2), bool),
            np.zeros((20, 8, 8), np.float32),
        ),
        scores=score_labels(probabilities, labels, np.zeros(20, int), np.zeros(20, int), 0),
        controls={"zeroed": Control(0.5, 0.5, (0.3, 0.7), HOSTILE, arithmetic=True)},
        sweep={"1": Control(0.9, 0.5, (0.3, 0.7), HOSTILE)},
        not_run={"label_only": HOSTILE},
        split=HOSTILE,
        folds=(FoldScore(HOSTILE, 0.9, 20, 40),),
        files=(EvaluatedFile(HOSTILE, "ab" * 32, 20),),
        simulated=True,
        oracle={},
        block_design=False,
        alone={HOSTILE: 0.7},
        ridges={"latent": Scored(0.123, (0.1, 0.2), -0.1, (-0.2, 0.0))},
        confidence=Confidence(0.7, 0.6, 0.1, 0.5, 0.9, None),
        drawn=drawn,
        seed=0,
        seconds=1.0,
    )


def test_hostile_names_stand_there_as_words(evaluation: Evaluation) -> None:
    page = Elements(report(evaluation))
    assert "script" not in page.names
    assert page.handlers == []
    assert report(evaluation).count("&lt;script&gt;") >= 8


def test_the_page_needs_no_other_file(evaluation: Evaluation) -> None:
    text = report(evaluation)
    sources = Elements(text).sources
    assert len(sources) == 9  # three pictures each of three trials
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"https?://", text)


def test_it_tells_split_seed_data_and_that_detail_is_invented(evaluation: Evaluation) -> None:
    text = report(evaluation)
    for told in (
        INVENTED,
        "ab" * 32,
        "noise seed 0",
        "SIMULATED",
        "none picked",
        "Ablation",
        "Confusion",
        "Structure",
        "zeroed *",
        "none.",
    ):
        assert told in text
    assert "BLOCK DESIGN" not in text
    assert "BLOCK DESIGN" in report(replace(evaluation, block_design=True))


def test_a_control_outside_of_chance_is_told_above_all_scores(evaluation: Evaluation) -> None:
    leaking = replace(evaluation, controls={"pre_stimulus": Control(0.9, 0.5, (0.3, 0.7), "")})
    text = report(leaking)
    assert text.index("Outside of chance: pre_stimulus") < text.index("<h1>")


def test_the_oracle_and_what_was_reached_of_it_stand_beside_each_score(evaluation: Evaluation) -> None:
    assert "share of it" not in report(evaluation)
    text = report(replace(evaluation, oracle={"auc": 0.8, "top1": 0.5}))
    assert "share of it" in text
    assert "125%" in text  # of the perfect AUC here; an oracle is no bound on twenty trials
    assert "oracle 0.100, 100%" in text  # of the position


def test_the_judge_is_named_with_n_draws_and_what_counts_as_right(evaluation: Evaluation) -> None:
    assert evaluation.drawn is not None
    who = Judged(HOSTILE, "the label shown", 50, 50, 0.97, 3.2, 15.0, 4.5, 2.5)
    text = report(replace(evaluation, drawn=replace(evaluation.drawn, judged=who)))
    for told in ("among 50 classes", "drawn 50 times", "right is the label shown", "97%", "15.000", "4.500"):
        assert told in text
    assert "script" not in Elements(text).names


def test_pictures_stand_beside_those_of_the_label_alone_with_the_gain(evaluation: Evaluation) -> None:
    assert evaluation.drawn is not None
    scores = {"ssim": Scored(0.6, (0.5, 0.7), 0.4, (0.3, 0.5))}
    drawn = replace(evaluation.drawn, scores=scores, baselines={"label_only": {"ssim": 0.65}})
    text = report(replace(evaluation, drawn=drawn))
    assert "label's caption alone" in text
    assert "-0.050" in text


def test_a_report_that_cannot_be_written_is_told_by_name(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="--report"):
        write_report(evaluation, tmp_path / "file" / "report.html")
