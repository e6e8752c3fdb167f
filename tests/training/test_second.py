"""A second process takes half of a long training, and the decoder is the same to the bit."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from bci_live.training import decoder
from bci_live.training.second import Agree, Lost, second_process
from tests.training.test_decoder import session
from tests.training.test_resume import kept_of, same, train
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
# A training large enough for two processes, as a program of its own.
PROGRAM = """
import sys
from pathlib import Path
from bci_live.training import decoder
from tests.training.test_resume import train
decoder._MANY_SAMPLES = 0
if __name__ == "__main__":
    try:
        train([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
    except KeyboardInterrupt:
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
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("work", [leave, fail])
def test_a_process_that_is_lost_is_told_and_stays_lost(work: object) -> None:
    with second_process(True) as second:
        assert second is not None
        task = second.begin(work)  # type: ignore[arg-type]
        with pytest.raises(Lost):
            task.result()
        with pytest.raises(Lost):
            second.begin(partial(count, 1)).agree(1.0)


@pytest.mark.timeout(400)
def test_the_decoder_is_the_same_to_the_bit_with_one_process_and_with_two_and_where_one_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = sessions_in(tmp_path)
    train(sessions, tmp_path / "one")
    monkeypatch.setattr(decoder, "_worth_two_processes", lambda *_: True)
    train(sessions, tmp_path / "two")
    assert same(tmp_path / "one", tmp_path / "two")
    begun = []
    start = multiprocessing.context.SpawnProcess.start
    monkeypatch.setattr(
        multiprocessing.context.SpawnProcess, "start", lambda it: (start(it), begun.append(it), it.kill())
    )
    train(sessions, tmp_path / "lost")
    assert len(begun) == 1
    assert same(tmp_path / "one", tmp_path / "lost")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C goes to a process group")
@pytest.mark.timeout(200)
def test_ctrl_c_ends_both_without_a_traceback(tmp_path: Path) -> None:
    out = tmp_path / "decoder"
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(out), *map(str, sessions_in(tmp_path))],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(
            lambda: (kept_of(out) / "held-out.safetensors").exists() or process.poll() is not None, 100, "held-out"
        )
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    wait_until(lambda: not _anybody_in(process.pid), 20, "the end of the second process")


def _anybody_in(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
