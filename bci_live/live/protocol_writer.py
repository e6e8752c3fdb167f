"""What a headless session leaves behind: `live.jsonl`, the pictures, `summary.json`, the contact sheet."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from bci_live.errors import BciError
from bci_live.live.contact_sheet import Row, contact_sheet
from bci_live.live.snapshot import Outcome, Shown
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Guess, Missed, Picture

STAGES = ("epoch_ms", "saliency_ms", "first_image_ms", "image_ms")
# Every line has all of it; null where a marker was missed.
_LINE: dict[str, Any] = dict.fromkeys(
    ("marker", "onset", "outcome", "detail", "scores", "top", "confidence", "image", "saliency", "seed", *STAGES)
)
_SHEET_ROWS = 40


def prepare_folder(out: Path) -> None:
    """Refuse a folder that holds a session already, or that cannot be made; it is made when there is something for it.

    Raises
    ------
    BciError
        If it does, or cannot be written.
    """
    if (out / "live.jsonl").exists():
        raise BciError(f"'{out}' holds a session already. Choose another folder with --out; nothing is overwritten.")
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "is no folder" if not there.is_dir() else "is read-only"
        raise BciError(f"'{out}' cannot be written to: '{there}' {why}. Choose another folder with --out.")


class ProtocolWriter:
    """Writes each outcome as it comes, so that nothing is lost when the program is killed."""

    def __init__(self, out: Path, labels: tuple[str, ...]) -> None:
        self._out = out
        self._labels = labels
        self._catalogue = load_catalogue()
        self._rows: list[Row] = []
        self._missed: Counter[str] = Counter()
        self._times: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self._right = 0
        self._guesses: dict[float, list[tuple[bool, float]]] = {}  # by their end: right, ms

    def __enter__(self) -> Self:
        for folder in ("images", "saliency"):
            (self._out / folder).mkdir(parents=True, exist_ok=True)
        # Half a surrogate pair, which a label from the network may hold, is no UTF-8; escaped, it is JSON.
        self._file = (self._out / "live.jsonl").open("x", encoding="utf-8", errors="backslashreplace")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def shown(self) -> int:
        """Pictures written so far."""
        return len(self._times["image_ms"])

    def write(self, outcome: Outcome) -> None:
        """One line, and for what was shown two pictures."""
        line = self._missed_line(outcome) if isinstance(outcome, Missed) else self._shown_line(outcome)
        line["guesses"] = [self._guess_line(guess) for guess in outcome.guesses]
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def finish(self, **facts: Any) -> dict[str, Any]:
        """Write `summary.json` and the contact sheet; returns the summary. `facts` are put in as they are."""
        missed = dict(self._missed)
        summary: dict[str, Any] = {"markers": self.shown + sum(missed.values()), "shown": self.shown, "missed": missed}
        for stage, values in self._times.items():
            summary[stage] = _middle_and_end(values)
        if self.shown:
            chance = 1 / len(self._labels)
            summary["accuracy"] = {"top1": self._right / self.shown, "of": self.shown, "chance": chance}
        if self._guesses:
            summary["guesses"] = [self._guess_summary(until_s) for until_s in sorted(self._guesses)]
        summary |= facts
        (self._out / "summary.json").write_text(
            json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        if self._rows:
            contact_sheet(self._rows).save(self._out / "contact_sheet.png")
        return summary

    def _guess_line(self, guess: Guess) -> dict[str, Any]:
        self._guesses.setdefault(guess.until_s, []).append((guess.top == guess.epoch.marker.label, guess.after_ms))
        return {
            "until_s": guess.until_s,
            "scores": {label: round(p, 6) for label, p in guess.scores.items()},
            "top": guess.top,
            "confidence": round(guess.confidence, 6),
            "guess_ms": round(guess.after_ms, 3),
        }

    def _guess_summary(self, until_s: float) -> dict[str, Any]:
        right, times = zip(*self._guesses[until_s], strict=True)
        return {
            "until_s": until_s,
            "top1": sum(right) / len(right),
            "of": len(right),
            "guess_ms": _middle_and_end(times),
        }

    def _missed_line(self, outcome: Missed) -> dict[str, Any]:
        self._missed[outcome.reason.value] += 1
        return _LINE | {
            "marker": outcome.marker.label,
            "onset": outcome.marker.time,
            "outcome": outcome.reason.value,
            "detail": outcome.detail,
        }

    def _shown_line(self, outcome: Shown) -> dict[str, Any]:
        reconstruction, timings = outcome.reconstruction, outcome.timings
        decoding, marker = reconstruction.decoding, outcome.marker
        name = f"{self.shown + 1:05d}-{re.sub(r'[^A-Za-z0-9]+', '-', marker.label)[:40]}.png"
        saliency: Picture = np.round(decoding.saliency * 255).clip(0, 255).astype(np.uint8)
        Image.fromarray(reconstruction.image).save(self._out / "images" / name)
        Image.fromarray(saliency).save(self._out / "saliency" / name)
        if len(self._rows) < _SHEET_ROWS:
            stimulus = stimulus_of(marker, self._catalogue, len(reconstruction.image))
            self._rows.append(
                Row(stimulus, saliency, reconstruction.image, marker.label, decoding.top, decoding.confidence)
            )
        self._right += decoding.top == marker.label
        for stage in STAGES:
            self._times[stage].append(getattr(timings, stage))
        return _LINE | {
            "marker": marker.label,
            "onset": decoding.epoch.onset,
            "outcome": "shown",
            "scores": {label: round(p, 6) for label, p in decoding.scores.items()},
            "top": decoding.top,
            "confidence": round(decoding.confidence, 6),
            "image": f"images/{name}",
            "saliency": f"saliency/{name}",
            "seed": reconstruction.seed,
            **{stage: round(getattr(timings, stage), 3) for stage in STAGES},
        }


def _middle_and_end(values: Sequence[float]) -> dict[str, float | None]:
    return {
        "median": round(float(np.median(values)), 2) if values else None,
        "p95": round(float(np.percentile(values, 95)), 2) if values else None,
    }


def describe(summary: dict[str, object], out: Path) -> str:
    """The summary of a headless run in the words of a person."""
    missed = summary["missed"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in missed.items()) if isinstance(missed, dict) else ""
    lines = [
        f"{summary['badge']}: {summary['shown']} of {summary['markers']} markers shown"
        + (f"; missed: {reasons}" if reasons else "")
    ]
    times = summary.get("image_ms")
    if isinstance(times, dict) and times.get("median") is not None:
        lines.append(
            f"Picture {times['median']:.0f} ms (median) after the window's last sample, p95 {times['p95']:.0f} ms"
        )
    accuracy = summary.get("accuracy")
    if isinstance(accuracy, dict):
        lines.append(
            f"Top-1 {accuracy['top1']:.0%} of {accuracy['of']} pictures whose truth is known; chance {accuracy['chance']:.1%}"
        )
    guesses = summary.get("guesses")
    if isinstance(guesses, list):
        rising = ", ".join(f"{it['top1']:.0%} at {1000 * it['until_s']:g} ms" for it in guesses)
        lines.append(f"First guesses, while the window filled: {rising}")
    if summary.get("filled_epochs"):
        channels = summary["filled_channels"]
        named = ", ".join(f"{name} {count}" for name, count in channels.items()) if isinstance(channels, dict) else ""
        lines.append(
            f"In {summary['filled_epochs']} epochs channels without EEG were filled in from the others: {named}"
        )
    errors = summary.get("errors")
    if isinstance(errors, list) and errors:
        lines.append(f"Errors on the way: {'; '.join(map(str, errors))}")
    lines.append(f"Pictures, protocol and contact sheet: {out}" if summary["shown"] else f"Protocol: {out}")
    return "\n".join(lines)
