"""Trains the diffusion pipeline that ships: caption embedding and noise → a picture of the catalogue, in few steps.

`bci-live train-diffusion --out models/diffusion-demo --minutes 75`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from bci_live.diffusion.pipeline import load_pipeline
from bci_live.errors import DiffusionError
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.training.autoencoder import CHANNELS, build_autoencoder, reconstruction_psnr, train_autoencoder
from bci_live.training.denoising import DiffusionLoss
from bci_live.training.export import check_pipeline_out, export_pipeline
from bci_live.training.latent_features import trained_features
from bci_live.training.loop import LoopSettings, run_loop
from bci_live.training.material import gather_material, latent_set
from bci_live.training.renderings import Renderings, draw_renderings
from bci_live.training.sharpening import SharpeningLoss

# In the folder of checkpoints: the pipeline before it is sharpened, to compare with.
TEACHER_FOLDER = "teacher-trained"
_AUTOENCODER_SHARE, _STUDENT_SHARE = 0.12, 0.35
# Of the teacher's learning rate.
_STUDENT_RATE = 0.4
_POOLING_HEADS = 8


@dataclass(frozen=True, slots=True)
class DiffusionTraining:
    """What a training can be told."""

    pixels: int = 128
    renderings: int = 20_000
    batch: int = 32
    learning_rate: float = 8e-4
    widths: tuple[int, ...] = (48, 96, 192)
    max_steps: int | None = None
    seed: int = 0


def build_unet(settings: DiffusionTraining, latent_size: int, width: int) -> UNet2DConditionModel:
    """Attention only below the first level: there it costs little and sees the whole picture.

    The caption, pooled, shifts every block besides, as the timestep does. By cross-attention alone it takes such a network
    many times as long to learn what an object looks like.
    """
    levels = len(settings.widths)
    return UNet2DConditionModel(
        sample_size=latent_size,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=settings.widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (levels - 1),
        up_block_types=("CrossAttnUpBlock2D",) * (levels - 1) + ("UpBlock2D",),
        cross_attention_dim=width,
        attention_head_dim=4,
        norm_num_groups=16,
        addition_embed_type="text",
        addition_embed_type_num_heads=_POOLING_HEADS,
    )


def build_scheduler() -> DDIMScheduler:
    """Cosine noise whose last step is noise alone, so that a draw at full strength owes nothing to its initial image."""
    return DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # trailing spacing ignores it, but diffusers wants it so
    )


def train_diffusion(
    out: Path,
    minutes: float = 75.0,
    work: Path = Path(".cache/diffusion"),
    device: str | torch.device = "auto",
    settings: DiffusionTraining | None = None,
    others: Path | None = None,
    begin: Path | None = None,
) -> None:
    """Train autoencoder, UNet and its student for `minutes` altogether and write the pipeline to `out`, again at every checkpoint.

    The features that judge the student take some minutes more, once.

    Killed or interrupted, the same call goes on from the last checkpoint in `work`.

    Parameters
    ----------
    others : a folder of other pictures with `names.csv`, so that captions outside the catalogue mean something
    begin : a pipeline of the same build, to go on from

    Raises
    ------
    DiffusionError
        If `out` holds something else, if `begin` cannot be read, or if the training diverges.
    LabelError
        If the folder of the others cannot be read.
    """
    from bci_live.decoding.device import pick_device

    check_pipeline_out(out)
    settings = settings or DiffusionTraining()
    place = pick_device(device) if isinstance(device, str) else device
    before = load_pipeline(begin, place) if begin else None
    begun = None if before is None or begin is None else _autoencoder_of(before, begin)
    work.mkdir(parents=True, exist_ok=True)
    material = gather_material(settings.renderings, settings.pixels, settings.seed, work, others)
    autoencoder = _autoencoder(material.free, minutes * _AUTOENCODER_SHARE, work, place, settings, begun)
    held_out = draw_renderings(load_catalogue(), 200, settings.pixels, settings.seed + 1).images
    psnr = reconstruction_psnr(autoencoder, held_out, place)
    data = latent_set(material, autoencoder, work, place)

    torch.manual_seed(settings.seed)
    unet = build_unet(settings, data.latents.shape[-1], data.embeddings.shape[-1]).to(place)
    if before is not None and begin is not None:
        begin_with(unet, before.unet, begin)
    unet = unet.to(memory_format=torch.channels_last)
    if place.type == "cpu":
        # PyTorch's fused attention takes a third of a step there: its backward pass in bfloat16 is slow (2.13).
        unet.set_attn_processor(AttnProcessor())
    scheduler = build_scheduler()
    loss = DiffusionLoss(data, scheduler, settings.batch, settings.seed, place)
    teacher_minutes = minutes * (1 - _AUTOENCODER_SHARE - _STUDENT_SHARE)
    loop = LoopSettings(
        "teacher", teacher_minutes, settings.learning_rate, warmup_steps=150, max_steps=settings.max_steps
    )
    facts = {"psnr_db": round(psnr, 2), "minutes": minutes}

    def export(average: nn.Module, folder: Path = out) -> None:
        export_pipeline(folder, autoencoder, average, scheduler, material.bank, facts)

    taught = run_loop(unet, loss, loop, work, on_save=export)
    export(taught, work / TEACHER_FOLDER)
    layouts = torch.from_numpy(material.free.layouts)
    features = trained_features(data, layouts, work, place, settings.max_steps)
    lesson = SharpeningLoss(loss, features, data.embeddings, place)
    discriminator = work / "discriminator.pt"
    lesson.load(discriminator)

    def keep(average: nn.Module) -> None:
        lesson.save(discriminator)
        export(average)

    loop = replace(
        loop,
        name="sharpened",
        minutes=minutes * _STUDENT_SHARE,
        learning_rate=settings.learning_rate * _STUDENT_RATE,
        momentum=0.5,
    )
    run_loop(taught.requires_grad_(True), lesson, loop, work, on_save=keep)


@torch.no_grad()
def begin_with(unet: nn.Module, known: nn.Module, folder: Path) -> None:
    """Take over the weights of a trained UNet of the same build; what it draws stays the same.

    One of before, whose blocks no caption shifts, will do: these shifts begin at nothing.

    Raises
    ------
    DiffusionError
        If it is built otherwise.
    """
    before, ours = known.state_dict(), unet.state_dict()
    new = {name for name in ours if name.startswith("add_embedding.") and name not in before}
    differ = [name for name in _differing(ours, before) if name not in new]
    if differ:
        raise DiffusionError(
            f"The UNet of '{folder}' is built otherwise than the one that is trained ({differ[0]}). Begin with another pipeline, or "
            "with none."
        )
    for name, weight in ours.items():
        if name in before:
            weight.copy_(before[name])
        elif name.startswith("add_embedding.norm2"):
            weight.zero_()


def _autoencoder_of(before: Any, folder: Path) -> AutoencoderTiny:
    """That of a pipeline, if it is built as the one that is trained."""
    differ = _differing(build_autoencoder().state_dict(), before.vae.state_dict())
    if differ:
        raise DiffusionError(
            f"The autoencoder of '{folder}' is built otherwise than the one that is trained ({differ[0]}). Begin with another "
            "pipeline, or with none."
        )
    autoencoder: AutoencoderTiny = before.vae
    return autoencoder


def _differing(ours: Mapping[str, Tensor], known: Mapping[str, Tensor]) -> list[str]:
    """The names of weights that only one has, or that are of another shape."""
    shapes = [name for name, it in ours.items() if name in known and known[name].shape != it.shape]
    return sorted(ours.keys() ^ known.keys()) + shapes


def _autoencoder(
    renderings: Renderings,
    minutes: float,
    work: Path,
    device: torch.device,
    settings: DiffusionTraining,
    begin: AutoencoderTiny | None,
) -> AutoencoderTiny:
    folder = work / "autoencoder-trained"
    if folder.exists():
        model = AutoencoderTiny.from_pretrained(folder, use_safetensors=True).to(device)
    else:
        model = train_autoencoder(renderings, minutes, work, device, max_steps=settings.max_steps, begin=begin)
        model.save_pretrained(folder, safe_serialization=True)
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
