"""What is saved of a picture and of a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bci_live import __version__
from bci_live.errors import BciError
from bci_live.live.export import Origin, save_animation, save_picture
from bci_live.types import Marker
from tests.live.test_averages import HISTORY

ORIGIN = Origin("SIMULATED · REPLAY", "head", ("Fz", "Cz"), "diffusion-demo", "my-decoder", "cpu")


def test_a_picture_is_saved_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    drawn = replace(HISTORY[0], strength=0.5, initial="blend")
    path = save_picture(tmp_path / "new", drawn, ORIGIN)
    assert path.name == "0001-a.png"
    image = Image.open(path)
    np.testing.assert_array_equal(np.asarray(image), HISTORY[0].image)
    said = image.info["Description"]  # in the PNG itself, which goes about without the file beside it
    assert said == "Drawn from EEG by bci_live (SIMULATED · REPLAY). Detail is invented by diffusion."
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["image"] == "0001-a.png"
    assert (told["data"], told["seed"], told["top"], told["channels"]) == ("SIMULATED · REPLAY", 0, "a", ["Fz", "Cz"])
    assert (told["marker"]["label"], told["marker"]["time"], told["scores"]) == ("a", 1, {"a": 0.9, "x": 0.1})
    assert (told["strength"], told["initial"], told["trials"], told["filled"]) == (0.5, "blend", 1, [])
    assert (told["decoder"], told["device"], told["program"]) == ("my-decoder", "cpu", f"bci_live {__version__}")
    assert datetime.fromisoformat(told["saved"]).tzinfo is not None
    assert told["note"] == "Detail is invented by diffusion."


def test_nothing_is_overwritten_and_a_label_is_never_a_path(tmp_path: Path) -> None:
    decoding = HISTORY[0].decoding
    wild = replace(decoding, epoch=replace(decoding.epoch, marker=Marker("../../etc/\udcffpasswd", 1.0)))
    names = [save_picture(tmp_path, replace(HISTORY[0], decoding=wild), ORIGIN).name for _ in range(2)]
    assert names == ["0001-etc-passwd-read-as-a.png", "0002-etc-passwd-read-as-a.png"]
    assert len(list(tmp_path.iterdir())) == 4


def test_the_session_becomes_an_animation_of_its_pictures(tmp_path: Path) -> None:
    different = [replace(it, image=np.full((2, 2, 3), 60 * k, np.uint8)) for k, it in enumerate(HISTORY)]
    with Image.open(save_animation(tmp_path, different, lambda marker: None)) as animation:
        assert animation.n_frames == 4
    with pytest.raises(BciError, match="no finished picture"):
        save_animation(tmp_path, (), lambda marker: None)


def test_what_cannot_be_saved_to_its_end_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_picture(tmp_path, HISTORY[0], ORIGIN)
    before = sorted(tmp_path.iterdir())

    def half(frame: Image.Image, path: Path, **_: object) -> None:
        path.write_bytes(b"GIF89a")
        assert path.suffix == ".gif"
        assert path.name.startswith("0002-")  # its number is taken from now on
        raise OSError("the disk is full")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(BciError, match=r"0002-session\.gif' cannot be written"):
        save_animation(tmp_path, HISTORY, lambda marker: None)
    assert sorted(tmp_path.iterdir()) == before


def test_who_leaves_while_it_is_saved_leaves_no_half_file(tmp_path: Path) -> None:
    program = f"""
import sys, threading, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from PIL import Image
from bci_live.live import export
from tests.live.test_averages import HISTORY
begun = threading.Event()
def half(frame, path, **_):
    path.write_bytes(b"GIF89a")
    begun.set()
    time.sleep(60)
Image.Image.save = half
saving = export.Saving(lambda: export.save_animation(Path({str(tmp_path)!r}), HISTORY, lambda marker: None))
assert begun.wait(20)
"""
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a file where a folder is wanted reads differently elsewhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BciError, match="cannot be written"):
        save_picture(tmp_path / "taken", HISTORY[0], ORIGIN)
