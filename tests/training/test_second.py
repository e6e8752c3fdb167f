"""A second process takes half of a long training, and the decoder is the same to the bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from bci_live.training import decoder
from bci_live.training import second as second_module
from bci_live.training.second import Agree, Lost, second_process
from tests.training.test_decoder import session
from tests.training.test_resume import kept_of, same, train
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
# A training with two processes, as a script of a user's: it has no guard against being run once more.
PROGRAM = """
import sys
from pathlib import Path
from bci_live.training import decoder
from tests.training.test_resume import train
decoder._worth_two_processes = lambda *_: True
try:
    train([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
except KeyboardInterrupt as interrupted:
    print(interrupted, file=sys.stderr)
    sys.exit(130)
"""


def count(of: int, agree: Agree) -> list[float]:
    """Work for the second process: what was agreed upon, each time."""
    return [agree(number) for number in range(of)]


def leave(_: Agree) -> None:
    """Work that ends its process."""
    os._exit(1)


def fail(_: Agree) -> None:
    raise ValueError("of the second process")


def sessions_in(folder: Path) -> list[Path]:
    return [session(folder / f"run-{seed}.xdf", seed) for seed in (1, 2)]


def test_both_agree_upon_the_same_numbers() -> None:
    with second_process(True) as second:
        assert second is not None
        task = second.begin(partial(count, 3))
        assert [task.agree(10.0 * number) for number in range(3)] == task.result() == [0.0, 11.0, 22.0]
        helpers = psutil.Process().children()
        assert len(helpers) == 1
    assert not helpers[0].is_running()


@pytest.mark.parametrize("work", [leave, fail])
def test_a_process_that_is_lost_is_told_and_stays_lost(work: Callable[[Agree], None]) -> None:
    with second_process(True) as second:
        assert second is not None
        with pytest.raises(Lost):
            second.begin(work).result()
        with pytest.raises(Lost):
            second.begin(partial(count, 1)).agree(1.0)


def test_what_cannot_be_sent_is_done_here_and_the_process_does_what_comes_next() -> None:
    with second_process(True) as second:
        assert second is not None
        with pytest.raises(Lost):
            second.begin(lambda agree: agree(1.0)).result()
        task = second.begin(partial(count, 1))
        assert (task.agree(5.0), task.result()) == (5.0, [5.0])


def test_where_no_process_can_be_started_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with second_process(True) as second:
        assert second is None


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("second")
    return [session(folder / f"run-{seed}.xdf", seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, sessions: list[Path]) -> Path:
    """What one process makes of them."""
    out = tmp_path_factory.mktemp("second") / "alone"
    train(sessions, out)
    return out


@pytest.mark.timeout(400)
def test_the_decoder_is_the_same_to_the_bit_with_two_processes_and_where_one_is_lost(
    tmp_path: Path, sessions: list[Path], alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "_worth_two_processes", lambda *_: True)
    train(sessions, tmp_path / "two")
    assert same(alone, tmp_path / "two")
    monkeypatch.setattr(second_module, "_PROGRAM", "pass")
    train(sessions, tmp_path / "lost")
    assert same(alone, tmp_path / "lost")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_script_that_is_ended_takes_the_second_process_with_it_and_goes_on_when_it_is_started_again(
    tmp_path: Path, sessions: list[Path], alone: Path, how: signal.Signals
) -> None:
    out = tmp_path / "decoder"
    (tmp_path / "script.py").write_text(PROGRAM)
    process = start(tmp_path / "script.py", out, sessions)
    try:
        kept = kept_of(out) / "held-out.safetensors"
        wait_until(lambda: kept.exists() or process.poll() is not None, 100, "held-out")
        helpers = psutil.Process(process.pid).children()
        os.killpg(process.pid, how)  # as a terminal does it
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert len(helpers) == 1
    wait_until(lambda: not helpers[0].is_running(), 30, "the end of the second process")
    assert "Traceback" not in told
    if how == signal.SIGINT:
        assert process.returncode == 130, told
        assert f"The same command goes on from what is kept in {kept_of(out)}." in told
    again = start(tmp_path / "script.py", out, sessions)
    _, told = again.communicate(timeout=200)
    assert again.returncode == 0, told
    assert "going on where it was interrupted" in told
    assert same(alone, out)


def start(script: Path, out: Path, sessions: list[Path]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(script), str(out), *map(str, sessions)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
