"""What the window commands: other streams, other models, the replay. Real outlets in other processes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest
import torch

from bci_live.config import DiffusionConfig, bundled
from bci_live.errors import BciError, DiffusionError
from bci_live.live import choosing, remembered, runner
from bci_live.live import session as session_module
from bci_live.live.background import BackgroundSession
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.demo import DEMO_DECODER
from bci_live.live.launcher import LiveRequest
from bci_live.live.remembered import StreamChoice
from bci_live.live.snapshot import RecordingRequest
from bci_live.streams.outlet import open_eeg_outlet
from bci_live.types import Decoding, Epoch, StreamFacts
from tests.live.background_sessions import (
    DrawsOnceLoaded,
    decoder_of,
    forgotten,
    headset,
    listens_to,
    name,
    session,
    told,
)
from tests.live.test_session import Draws, SaysDog, file
from tests.waiting import wait_until

__all__ = ["file", "forgotten", "name"]  # fixtures


def test_a_stream_that_is_not_there_yet_is_taken_when_it_comes(name: str) -> None:
    with session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: name in str(running.problem()) and running.choosing(), 20, "the window to be told")
        with headset(name, f"{name}-m"):
            wait_until(lambda: listens_to(running) == name, 30, "the session")
            assert running.problem() is None
            assert not running.choosing()


@pytest.mark.parametrize("cold", [True, False])
def test_the_signal_and_its_markers_are_there_while_the_pipeline_loads_and_pictures_after(
    name: str, cold: bool
) -> None:
    def shown() -> int:
        seen = running.snapshot()
        return -1 if seen is None else seen.counts.shown

    draws = DrawsOnceLoaded(cold)
    with headset(name, f"{name}-m"), session(draws, stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.counts.markers > 1, 40, "the markers")
        loading = running.snapshot()
        assert loading is not None
        assert (loading.phase, running.progress()) == ("warming", "Loading the diffusion pipeline …")
        assert (part := running.signal(1.0)) is not None
        assert len(part.samples) > 200
        assert (loading.reconstruction, shown()) == (None, 0)
        draws.loaded.set()
        if cold:
            wait_until(lambda: shown() > 0, 20, "a picture before it is warm")
        else:
            more = loading.counts.markers + 3
            wait_until(lambda: (seen := running.snapshot()) is not None and seen.counts.markers > more, 20, "markers")
            assert shown() == 0
        draws.warm.set()
        wait_until(lambda: running.progress() == "" and shown() > 0, 20, "a picture")


def test_the_first_picture_is_drawn_as_it_was_chosen_the_last_time(name: str) -> None:
    chosen = DrawingChoice(DiffusionConfig(steps=9, seed=5), every_s=0.5, anytime=False)
    remembered.remember_drawing(chosen)
    draws = DrawsOnceLoaded()
    with (
        headset(name, f"{name}-m"),
        patch.object(runner, "load_models", return_value=(SaysDog(), draws)),
        patch.object(draws, "draw_as") as told,
        BackgroundSession(LiveRequest(bundled(DEMO_DECODER), stream=name, markers=f"{name}-m")) as running,
    ):
        wait_until(lambda: told.called, 40, "how to draw, before anything is loaded to draw with")
        told.assert_called_once_with(chosen.diffusion)
        draws.loaded.set()
        draws.warm.set()
        wait_until(lambda: (seen := running.snapshot()) is not None and len(seen.history) > 0, 40, "a picture")
        assert (seen := running.snapshot()) is not None
        assert seen.history[0].seed == 5


def test_a_window_that_is_closed_before_the_first_marker_does_not_wait_for_a_picture(name: str) -> None:
    draws = DrawsOnceLoaded()
    draws.loaded.set()
    with patch.object(session_module, "_FIRST_PICTURE_S", 1000.0), headset(name):
        with session(draws, stream=name) as running:
            wait_until(lambda: (seen := running.snapshot()) is not None and seen.phase != "warming", 40, "the session")
        assert not running._runner.alive
    assert not draws.began_warming.is_set()


def test_a_pipeline_that_cannot_draw_is_a_problem_while_the_signal_what_is_read_of_it_and_rec_go_on(
    name: str, tmp_path: Path
) -> None:
    draws = DrawsOnceLoaded(error=DiffusionError("There is too little memory to draw. Choose a smaller pipeline."))
    with headset(name, f"{name}-m"), session(draws, stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: listens_to(running) == name, 40, "the session")
        before = running._runner.session
        draws.loaded.set()
        wait_until(lambda: running.problem() is not None, 20, "the reason")
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.decoding is not None, 20, "what is read")
        running.record(RecordingRequest(tmp_path))
        wait_until(lambda: (status := running.recording()) is not None and status.seconds > 1, 20, "a recording")
        running.stop_recording()
        wait_until(lambda: (status := running.recording()) is not None and not status.running, 20, "its end")
        assert (status := running.recording()) is not None
        assert max(stream.samples for stream in status.streams) > 200
        assert running.problem() == "There is too little memory to draw. Choose a smaller pipeline."
        assert (running._runner.session, running.progress()) == (before, "")
        assert (seen := running.snapshot()) is not None
        assert (seen.phase, seen.counts.shown) == ("live", 0)
        assert (part := running.signal(1.0)) is not None
        assert len(part.samples) > 200


class CrowdedDog(SaysDog):
    """Is on a GPU without room until it is moved."""

    crowded = True

    def to(self, device: str) -> None:
        self.crowded = device != "cpu"

    def decode(self, epoch: Epoch) -> Decoding:
        if self.crowded:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().decode(epoch)


def test_a_decoder_that_runs_out_of_memory_goes_on_on_the_processor_with_a_note_and_no_error(name: str) -> None:
    with (
        headset(name, f"{name}-m"),
        patch.object(runner, "load_models", return_value=(CrowdedDog(), Draws())),
        BackgroundSession(LiveRequest(Path("decoder"), stream=name, markers=f"{name}-m")) as running,
    ):
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.counts.shown > 0, 40, "a picture")
        assert (seen := running.snapshot()) is not None
        assert seen.note == "The device ran out of memory: the EEG is decoded by the processor now."
        assert (running.problem(), seen.errors) == (None, ())


def test_after_a_pipeline_that_cannot_be_loaded_connecting_loads_the_models_anew(name: str) -> None:
    draws, damaged = Draws(), DrawsOnceLoaded(error=BciError("The pipeline is damaged. Get it anew."))
    damaged.loaded.set()
    models = [(SaysDog(), damaged), (SaysDog(), damaged), (SaysDog(), draws)]
    with (
        headset(name, f"{name}-m"),
        patch.object(runner, "load_models", side_effect=models),
        BackgroundSession(LiveRequest(Path("decoder"), stream=name, markers=f"{name}-m")) as running,
    ):
        for _ in range(2):  # not mended yet: it is told again
            wait_until(lambda: running.problem() is not None, 40, "the reason")
            assert running.problem() == "The pipeline is damaged. Get it anew."
            running.connect(StreamChoice(stream=name, markers=f"{name}-m"))
        wait_until(lambda: listens_to(running) == name and running.progress() == "", 40, "the session")
        assert running.problem() is None


def test_the_streams_are_listed_only_while_somebody_looks(name: str) -> None:
    with headset(name, f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        running.watch_streams(True)
        wait_until(lambda: any(it.name == name and it.samples for it in running.streams()), 20, "the list")
        running.watch_streams(False)
        wait_until(lambda: running.streams() == (), 10, "nobody to be listened to")


def test_another_stream_is_chosen_and_remembered(name: str) -> None:
    other = StreamChoice(stream=f"{name}-b", stream_id=f"{name}-b", markers=f"{name}-m", markers_id=f"{name}-m")
    with headset(f"{name}-a", f"{name}-m"), headset(f"{name}-b"):
        with session(stream=f"{name}-a", markers=f"{name}-m") as running:
            wait_until(lambda: listens_to(running) == f"{name}-a", 30, "the first stream")
            running.connect(other)
            wait_until(lambda: listens_to(running) == f"{name}-b", 30, "the second stream")
            assert running.chosen() == other
        with session() as again:  # nobody says which: the one of the last time
            wait_until(lambda: listens_to(again) == f"{name}-b", 30, "the remembered stream")


def test_a_replay_is_not_ended_in_search_of_itself(name: str, file: Path) -> None:
    with session(replay=file) as running:
        wait_until(lambda: listens_to(running) == "Test head", 60, "the replay")
        replay, before = running._runner.replay, running._runner.session
        assert replay is not None
        running.watch_streams(True)
        wait_until(lambda: any(it.source_id == replay.eeg_source_id for it in running.streams()), 30, "its stream")
        for own in (StreamChoice(), StreamChoice(stream="Test head", stream_id=replay.eeg_source_id)):
            assert "the replay that runs already" in running.connect(own)
        assert running._runner.session is before
        assert remembered.remembered() is None
        with headset(name):
            wait_until(lambda: any(it.name == name for it in running.streams()), 30, "another stream")
            assert running.connect(StreamChoice()) == ""
            wait_until(lambda: listens_to(running) == name, 40, "that stream")


def test_a_replay_that_has_ended_is_played_again(file: Path) -> None:
    with session(replay=file, start_s=6.0) as running:
        wait_until(lambda: (replay := running.replay()) is not None and replay.ended, 60, "its end")
        running.play_again()
        wait_until(lambda: (replay := running.replay()) is not None and not replay.ended, 60, "its beginning")


def test_a_stream_that_does_not_fit_is_refused_and_another_can_be_chosen(name: str) -> None:
    odd = open_eeg_outlet(StreamFacts(f"{name}-odd", "EEG", f"{name}-odd", "", "", 250.0, ("X",), ("uV",)))
    with headset(name, f"{name}-m"), session(stream=f"{name}-odd", markers=f"{name}-m") as running:
        wait_until(lambda: "needs the channels" in told(running), 30, "the refusal")
        running.connect(StreamChoice(stream=name, markers=f"{name}-m"))
        wait_until(lambda: listens_to(running) == name, 30, "the stream that fits")
    del odd


def test_a_headset_that_the_decoder_does_not_fit_is_on_display_with_its_markers(name: str) -> None:
    odd = open_eeg_outlet(StreamFacts(name, "EEG", name, "", "", 250.0, ("X", "Y"), ("uV", "uV")))
    with headset(f"{name}-b", f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: "needs the channels" in told(running), 30, "what does not fit")

        def markers() -> int:
            odd.push_sample([10.0, -10.0])
            snapshot = running.snapshot()
            return len(snapshot.markers) if snapshot else 0

        wait_until(lambda: markers() > 1, 30, "markers")
        snapshot, signal = running.snapshot(), running.signal(2.0)
        assert snapshot is not None
        assert signal is not None
        assert snapshot.facts is not None
        assert snapshot.facts.channels == ("X", "Y")
        assert (snapshot.phase, snapshot.decoding, snapshot.counts.shown) == ("watching", None, 0)
        assert snapshot.counts.markers == len(snapshot.markers)
        assert signal.samples[-1].tolist() == [10.0, -10.0]
        assert running.problem() is None
        assert not running.choosing()


def test_a_headset_that_does_not_fit_and_goes_makes_room_for_one_that_does(name: str) -> None:
    odd = open_eeg_outlet(StreamFacts(name, "EEG", f"{name}-odd", "", "", 250.0, ("X",), ("uV",)))
    with patch.object(runner, "_GONE_S", 1.0), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: "needs the channels" in told(running), 30, "what does not fit")
        odd.push_sample([1.0])
        wait_until(lambda: running.signal(1.0) is not None and len(running.signal(1.0).times) > 0, 10, "a sample")  # type: ignore[union-attr]
        del odd
        with headset(name, f"{name}-m"):
            wait_until(lambda: listens_to(running) == name and "needs" not in told(running), 40, "the one that fits")


def test_models_that_are_not_there_or_come_at_the_wrong_time_leave_the_session_alone(name: str, tmp_path: Path) -> None:
    with headset(name, f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: listens_to(running) == name, 30, "the session")
        before = running._runner.session
        running.load(replace(running.models(), decoder=tmp_path / "nowhere"))
        assert "nowhere" in running.model_problem()
        running._runner.replay = MagicMock()
        running.record(RecordingRequest(tmp_path))
        running.load(running.models())
        assert "End the recording first" in running.model_problem()
        running._runner.replay = None
        running.stop_recording()
        wait_until(lambda: (status := running.recording()) is not None and not status.running, 20, "the end")
        assert running._runner.session is before


def test_models_that_cannot_be_loaded_cost_the_session_nothing_and_those_that_can_begin_a_new_one(
    name: str, tmp_path: Path
) -> None:
    other = (SaysDog(), Draws())
    with headset(name, f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: listens_to(running) == name and running.progress() == "", 40, "the session")
        before, used = running._runner.session, running.models()
        others = ModelChoice(decoder_of(tmp_path / "others", "E1", "E2"), used.pipeline)
        absent = next(kind for kind in ("cuda", "mps") if kind not in running.devices())
        running.load(replace(others, device=absent))
        assert f"'{absent}' is not at hand" in running.model_problem()
        assert not running.loading()
        with patch.object(choosing, "load_models", side_effect=BciError("Its weights are damaged.")):
            running.load(others)
            assert running.loading()
            wait_until(lambda: not running.loading(), 10, "the models to be loaded")
        assert (running.model_problem(), running.models()) == ("Its weights are damaged.", used)
        assert running._runner.session is before
        with patch.object(choosing, "load_models", return_value=other):
            running.load(others)
            wait_until(lambda: running._runner.session not in (None, before), 40, "the new session")
        assert (running.model_problem(), running.models()) == ("", others)


def test_a_decoder_that_does_not_fit_the_running_headset_is_refused_and_the_session_goes_on(
    name: str, tmp_path: Path
) -> None:
    with headset(name, f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: listens_to(running) == name and running.progress() == "", 40, "the session")
        before, used = running._runner.session, running.models()
        running.load(replace(used, decoder=decoder_of(tmp_path / "other", "Cz", "Oz")))
        wait_until(lambda: not running.loading(), 10, "the models to be looked at")
        assert f"needs the channels Cz, Oz, which '{name}' does not have" in running.model_problem()
        assert (running._runner.session, running.models()) == (before, used)


def test_a_headset_that_is_only_watched_is_read_as_soon_as_a_decoder_that_fits_is_chosen(
    name: str, tmp_path: Path
) -> None:
    watched = decoder_of(tmp_path / "other", "Cz", "Oz"), decoder_of(tmp_path / "fits", "E1", "E2")
    misfit = SaysDog(), Draws()
    misfit[0].card = SimpleNamespace(**vars(SaysDog.card) | {"channels": ("Cz", "Oz")})
    with (
        headset(name, f"{name}-m"),
        patch.object(runner, "load_models", return_value=misfit),
        patch.object(choosing, "load_models", return_value=(SaysDog(), Draws())),
        BackgroundSession(LiveRequest(watched[0], stream=name, markers=f"{name}-m")) as running,
    ):
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.phase == "watching", 40, "the signal")
        running.load(replace(running.models(), decoder=watched[1]))
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.counts.shown > 0, 40, "a picture")
        assert (running.models().decoder, running.model_problem(), running.loading()) == (watched[1], "", False)


def test_a_decoder_of_the_last_time_that_does_not_fit_gives_way_to_the_one_asked_for_and_is_not_forgotten(
    name: str, tmp_path: Path
) -> None:
    other, asked = decoder_of(tmp_path / "other", "Cz", "Oz"), decoder_of(tmp_path / "fits", "E1", "E2")
    remembered.remember_models(ModelChoice(other, DiffusionConfig().pipeline, "cpu"))

    def models(request: LiveRequest, *_: object, **__: object) -> tuple[SaysDog, Draws]:
        decoder = SaysDog()
        if request.decoder == other:
            decoder.card = SimpleNamespace(**vars(SaysDog.card) | {"channels": ("Cz", "Oz")})
        return decoder, Draws()

    with (
        headset(name, f"{name}-m"),
        patch.object(runner, "load_models", models),
        BackgroundSession(LiveRequest(asked, stream=name, markers=f"{name}-m")) as running,
    ):
        wait_until(lambda: (seen := running.snapshot()) is not None and seen.counts.shown > 0, 60, "a picture")
        assert running.models().decoder == asked
        assert "needs the channels Cz, Oz" in running.model_problem()
    assert remembered.remembered_models(running.models(), frozenset()).decoder == other


def test_a_decoder_of_the_last_time_that_is_damaged_gives_way_to_the_one_asked_for(name: str, tmp_path: Path) -> None:
    """It was chosen in the window; its card can be read, its weights cannot."""
    mine = tmp_path / "mine"
    shutil.copytree(bundled(DEMO_DECODER), mine)
    remembered.remember_models(ModelChoice(mine, DiffusionConfig().pipeline, "cpu"))
    for weights in mine.glob("*.safetensors"):
        weights.write_bytes(b"damaged")
    with BackgroundSession(LiveRequest(bundled(DEMO_DECODER), stream=name)) as running:
        wait_until(lambda: name in str(running.problem()), 60, "the models, which a stream is looked for with")
        assert running.models().decoder == bundled(DEMO_DECODER)
        assert running.model_problem().startswith("The models of the last time are not used. ")
        assert str(mine) in running.model_problem()


def test_a_memory_that_cannot_be_read_is_no_memory(tmp_path: Path) -> None:
    assert remembered.remembered() is None
    remembered.remember(StreamChoice(stream="Muse"))
    assert remembered.remembered() == StreamChoice(stream="Muse")
    (tmp_path / "config" / "streams.json").write_text('{"stream": 3, "evil": []}')
    assert remembered.remembered() is None
