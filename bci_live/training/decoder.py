"""Trains a decoder from recordings: validation by run first, then every head once more on everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import DecoderNetwork
from bci_live.decoding.encoder import check_encoder
from bci_live.decoding.storage import check_out, save_decoder
from bci_live.diffusion.pipeline import pipeline_folder
from bci_live.diffusion.spaces import latent_space
from bci_live.diffusion.text import caption_bank
from bci_live.sessions.naming import in_turns
from bci_live.training.abstention import certainty, scores_when_sure
from bci_live.training.adversarial import SaliencyTraining, train_saliency
from bci_live.training.all_sessions import train_on_all
from bci_live.training.bands import BANDS, prepare_in_the_best_band
from bci_live.training.captions import with_captions
from bci_live.training.draft import draft_card
from bci_live.training.encoder import EncoderTraining, EncoderWithLabels, Setup
from bci_live.training.fine_tuning import cut_as, gentler, known_for, load_origin, taken_over
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import (
    Blend,
    choose_blend,
    fit_captions,
    fit_contrast,
    fit_structure,
)
from bci_live.training.latents import structure_of
from bci_live.training.placement import contrast_map
from bci_live.training.plain import fit_plain
from bci_live.training.prefixes import fit_prefixes
from bci_live.training.preparation import LoadedSession, TrainingSet, cut_sessions, load_sessions
from bci_live.training.processes import Processes, join
from bci_live.training.progress import phases
from bci_live.training.resume import Resume, Tensors, key_of, unprefixed
from bci_live.training.second import second_process
from bci_live.training.threads import one_thread, two_cores
from bci_live.training.validation import (
    HeldOut,
    Phase,
    hold_out,
    label_scores,
    previous_label_score,
)

# So many samples, of all channels together, (eight minutes of four at 256 Hz) are learned from for longer than a second process
# takes to start.
_MANY_SAMPLES = 500_000


def train_decoder(
    sessions: Sequence[Path],
    out: Path,
    *,
    pipeline: Path,
    filter_config: FilterConfig | None,
    epoch_config: EpochConfig,
    marker_labels: Mapping[str, str] | None = None,
    seed: int = 0,
    device: str = "cpu",
    overwrite: bool = False,
    progress: bool = True,
    encoder_training: EncoderTraining | None = None,
    saliency_training: SaliencyTraining | None = None,
    fine_tune: Path | None = None,
    captions: Mapping[str, str] | None = None,
) -> DecoderCard:
    """Make a decoder from recordings and write it to `out`. The same seed gives the same decoder, on the CPU.

    Killed, it goes on when it is called again with the same arguments. Started by `accelerate launch`, its processes train
    one decoder together.

    Parameters
    ----------
    sessions : recordings with markers, of one headset
    pipeline : the diffusion pipeline, a folder or a name, whose text and latent space the decoder learns to speak
    filter_config : the band; None takes the one of `bands.BANDS` that does best on runs left out
    marker_labels : what the sessions' markers mean, where they are no labels; the decoder remembers it
    fine_tune : another person's decoder, to begin from; its band, window, encoder and captions take the place of those given
    captions : by label what is said of its picture, for instance by a captioner, in place of "An image of a dog"

    Raises
    ------
    DecoderError
        If `out` holds something else, or a decoder that is not to be overwritten; if there is no such encoder; or if the
        decoder to begin from does not fit.
    RecordingError, MontageError, LabelError
        If the sessions cannot be trained on; or if each subject is to have a layer, and they are all of one.
    DiffusionError
        If the pipeline cannot be read.
    """
    out, folder = Path(out), pipeline_folder(pipeline)
    check_out(out, overwrite)
    processes = join(device)
    for_encoder = encoder_training or EncoderTraining()
    bank = caption_bank(folder, processes.device)
    origin = load_origin(Path(fine_tune), pipeline, bank) if fine_tune else None
    if origin is None:
        bank = with_captions(bank, folder, captions or {}, processes.device)
    else:
        for_encoder = gentler(for_encoder, origin)
        epoch_config = origin.card.epoch.model_copy(update={"reject_uv": epoch_config.reject_uv})
    check_encoder(for_encoder.encoder)
    meaning = marker_labels or {}
    paths = [Path(path) for path in sessions]
    in_order = in_turns(paths, alone=origin is not None) if for_encoder.subject_layer else paths
    with ExitStack() as stack, _told_what_is_kept(out):
        phase = stack.enter_context(phases(progress and processes.is_main))
        phase("reading the recordings")
        loaded = load_sessions(in_order, bank.labels, meaning)
        second = stack.enter_context(second_process(_worth_two_processes(loaded, processes)))
        phase("cutting epochs")
        if origin is None:
            with one_thread():
                band, examples = prepare_in_the_best_band(
                    lambda band: cut_sessions(loaded, band, epoch_config, meaning),
                    [filter_config] if filter_config else BANDS,
                )
        else:
            band, examples = origin.card.filter, cut_as(origin, loaded, epoch_config, meaning)
        latents, is_latent = structure_of(examples.pictures, folder, processes.device)
        card = draft_card(
            examples,
            bank,
            pipeline,
            latents,
            latent_space(folder) if is_latent else "",
            band,
            epoch_config,
            for_encoder,
            {name: captions[name] for name in examples.names if captions and name in captions},
        )
        if origin is not None:
            card = card.model_copy(update=taken_over(origin))
        known = known_for(origin, examples.subjects) if origin else None
        targets = known.caption.spoken if known else torch.from_numpy(bank.of(card.labels))
        setup = Setup(card, targets, for_encoder, seed, processes, known)
        for_saliency = saliency_training or SaliencyTraining()
        resume = Resume(_kept(out), _key(setup, for_saliency, latents), processes)
        with _reproducible(seed):
            if resume.goes_on:
                phase("going on where it was interrupted")
            held_out = HeldOut.of(resume.once("held-out", lambda: hold_out(examples, setup, phase, second).tensors()))
            card, blend = _choose(card, examples, held_out)
            on_all = train_on_all(examples, setup, blend, held_out.passes, resume, phase, second)
            torch.manual_seed(seed)  # the same first weights whichever phases were run before
            network = DecoderNetwork(card)
            network.blend.weights.copy_(torch.tensor(blend.weights))
            if network.covariance is not None and examples.repair is not None:
                network.covariance.copy_(torch.from_numpy(examples.repair.covariance))
            guessed, guessed_shuffled = fit_prefixes(network.prefixes, card, examples, seed, setup.known)
            probabilities = torch.softmax(held_out.logits(blend), dim=1)
            explained = _fit_pictures(network, examples, probabilities, latents, setup, for_saliency, resume, phase)
            features, controls = _fit_labels(network, examples, setup, on_all())
            controls["previous_label"] = previous_label_score(examples)
            fit_captions(network.caption, targets, features, examples.labels, folds_by_run(examples.runs))
        scores = card.scores | guessed | explained
        card = card.model_copy(update={"scores": _rounded(scores), "controls": _rounded(controls | guessed_shuffled)})
        if processes.is_main:
            card = save_decoder(out, card, network.state_dict())
            resume.forget()
        return processes.from_main(card)


def _key(setup: Setup, for_saliency: SaliencyTraining, latents: Tensor) -> str:
    """Of all that a training's result depends on; the card has the recordings' digests and how they are cut."""
    told = f"{setup.settings}, {for_saliency}, seed {setup.seed}, {setup.processes}"
    known = [] if setup.known is None else list(setup.known.state_dict().values())
    return key_of(setup.card.model_dump_json(), told, setup.captions, latents, *known)


def _worth_two_processes(sessions: Sequence[LoadedSession], processes: Processes) -> bool:
    """To start another takes seconds; those of `accelerate launch`, and a GPU, have enough to do."""
    alone = processes.count == 1 and processes.device.type == "cpu"
    return alone and two_cores() and sum(it.recording.samples.size for it in sessions) >= _MANY_SAMPLES


def _choose(card: DecoderCard, examples: TrainingSet, held_out: HeldOut) -> tuple[DecoderCard, Blend]:
    """The label head and the source of the caption that did best on runs held out, with their scores."""
    blend = choose_blend(held_out.deep, held_out.plain, torch.from_numpy(examples.labels))
    logits = held_out.logits(blend)
    scores = label_scores(logits, examples.labels)
    scores |= {f"{name}_encoder": value for name, value in label_scores(held_out.deep, examples.labels).items()}
    scores |= {f"{name}_plain": value for name, value in label_scores(held_out.plain, examples.labels).items()}
    scores["caption_top1_ridge"] = label_scores(held_out.nearness, examples.labels)["top1"]
    source = "ridge" if scores["caption_top1_ridge"] > scores["top1"] else "labels"
    probabilities = torch.softmax(logits, dim=1).numpy()
    line = certainty(probabilities, examples.labels)
    scores |= scores_when_sure(probabilities, examples.labels, line)
    chosen = {"label_head": blend.head, "caption_source": source, "scores": scores, "certainty": round(line, 4)}
    return card.model_copy(update=chosen), blend


def _fit_labels(
    network: DecoderNetwork, examples: TrainingSet, setup: Setup, made: Tensors
) -> tuple[Tensor, dict[str, float]]:
    """Both label heads on everything; returns the features of the examples, (n, feature), and the control's scores."""
    trained = EncoderWithLabels(setup.card)
    trained.load_state_dict(unprefixed("network", made))
    network.encoder, network.labels = trained.encoder, trained.labels
    card = setup.card
    known = setup.known.plain if setup.known else None
    plain = fit_plain(examples.data, examples.labels, len(card.labels), card.sizes, known)
    network.plain.load_state_dict(plain.state_dict())
    # In an order of their own: the file does not keep that of the measuring.
    controls = {name: score.item() for name, score in sorted(unprefixed("control", made).items())}
    return made["features"], controls


