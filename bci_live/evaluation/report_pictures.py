"""The part of the report that shows the drawn pictures and what they are worth."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

from PIL import Image

from bci_live.evaluation.drawing import LABEL_ONLY, MEAN_EMBEDDING, MEAN_STIMULUS, AblationRow, Drawn
from bci_live.evaluation.picture_scores import Judged
from bci_live.evaluation.reading import Trials
from bci_live.evaluation.report_table import INVENTED, number, percent, score_table, span, table, title
from bci_live.evaluation.result import share_of
from bci_live.evaluation.scores import Scored
from bci_live.evaluation.structure import StructureRow
from bci_live.types import Picture

_BASELINES = {
    LABEL_ONLY: "the decoded label's caption alone",
    MEAN_EMBEDDING: "mean embedding and map of all trials",
    MEAN_STIMULUS: "the mean of the stimuli, not drawn",
}
_CAPTIONS = {"decoded": "decoded embedding", "label": "of the decoded label", "none": "–"}


def pictures(trials: Trials, drawn: Drawn) -> str:
    """HTML: the grid, the scores, the judge, the structure, the baselines and the ablation."""
    settings, diffusion = drawn.settings, drawn.diffusion
    how = (
        f"The first {len(drawn.pictures)} of {len(trials.labels)} trials, in their order, the first sample of each, none "
        f"picked: noise seed {settings.seed}, {diffusion.steps} steps at strength {diffusion.strength:g}."
    )
    unknown = "" if drawn.known else " The markers do not tell which picture was shown: the label's picture stands in."
    parts = [f"<h2>Pictures</h2><p>{how}{unknown} {INVENTED}</p>", _grid(trials, drawn)]
    if drawn.scores:
        oracle = (
            " The oracle's picture is the object that it names, where it thinks it is, on grey: no bound of PixCorr and SSIM "
            "and what goes by them, which see the ground, too."
            if drawn.oracle
            else ""
        )
        parts.append(f"<p>Of likeness, chance is what other trials' pictures get.{oracle}</p>")
        parts.append(score_table(drawn.scores, drawn.oracle))
    parts += [
        _judge(drawn.judged) if drawn.judged else "",
        _structure(drawn.structure),
        _baselines(drawn.scores, drawn.baselines),
    ]
    return "".join(parts) + _ablation(drawn.ablation)


def _judge(judged: Judged) -> str:
    draws = f", the others drawn {judged.draws} times" if judged.draws > 1 else ""
    told = (
        f"The judge is {escape(judged.judge)}. It chooses among {judged.n_way} classes{draws}; right is {judged.truth}. The "
        f"stimuli themselves it names right in {percent(judged.stimuli_named)} of the cases. Inception Score and Fréchet "
        "distance are of its own classes and features, not of Inception-v3, whose weights are in no package: compare them "
        "with the column beside them, not with published figures. Few pictures make the one small and the other large."
    )
    if 0 < judged.labels_shown < judged.n_way:
        told += (
            f" Only {judged.labels_shown} of its classes were shown: who draws one of these, blindly, is named right in "
            f"{percent(1 / judged.labels_shown)} of the cases, whatever the chance of {judged.n_way} classes is."
        )
    if judged.frechet_distance is None:
        told += " The markers do not tell the layouts, so there is no distance to the stimuli."
    rows = [("Inception Score", number(judged.inception_score), number(judged.inception_score_of_others))]
    if judged.frechet_distance is not None and judged.frechet_distance_of_others is not None:
        rows.append(
            (
                "Fréchet distance to the stimuli",
                number(judged.frechet_distance),
                number(judged.frechet_distance_of_others),
            )
        )
    return f"<h2>The judge</h2><p>{told}</p>" + table(("", "pictures", "other renderings of the same labels"), rows)


def _structure(rows: Sequence[StructureRow]) -> str:
    if not rows:
        return ""
    cells = [
        (escape(row.what), str(row.count), *(_error(name, row) for name in ("position", "size", "turn", "overlap")))
        for row in rows
    ]
    note = (
        "Median error of the object against the known layout, both measured from the pixels; of the overlap the median. "
        "Small: 95% interval"
    )
    note += "; the oracle's, and how much of that is reached." if any(row.oracle for row in rows) else "."
    heads = ("", "pictures", *(title(name) for name in ("position", "size", "turn", "overlap")))
    return f"<h2>Structure</h2><p>{note}</p>" + table(heads, cells)


def _error(name: str, row: StructureRow) -> str:
    told = f"{number(row.median[name])}<br><small>{span(row.interval[name])}"
    if row.oracle:
        told += f"<br>oracle {number(row.oracle[name])}, {percent(share_of(name, row.median[name], row.oracle[name]))}"
    return told + "</small>"


def _baselines(scores: Mapping[str, Scored], baselines: Mapping[str, Mapping[str, float]]) -> str:
    if not scores or not baselines:
        return ""
    heads = ["", "pictures"]
    for name in baselines:
        heads += [_BASELINES[name], "gain"]
    rows = []
    for name, it in scores.items():
        cells = [title(name), number(it.score)]
        for values in baselines.values():
            cells += [number(values[name]), f"{it.score - values[name]:+.3f}"]
        rows.append(cells)
    note = "What the same pipeline draws without this picture's EEG, or with no more of it than the label; the gain is over that."
    return f"<h2>Beside pictures without EEG</h2><p>{note}</p>" + table(heads, rows)


def _ablation(rows: Sequence[AblationRow]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    if not names:
        return ""
    cells = [
        (
            _CAPTIONS[row.caption],
            *("✓" if on else "–" for on in (row.saliency, row.latent)),
            *(number(row.scores[it]) for it in names),
        )
        for row in rows
    ]
    note = (
        "As the paper's Table 3: what the picture was drawn from, by which caption. The diffusion starts from the saliency map or "
        "from the latent, never both. A caption alone, without place or shape, shows how much of a naming score is the prompt."
    )
    heads = ("caption", "saliency", "latent", *(title(name) for name in names))
    return f"<h2>Ablation</h2><p>{note}</p>" + table(heads, cells)


def _grid(trials: Trials, drawn: Drawn) -> str:
    cells = []
    rows = zip(trials.decodings, drawn.stimuli, drawn.saliency, drawn.pictures, strict=False)
    for decoding, stimulus, saliency, picture in rows:
        label, top = decoding.epoch.marker.label, decoding.top
        kind = "right" if label == top else "wrong"
        shown = zip(("stimulus", "saliency map", "reconstruction"), (stimulus, saliency, picture), strict=True)
        images = "".join(_image(name, each) for name, each in shown)
        words = f"shown {escape(label)}, read {escape(top)} {decoding.confidence:.0%}"
        cells.append(f'<figure class="{kind}">{images}<figcaption>{words}</figcaption></figure>')
    heads = "<p>Each: stimulus | saliency map | reconstruction. Grey words: another label was read.</p>"
    return f'{heads}<div class="grid">{"".join(cells)}</div>'


def _image(name: str, picture: Picture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{name}" title="{name}" src="data:image/png;base64,{data}">'
