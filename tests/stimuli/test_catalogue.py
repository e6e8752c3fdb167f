"""Labels are looked up, never trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bci_live.errors import DiffusionError, LabelError
from bci_live.stimuli.captions import CaptionBank, load_bank
from bci_live.stimuli.catalogue import load_catalogue, read_others


def test_catalogue_has_the_forty_objects_in_order() -> None:
    labels = load_catalogue("objects").labels
    assert len(labels) == len(set(labels)) == 40
    assert labels[0] == "dog"
    assert {"face", "house"} <= set(labels)


def test_caption_names_the_object_with_the_right_article() -> None:
    catalogue = load_catalogue()
    assert catalogue.caption("dog") == "An image of a dog"
    assert catalogue.caption("airplane") == "An image of an airplane"


def test_gratings_stand_beside_the_objects_and_their_screens_look_alike() -> None:
    catalogue = load_catalogue()
    assert catalogue.labels[40:] == ("grating-coarse", "grating-fine", "after-coarse", "after-fine")
    gratings = catalogue.around(["after-fine"])
    assert gratings.labels == catalogue.labels[40:]
    assert gratings.looks == (0, 1, 2, 2)
    assert catalogue.around(["dog", "cat"]).labels == load_catalogue("objects").labels
    # Changes from dark to light along a row through the middle: 3 and 10 cycles.
    for label, cycles in (("grating-coarse", 3), ("grating-fine", 10)):
        light = catalogue.picture(label)[128, :, 0] > 127
        assert np.count_nonzero(np.diff(light.astype(int)) == 1) in (cycles - 1, cycles)


def test_other_pictures_come_from_a_folder_without_those_that_ship(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 8, 4), np.uint8), "RGBA").save(tmp_path / "images" / "lion.webp")
    (tmp_path / "names.csv").write_text(
        "file,name\nlion.webp,lion\n1f415.webp,dog\nabsent.webp,absent\n../../x.webp,x\n"
    )
    others = read_others(tmp_path)
    assert others.labels == ("lion",)
    assert others.caption("lion") == "An image of a lion"
    assert others.picture("lion").shape == (8, 8, 4)


def test_a_folder_without_names_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"no readable names\.csv"):
        read_others(tmp_path)


def test_pictures_are_decoded_once_and_cannot_be_changed() -> None:
    picture = load_catalogue().picture("cat")
    assert picture.shape == (256, 256, 4)
    assert picture is load_catalogue().picture("cat")
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


@pytest.mark.parametrize("label", ["unicorn", "../../etc/passwd", "1f415.webp", ""])
def test_unknown_label_is_refused_by_name(label: str) -> None:
    with pytest.raises(LabelError) as caught:
        load_catalogue().picture(label)
    assert repr(label) in str(caught.value)
    assert label not in load_catalogue()


def _bank() -> CaptionBank:
    embeddings = np.random.default_rng(0).standard_normal((2, 8, 4)).astype(np.float32)
    return CaptionBank(("dog", "cat"), embeddings, ("An image of a dog", "An image of a cat"))


def test_bank_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    _bank().save(tmp_path / "caption_bank.safetensors")
    bank = load_bank(tmp_path)
    assert (bank.labels, bank.captions) == (_bank().labels, _bank().captions)
    np.testing.assert_array_equal(bank.embedding("cat"), _bank().embeddings[1])


def test_bank_names_the_label_that_it_does_not_know() -> None:
    with pytest.raises(LabelError, match=r"'emu'.*dog, cat"):
        _bank().embedding("emu")


@pytest.mark.parametrize("content", [None, b"", b"this is no safetensors file at all"])
def test_absent_or_damaged_bank_is_a_clear_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "bank.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DiffusionError, match=r"bank\.safetensors cannot be read"):
        load_bank(file)


def test_bank_without_labels_is_a_clear_error(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"embeddings": np.zeros((2, 8, 4), np.float32)}, tmp_path / "bank.safetensors")
    with pytest.raises(DiffusionError, match="cannot be read"):
        load_bank(tmp_path / "bank.safetensors")