def _fit_pictures(
    network: DecoderNetwork,
    examples: TrainingSet,
    probabilities: Tensor,
    latents: Tensor,
    setup: Setup,
    for_saliency: SaliencyTraining,
    resume: Resume,
    phase: Phase,
) -> dict[str, float]:
    """Latent, contrast map and saliency map, on everything; returns the shares of variance that the ridges explain.

    `probabilities`: (n, labels), of heads that had not seen the trial's run.
    """
    folds = folds_by_run(examples.runs)
    known = setup.known
    coordinates, explained = fit_structure(
        network.structure, examples.data, latents, examples.shown, folds, known.structure if known else None
    )
    maps = contrast_map(examples.pictures, network.contrast.SIDE)
    contrasts, placed = fit_contrast(
        network.contrast, examples.data, maps, examples.shown, folds, known.contrast if known else None
    )
    if known is not None:
        network.saliency.load_state_dict(known.saliency.state_dict())
    train_saliency(
        network.saliency,
        network.condition(probabilities, coordinates),
        contrasts,
        examples.pictures,
        examples.shown,
        for_saliency,
        setup.seed,
        setup.processes,
        resume,
        phase("saliency"),
    )
    return {"latent_explained": explained, "contrast_explained": placed}


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}


@contextmanager
def _told_what_is_kept(out: Path) -> Iterator[None]:
    """Who interrupts a training learns that it goes on."""
    try:
        yield
    except KeyboardInterrupt as error:
        if _kept(out).exists():
            raise KeyboardInterrupt(
                f"Interrupted. The same command goes on from what is kept in {_kept(out)}."
            ) from error
        raise


def _kept(out: Path) -> Path:
    return out.with_name(f".{out.name}.training")


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Random numbers from the seed, and one thread."""
    with torch.random.fork_rng(), one_thread():
        torch.manual_seed(seed)
        yield
