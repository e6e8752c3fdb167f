"""Streams of this machine are found where there is no multicast, and a user's own LSL configuration stays in force."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bci_live.streams import lsl_config


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lsl_config, "_PLACES", ())
    monkeypatch.setattr(lsl_config, "user_cache_path", lambda *_, **__: tmp_path)
    # Set first, so that what `configure_lsl` sets is undone, too.
    monkeypatch.setenv("LSLAPICFG", "")


def test_this_machine_is_named_as_a_peer(tmp_path: Path) -> None:
    lsl_config.configure_lsl()
    assert os.environ["LSLAPICFG"] == str(tmp_path / "lsl_api.cfg")
    assert "KnownPeers = {127.0.0.1}" in (tmp_path / "lsl_api.cfg").read_text()


def test_the_users_variable_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LSLAPICFG", "/my/own.cfg")
    lsl_config.configure_lsl()
    assert os.environ["LSLAPICFG"] == "/my/own.cfg"
    assert not list(tmp_path.iterdir())


def test_the_users_file_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.cfg").write_text("[lab]")
    monkeypatch.setattr(lsl_config, "_PLACES", (tmp_path / "own.cfg",))
    lsl_config.configure_lsl()
    assert os.environ["LSLAPICFG"] == ""
