"""The window's benchmark runs, with its peer in the same run; how fast it is, is no matter of a test."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bci_live.cli import app
from bci_live.errors import BciError
from bci_live.window.bench.run import bench_window


@pytest.mark.system
@pytest.mark.timeout(240)
def test_both_windows_draw_while_pictures_come() -> None:
    command = ["bench", "window", "--channels", "40", "--rate", "250", "--seconds", "4", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout.splitlines()[-1])
    for who in ("ours", "peer"):
        assert figures[who]["fps"] > 0
        assert figures[who]["pictures"] > 0
        assert {"frame_ms_p95", "sample_ms_p95", "cpu_percent"} <= set(figures[who])


def test_too_few_channels_for_the_decoder_are_refused() -> None:
    with pytest.raises(BciError, match=r"8 channels are too few.*--channels 32"):
        bench_window(channels=8, rate=250.0, seconds=2.0, peer=False)
