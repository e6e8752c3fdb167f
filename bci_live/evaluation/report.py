"""An evaluation as one HTML page that needs no other file: pictures as data, no script, nothing fetched."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from bci_live import __version__
from bci_live.errors import RecordingError
from bci_live.evaluation.controls import Control
from bci_live.evaluation.drawing import AblationRow, Drawn
from bci_live.evaluation.report_style import HEAD, STYLE
from bci_live.evaluation.result import Evaluation, machine
from bci_live.evaluation.scores import BOOTSTRAP_LEVEL, CHANCE_LEVEL, Scored
from bci_live.types import Picture

INVENTED = "All detail in the pictures is invented by the diffusion model; the EEG tells a kind of object and, weakly, where it was."

# Of the high-pass sweep.
_RETRAINED = "These may lie above chance. A score that falls as slow waves are taken away comes from drift."
_NOT_RETRAINED = (
    "These may lie above chance. A score that rises as slow waves are let in comes from drift. That it falls may mean no "
    "more than that the decoder was not trained for such epochs: a cross-validation retrains."
)

_TITLES = {
    "auc": "AUC",
    "top1": "top-1",
    "top5": "top-5",
    "pixcorr": "PixCorr",
    "ssim": "SSIM",
    "two_way": "two-way identification (PixCorr)",
    "within_category": "identified within its label",
    "named_top1": "named right by the judge, top-1",
    "named_top5": "named right by the judge, top-5",
    "position": "position, share of the width",
    "size": "size, share",
    "turn": "orientation, degrees",
    "overlap": "overlap (IoU)",
    "named": "named right",
}


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the page.

    Raises
    ------
    RecordingError
        If it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report(evaluation), encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The report '{path}' cannot be written ({error.strerror}). Choose another --report."
        ) from error


def report(evaluation: Evaluation) -> str:
    """The page. Whatever comes from files is escaped."""
    parts = [
        _banners(evaluation),
        _summary(evaluation),
        _scores(evaluation.scores, len(evaluation.trials.names)),
        _folds(evaluation),
        _controls(evaluation),
        "" if evaluation.drawn is None else _pictures(evaluation, evaluation.drawn),
        _confusion(evaluation),
        _origin(evaluation),
    ]
    body = "\n".join(part for part in parts if part)
    head = f"<head>{HEAD}<title>Evaluation</title><style>{STYLE}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}\n<body>{body}</body></html>\n'


def _banners(it: Evaluation) -> str:
    told = []
    if it.block_design:
        told.append(
            '<p class="alarm">BLOCK DESIGN: the labels can be told from the time of the trial alone, without any EEG. '
            "What looks like decoding may be slow drift: do not believe a score that was not made by holding out whole "
            "runs, and distrust that one, too, where the order is the same in every run.</p>"
        )
    if it.simulated:
        told.append(
            '<p class="simulated">SIMULATED data: these scores say that the program works, nothing of brains.</p>'
        )
    outside = [name for name, control in it.controls.items() if not control.within_chance]
    if outside:
        names = escape(", ".join(outside))
        told.append(f'<p class="alarm">Outside of chance: {names}. The scores below may come from the same source.</p>')
    return "".join(told)


def _summary(it: Evaluation) -> str:
    main = it.scores[it.primary]
    return (
        f"<h1>{_title(it.primary)} {_number(main.score)}</h1>"
        f'<p class="lead">{_number(main.interval[0])} to {_number(main.interval[1])} ({BOOTSTRAP_LEVEL:.0%} interval); '
        f"chance {_number(main.chance)} (within {_span(main.chance_interval)}). {len(it.trials.names)} labels, "
        f"{len(it.trials.labels)} single trials, none averaged.</p>"
        f"<p>{escape(it.decoder)}.<br>Split: {escape(it.split)}.</p><p><em>{INVENTED}</em></p>"
    )


def _scores(scores: Mapping[str, Scored], n_way: int) -> str:
    note = f"{n_way}-way, single trials. Intervals: bootstrap over trials, {BOOTSTRAP_LEVEL:.0%}."
    return f"<h2>Labels</h2><p>{note}</p>" + _score_table(scores)


def _score_table(scores: Mapping[str, Scored]) -> str:
    rows = [
        (
            _title(name),
            _number(it.score),
            _span(it.interval),
            _number(it.chance),
            _span(it.chance_interval),
            _bar(it.score, it.chance_interval),
        )
        for name, it in scores.items()
    ]
    return _table(("", "score", "interval", "chance", f"chance stays within ({CHANCE_LEVEL:.0%})", ""), rows)


def _folds(it: Evaluation) -> str:
    if not it.folds:
        return ""
    rows = [(escape(fold.name), _number(fold.score), str(fold.trials), str(fold.fitted)) for fold in it.folds]
    return "<h2>Held out</h2>" + _table(("", _title(it.primary), "trials scored", "trials fitted on"), rows)


def _controls(it: Evaluation) -> str:
    heads = ("", "score", "chance", "chance stays within", "", "what was done")
    text = "<h2>Controls</h2><p>What must not be decodable. Each is to lie within chance.</p>"
    text += _table(heads, [_control_row(name, control) for name, control in it.controls.items()])
    if it.not_run:
        text += "<p>Not made: " + "; ".join(f"{escape(a)} ({escape(b)})" for a, b in it.not_run.items()) + ".</p>"
    if it.sweep:
        rows = [_control_row(f"{name} Hz", control) for name, control in it.sweep.items()]
        text += f"<h2>High-pass sweep</h2><p>{_RETRAINED if it.folds else _NOT_RETRAINED}</p>" + _table(heads, rows)
    return text


def _control_row(name: str, control: Control) -> tuple[str, ...]:
    verdict = "within" if control.within_chance else "<b>outside</b>"
    return (
        escape(name.replace("_", " ")),
        _number(control.score),
        _number(control.chance),
        _span(control.interval),
        verdict,
        escape(control.note),
    )


def _pictures(it: Evaluation, drawn: Drawn) -> str:
    settings, diffusion = drawn.settings, drawn.diffusion
    count, every = len(drawn.pictures), len(it.trials.labels)
    how = (
        f"The first {count} of {every} trials, in their order, the first sample of each, none picked: noise seed "
        f"{settings.seed}, {diffusion.steps} steps at strength {diffusion.strength:g}."
    )
    unknown = "" if drawn.known else " The markers do not tell which picture was shown: the label's picture stands in."
    text = f"<h2>Pictures</h2><p>{how}{unknown} {INVENTED}</p>" + _grid(it, drawn)
    if drawn.scores:
        text += "<p>Chance is what other trials' pictures get.</p>" + _score_table(drawn.scores)
    if drawn.structure:
        names = ("position", "size", "turn", "overlap")
        rows = [(escape(what), *(_number(errors[name]) for name in names)) for what, errors in drawn.structure.items()]
        text += (
            "<h2>Structure</h2><p>Median error of the object against the known layout; of the overlap the median.</p>"
        )
        text += _table(("", *(_title(name) for name in names)), rows)
    return text + _ablation(drawn.ablation)


def _ablation(rows: Sequence[AblationRow]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    if not names:
        return ""
    cells = [
        (
            *("✓" if on else "–" for on in (row.caption, row.saliency, row.latent)),
            *(_number(row.scores[it]) for it in names),
        )
        for row in rows
    ]
    note = (
        "As the paper's Table 3: what the picture was drawn from. The diffusion starts from the saliency map or from the "
        "latent, never both. The caption alone, without place or shape, shows how much of a naming score is the prompt."
    )
    heads = ("caption", "saliency", "latent", *(_title(name) for name in names))
    return f"<h2>Ablation</h2><p>{note}</p>" + _table(heads, cells)


def _grid(it: Evaluation, drawn: Drawn) -> str:
    heads = "".join(f"<span>{name}</span>" for name in ("stimulus", "saliency", "reconstruction"))
    cells = []
    for index, (stimulus, saliency, picture) in enumerate(
        zip(drawn.stimuli, drawn.saliency, drawn.pictures, strict=True)
    ):
        decoding = it.trials.decodings[index]
        label, top = decoding.epoch.marker.label, decoding.top
        kind = "right" if label == top else "wrong"
        images = "".join(_image(each) for each in (stimulus, saliency, picture))
        words = f"shown {escape(label)}, read {escape(top)} {decoding.confidence:.0%}"
        cells.append(f'<figure class="{kind}">{images}<figcaption>{words}</figcaption></figure>')
    return f'<div class="heads">{heads}</div><div class="grid">{"".join(cells)}</div>'


def _image(picture: Picture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _confusion(it: Evaluation) -> str:
    table, names = it.confusion(), it.trials.names
    most = max(1, int(table.max()))
    heads = "".join(f'<th class="turned"><span>{escape(name)}</span></th>' for name in names)
    rows = []
    for index, name in enumerate(names):
        cells = "".join(
            f'<td style="background:rgba(46,111,204,{0.75 * value / most:.2f})">{value or ""}</td>'
            for value in table[index].tolist()
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        "<h2>Confusion</h2><p>Row: shown. Column: read as most probable. Trials.</p>"
        f'<table class="confusion"><tr><th></th>{heads}</tr>{"".join(rows)}</table>'
    )


def _origin(it: Evaluation) -> str:
    rows = [(escape(file.name), str(file.trials), f"<code>{escape(file.sha256)}</code>") for file in it.files]
    missed = ", ".join(f"{count} {escape(reason)}" for reason, count in it.trials.cut.missed.items()) or "none"
    made = f"{it.made:%Y-%m-%d %H:%M} UTC, bci-live {__version__}, {machine()}, seed {it.seed}, {it.seconds:.0f} s"
    return f"<h2>Made from</h2><p>{escape(made)}. Markers without an epoch: {missed}.</p>" + _table(
        ("recording", "trials", "SHA-256"), rows
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _bar(score: float, chance: tuple[float, float]) -> str:
    """Where the score is between 0 and 1, and what chance covers."""
    if not (math.isfinite(score) and all(map(math.isfinite, chance))):
        return ""
    low, high, at = (100 * float(np.clip(it, 0, 1)) for it in (*chance, score))
    band = f'<i style="left:{low:.1f}%;width:{max(1.0, high - low):.1f}%"></i>'
    return f'<span class="bar">{band}<b style="left:{at:.1f}%"></b></span>'


def _title(name: str) -> str:
    return escape(_TITLES.get(name, name))


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _span(interval: tuple[float, float]) -> str:
    return f"{_number(interval[0])} … {_number(interval[1])}"
