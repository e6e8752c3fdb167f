"""Channels by name and by type: what is decoded, what it is referenced to, what is only judged."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from bci_live.config import EpochConfig
from bci_live.errors import MontageError
from bci_live.signal.montage import Montage, pick_channels
from bci_live.types import StreamFacts

NAMES = ("Fz", "EOG", "Oz", "M1", "battery")
CAP = StreamFacts(
    "cap", "EEG", "", "", "", 250.0, NAMES, ("microvolts",) * 5, types=("EEG", "EOG", "EEG", "EEG", "misc")
)
SAMPLES = np.array([[1, 2, 4, 8, 90], [10, 20, 40, 80, 91]], dtype=np.float32)


def test_channels_are_picked_by_name_and_missing_ones_named() -> None:
    np.testing.assert_array_equal(pick_channels(("oz", "Cz"), ("Cz", "Pz", "Oz"), "cap"), [2, 0])
    # All in order is a slice, which copies nothing.
    assert pick_channels(("cz", "Pz"), ("Cz", "Pz"), "cap") == slice(None)
    with pytest.raises(MontageError, match=r"O1, O2.*'cap'"):
        pick_channels(("O1", "O2", "Cz"), ("Cz",), "cap")


def test_only_eeg_is_there_to_be_decoded() -> None:
    assert CAP.eeg_channels == ("Fz", "Oz", "M1")
    nameless = StreamFacts("cap", "signal", "", "", "", 250.0, ("a", "b"), ("", ""))
    assert nameless.eeg_channels == ("a", "b")


def test_a_channel_with_a_limit_of_its_type_is_judged_but_not_decoded() -> None:
    montage = Montage(("Oz", "Fz"), CAP, EpochConfig(reject_uv={"EEG": 100, "eog": 300}), "cap")
    assert montage.names == ("Oz", "Fz", "EOG")
    assert montage.decoded == 2
    assert montage.limits_uv.tolist() == [100, 100, 300]
    np.testing.assert_array_equal(montage.pick(SAMPLES), [[4, 1, 2], [40, 10, 20]])


def test_without_a_limit_of_its_type_no_other_channel_is_looked_at() -> None:
    assert Montage(("Oz", "Fz"), CAP, EpochConfig(), "cap").names == ("Oz", "Fz")
    assert Montage(("Oz",), CAP, EpochConfig(reject_uv=None), "cap").limits_uv.tolist() == [np.inf]


def test_channels_are_referenced_to_others_or_to_their_own_average() -> None:
    config = EpochConfig(reference=("m1",), reject_uv={"eog": 300})
    np.testing.assert_array_equal(
        Montage(("Fz", "Oz"), CAP, config, "cap").pick(SAMPLES), [[-7, -4, 2], [-70, -40, 20]]
    )
    average = Montage(("Fz", "Oz"), CAP, EpochConfig(reference=("average",)), "cap")
    np.testing.assert_array_equal(average.pick(SAMPLES), [[-1.5, 1.5], [-15, 15]])


def test_a_reference_that_is_not_there_is_named() -> None:
    with pytest.raises(MontageError, match="reference TP9 is no channel of 'cap', which has Fz, EOG"):
        Montage(("Fz",), CAP, EpochConfig(reference=("TP9", "M1")), "cap")


def test_settings_are_read_as_they_are_typed() -> None:
    config = EpochConfig.model_validate({"reference": "TP9, TP10", "reject_uv": "EEG=150, eog=300"})
    assert config.reference == ("TP9", "TP10")
    assert config.reject_uv == {"eeg": 150.0, "eog": 300.0}
    assert EpochConfig.model_validate({"reject_uv": "none"}).reject_uv == {}
    assert EpochConfig.model_validate({"reject_uv": 75}).reject_uv == {"eeg": 75.0}
    assert EpochConfig.model_validate_json(config.model_dump_json()) == config
    for wrong in ("eeg", "eeg=-3", "eeg=much"):
        with pytest.raises(ValidationError):
            EpochConfig.model_validate({"reject_uv": wrong})
