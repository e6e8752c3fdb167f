"""An evaluation as one HTML page that needs no other file: pictures as data, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from bci_live import __version__
from bci_live.errors import RecordingError
from bci_live.evaluation.controls import Control
from bci_live.evaluation.report_pictures import pictures
from bci_live.evaluation.report_style import HEAD, STYLE
from bci_live.evaluation.report_table import INVENTED, number, score_table, span, table, title
from bci_live.evaluation.result import Evaluation, machine
from bci_live.evaluation.scores import BOOTSTRAP_LEVEL

# Of the high-pass sweep.
_RETRAINED = "These may lie above chance. A score that falls as slow waves are taken away comes from drift."
_NOT_RETRAINED = (
    "These may lie above chance. A score that rises as slow waves are let in comes from drift. That it falls may mean no "
    "more than that the decoder was not trained for such epochs: a cross-validation retrains."
)


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the page.

    Raises
    ------
    RecordingError
        If it cannot be written there.
    """
    with _told(path):
        path.write_text(report(evaluation), encoding="utf-8")


def check_place(path: Path) -> None:
    """Make its folder, and see that it can be written, before minutes are spent on what is to stand in it; raises as above."""
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path.exists()
        path.open("a").close()
        if not there:
            path.unlink()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingError(
            f"The report '{path}' cannot be written ({error.strerror}). Choose another --report."
        ) from error


def report(evaluation: Evaluation) -> str:
    """The page. Whatever comes from files is escaped."""
    parts = [
        _banners(evaluation),
        _summary(evaluation),
        _scores(evaluation),
        _alone(evaluation),
        _ridges(evaluation),
        _confidence(evaluation),
        _folds(evaluation),
        _controls(evaluation),
        "" if evaluation.drawn is None else pictures(evaluation.trials, evaluation.drawn),
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
            '<p class="alarm">BLOCK DESIGN: the labels can be told from the time or the order of the trials alone, without any EEG. '
            "What looks like decoding may be slow drift, or the end of the response before: do not believe a score that was not "
            "made by holding out whole runs, and distrust that one, too, where the order is the same in every run.</p>"
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
        f"<h1>{title(it.primary)} {number(main.score)}</h1>"
        f'<p class="lead">{number(main.interval[0])} to {number(main.interval[1])} ({BOOTSTRAP_LEVEL:.0%} interval); '
        f"chance {number(main.chance)} (within {span(main.chance_interval)}). {len(it.trials.names)} labels, "
        f"{len(it.trials.labels)} single trials, none averaged.</p>"
        f"<p>What was judged: {escape(it.decoder)}.<br>Split: {escape(it.split)}.</p><p><em>{INVENTED}</em></p>"
    )


def _scores(it: Evaluation) -> str:
    note = f"{it.trials.n_way}-way, single trials. Intervals: bootstrap over trials, {BOOTSTRAP_LEVEL:.0%}."
    if it.oracle:
        note += " The oracle knows the simulated head's patterns and noise: about the most that could be read of these trials."
    telling = {
        name: score for name, score in it.scores.items() if score.chance < 1
    }  # the first five of four are always right
    return f"<h2>Labels</h2><p>{note}</p>" + score_table(telling, it.oracle)


def _alone(it: Evaluation) -> str:
    if not it.alone:
        return ""
    note = (
        "The same trials, by each label head and each first guess alone. The plain head (patterns and covariances, no network) is "
        "the baseline; what is scored above is the weighted sum of both. The caption's ridge is read as the nearest caption."
    )
    rows = [(escape(name), number(score)) for name, score in it.alone.items()]
    return f"<h2>Each head by itself</h2><p>{note}</p>" + table(("", title(it.primary)), rows)


def _ridges(it: Evaluation) -> str:
    if not it.ridges:
        return ""
    note = (
        "Share of the stimuli's variance (R²) that the ridges from the waveforms explain, of trials that they were not fitted on: 0 "
        "is what the mean picture explains. Chance is what the stimuli of other trials leave of it. The latent that is drawn is its "
        "ridge's; the saliency generator begins from the contrast map, whose place stands under Structure."
    )
    return f"<h2>The ridges of the pictures</h2><p>{note}</p>" + score_table(it.ridges, {})


def _confidence(it: Evaluation) -> str:
    told = it.confidence
    if told is None:
        return ""
    sure = "none" if told.right_when_sure is None else f"{number(told.right_when_sure)} of them right"
    return (
        "<h2>Confidence</h2><p>"
        f"It said {number(told.said)} on average, and {number(told.right)} were right; calibration error "
        f"{number(told.calibration_error)} (mean distance over ten groups), log loss {number(told.log_loss)} nats. Sure enough for a "
        f"picture: {number(told.sure)} of the trials, {sure}.</p>"
    )


def _folds(it: Evaluation) -> str:
    if not it.folds:
        return ""
    rows = [(escape(fold.name), number(fold.score), str(fold.trials), str(fold.fitted)) for fold in it.folds]
    return "<h2>Held out</h2>" + table(("", title(it.primary), "trials scored", "trials fitted on"), rows)


def _controls(it: Evaluation) -> str:
    heads = ("", "score", "chance", "chance stays within", "", "what was done")
    text = (
        "<h2>Controls</h2><p>What must not be decodable. Each is to lie within chance. Those marked * read every trial alike, or "
        "against labels that nobody showed: they check the scoring, and say nothing of leaks.</p>"
    )
    rows = [
        _control_row(name + " *" * control.arithmetic, control, "within" if control.within_chance else "<b>outside</b>")
        for name, control in it.controls.items()
    ]
    text += table(heads, rows)
    if it.not_run:
        reasons = (f"{escape(name.replace('_', ' '))} ({escape(why)})" for name, why in it.not_run.items())
        text += f"<p>Not made: {'; '.join(reasons)}.</p>"
    if it.sweep:
        rows = [_control_row(f"{name} Hz", control, "") for name, control in it.sweep.items()]
        text += f"<h2>High-pass sweep</h2><p>{_RETRAINED if it.folds else _NOT_RETRAINED}</p>" + table(heads, rows)
    return text


def _control_row(name: str, control: Control, verdict: str) -> tuple[str, ...]:
    return (
        escape(name.replace("_", " ")),
        number(control.score),
        number(control.chance),
        span(control.interval),
        verdict,
        escape(control.note),
    )


def _confusion(it: Evaluation) -> str:
    counts, names = it.confusion(), it.trials.names
    most = max(1, int(counts.max()))
    heads = "".join(f'<th class="turned"><span>{escape(name)}</span></th>' for name in names)
    rows = []
    for index, name in enumerate(names):
        cells = "".join(
            f'<td style="background:rgba(46,111,204,{0.75 * value / most:.2f})">{value or ""}</td>'
            for value in counts[index].tolist()
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
    return f"<h2>Made from</h2><p>{escape(made)}. Markers without an epoch: {missed}.</p>" + table(
        ("recording", "trials", "SHA-256"), rows
    )
