"""What every part of the report is made of: tables, numbers, and where a score lies beside chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from bci_live.evaluation.result import share_of
from bci_live.evaluation.scores import CHANCE_LEVEL, Scored

INVENTED = "All detail in the pictures is invented by the diffusion model; the EEG tells a kind of object and, weakly, where it was."

TITLES = {
    "auc": "AUC",
    "top1": "top-1",
    "top5": "top-5",
    "pixcorr": "PixCorr",
    "ssim": "SSIM",
    "two_way": "two-way identification (PixCorr)",
    "two_way_features": "two-way identification (the judge's features)",
    "within_category": "identified within its label (PixCorr)",
    "within_category_overlap": "identified within its label (overlap)",
    "named_top1": "named right by the judge, top-1",
    "named_top5": "named right by the judge, top-5",
    "inception_score": "Inception Score (the judge's)",
    "position": "position, share of the width",
    "size": "size, share",
    "turn": "orientation, degrees",
    "overlap": "overlap (IoU)",
}


def score_table(scores: Mapping[str, Scored], oracle: Mapping[str, float]) -> str:
    """Each score with its interval and its chance; beside it the oracle's, and the share of that, where there is one."""
    rows = []
    for name, it in scores.items():
        best = oracle.get(name)
        share = (
            ()
            if not oracle
            else ("–", "–")
            if best is None
            else (number(best), percent(share_of(name, it.score, best)))
        )
        rows.append(
            (
                title(name),
                f"<b>{number(it.score)}</b>",
                span(it.interval),
                number(it.chance),
                span(it.chance_interval),
                bar(it.score, it.chance_interval),
                *share,
            )
        )
    heads = ("", "score", "interval", "chance", f"chance stays within ({CHANCE_LEVEL:.0%})", "")
    return table((*heads, "oracle", "share of it") if oracle else heads, rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def bar(score: float, chance: tuple[float, float]) -> str:
    """Where the score is between 0 and 1, and what chance covers."""
    if not (math.isfinite(score) and all(map(math.isfinite, chance))):
        return ""
    low, high, at = (100 * float(np.clip(it, 0, 1)) for it in (*chance, score))
    band = f'<i style="left:{low:.1f}%;width:{max(1.0, high - low):.1f}%"></i>'
    return f'<span class="bar">{band}<b style="left:{at:.1f}%"></b></span>'


def title(name: str) -> str:
    """What a score is called; of a name that came from elsewhere, itself."""
    return escape(TITLES.get(name, name))


def number(value: float) -> str:
    """Three digits; a dash for what is none."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def span(interval: tuple[float, float]) -> str:
    """From … to."""
    return f"{number(interval[0])} … {number(interval[1])}"


def percent(value: float) -> str:
    """Of a share."""
    return f"{value:.0%}" if math.isfinite(value) else "–"
