"""Trains the diffusion pipeline that ships: caption embedding and noise → a picture of the catalogue, in few steps.

`python -m bci_live.training.diffusion --out models/diffusion-demo --minutes 75 --work .cache/diffusion`
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from bci_live.stimuli.captions import CaptionBank, load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.training.autoencoder import CHANNELS, encode_all, reconstruction_psnr, train_autoencoder
from bci_live.training.captions import make_bank
from bci_live.training.coupling import couple, layout_scores, patterns
from bci_live.training.export import check_pipeline_out, export_pipeline
from bci_live.training.loop import LoopSettings, run_loop
from bci_live.training.renderings import Renderings, cached_renderings, calm_layout, draw_renderings

# Where 4 and 8 steps with trailing spacing look, and how often training looks there; the rest is drawn uniformly.
_TIMESTEPS = (999, 874, 749, 624, 499, 374, 249, 124)
_SHARES = (0.27, 0.02, 0.21, 0.03, 0.17, 0.03, 0.12, 0.02)
_COUPLED_SHARE = 0.4
_SOFT_SHARE, _MOST_FADED, _NOISY = 0.7, 0.7, 400
_CALM_PER_LABEL = 80
_CALM_SEED = 7
_AUTOENCODER_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class DiffusionTraining:
    """What a training can be told."""

    pixels: int = 64
    renderings: int = 24_000
    batch: int = 16
    learning_rate: float = 8e-4
    widths: tuple[int, ...] = (48, 96, 192)
    max_steps: int | None = None
    seed: int = 0


def build_unet(settings: DiffusionTraining, latent_size: int, width: int) -> UNet2DConditionModel:
    """Attention only below the first level: there it costs little and sees the whole picture."""
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


@dataclass(frozen=True, slots=True)
class LatentSet:
    """What the loss draws from.

    `latents`: (n, 8, h, w), scaled. `labels`: (n,). `embeddings`: (labels, tokens, width). `calm`: (m,), the last
    of them, of calm layout. `scores`: (m, 11), of their layouts.
    """

    latents: Tensor
    labels: Tensor
    embeddings: Tensor
    calm: Tensor
    scores: Tensor


class DiffusionLoss:
    """The v-prediction error (Salimans & Ho 2022) at timesteps weighted to where few-step inference looks."""

    def __init__(self, data: LatentSet, scheduler: DDIMScheduler, settings: DiffusionTraining, device: torch.device):
        self._data, self._settings, self._device = data, settings, device
        self._alphas = scheduler.alphas_cumprod.to(device)
        self._basis = patterns(data.latents.shape[-1], data.latents.shape[1]).to(device)
        self._mean = data.latents.mean(dim=0).to(device)

    def __call__(self, network: nn.Module, step: int) -> Tensor:
        """Mean squared error of one batch, drawn from the step's number."""
        generator = torch.Generator().manual_seed(self._settings.seed * 1_000_003 + step)
        data, count = self._data, self._settings.batch
        timesteps = draw_timesteps(count, generator)
        free = torch.rand(count, generator=generator)
        # At the last timestep the noise always tells the layout; below it img2img brings noise that does not.
        coupled = (timesteps == _TIMESTEPS[0]) | (free < _COUPLED_SHARE)
        calm = torch.randint(len(data.calm), (count,), generator=generator)
        picks = torch.where(
            coupled, data.calm[calm], torch.randint(len(data.labels) - len(data.calm), (count,), generator=generator)
        )
        softness, faded = draw_softness(timesteps, generator)
        coupled, timesteps = coupled.to(self._device), timesteps.to(self._device)

        clean = data.latents[picks].to(self._device)
        prompts = data.embeddings[data.labels[picks]].to(self._device)
        noise = torch.randn(clean.shape, generator=generator).to(self._device)
        told = couple(noise, data.scores[calm].to(self._device), self._basis)
        noise = torch.where(_each(coupled), told, noise)
        start = soften(clean, softness.to(self._device), faded.to(self._device), self._mean)
        alpha = _each(self._alphas[timesteps].sqrt())
        sigma = _each((1 - self._alphas[timesteps]).sqrt())
        noisy = alpha * start + sigma * noise
        target = (alpha * noisy - clean) / sigma  # equals alpha · noise − sigma · clean where start is clean
        noisy = noisy.to(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16):
            velocity = network(noisy, timesteps, prompts).sample
        # The error of the clean picture where that is not what the noisy one holds; the velocity's error would count the
        # difference 1 / sigma² times.
        weight = torch.where(_each(softness > 1).to(self._device), sigma.square(), torch.ones_like(sigma))
        loss: Tensor = (weight * (velocity.float() - target).square()).mean()
        return loss


def draw_timesteps(count: int, generator: torch.Generator) -> Tensor:
    """(count,) timesteps: those of 4- and 8-step inference by their shares, the rest uniform over 50…998."""
    rest = 1 - sum(_SHARES)
    kinds = torch.multinomial(torch.tensor((*_SHARES, rest)), count, replacement=True, generator=generator)
    uniform = torch.randint(50, 999, (count,), generator=generator)
    return torch.where(kinds < len(_TIMESTEPS), torch.tensor((*_TIMESTEPS, 0))[kinds], uniform)


def draw_softness(timesteps: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """How soft each start point is made: by which factor (1, 2, 4 or 8), and how much of its contrast is lost (0…1).

    A saliency map or a latent that was read from EEG is softer and paler than a picture, the model's own guess after
    the first steps is softer: so most start points are, the noisier the more. The target stays sharp.
    """
    count = len(timesteps)
    soft, pale = torch.rand(2, count, generator=generator)
    noisy = timesteps > _NOISY
    very = torch.where(soft < 0.2, 8, torch.where(soft < 0.45, 4, 2))
    factors = torch.where(noisy, very, 2)
    factors = torch.where((soft < _SOFT_SHARE) & (timesteps > 200), factors, 1)
    return factors, torch.where(noisy & (factors > 1), _MOST_FADED * pale, 0.0)


def soften(latents: Tensor, factors: Tensor, faded: Tensor, mean: Tensor) -> Tensor:
    """Average (n, c, h, w) latents over squares of each one's factor, and move them towards the (c, h, w) mean."""
    soft = latents
    for factor in (2, 4, 8):
        small = functional.avg_pool2d(latents, factor)
        blurred = functional.interpolate(small, latents.shape[-2:], mode="bilinear")
        soft = torch.where(_each(factors == factor), blurred, soft)
    return soft + _each(faded) * (mean - soft)


def train_diffusion(
    out: Path,
    minutes: float = 75.0,
    work: Path = Path(".cache/diffusion"),
    device: str | torch.device = "auto",
    settings: DiffusionTraining | None = None,
) -> None:
    """Train autoencoder and UNet for `minutes` altogether and write the pipeline to `out`, again at every checkpoint.

    Killed or interrupted, the same call goes on from the last checkpoint in `work`.
    """
    from bci_live.decoding.device import pick_device

    check_pipeline_out(out)
    settings = settings or DiffusionTraining()
    place = pick_device(device) if isinstance(device, str) else device
    work.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue()
    renderings = cached_renderings(catalogue, settings.renderings, settings.pixels, settings.seed, work)
    bank = _bank(work)
    autoencoder = _autoencoder(renderings, minutes * _AUTOENCODER_SHARE, work, place, settings)
    held_out = draw_renderings(catalogue, 200, settings.pixels, settings.seed + 1).images
    psnr = reconstruction_psnr(autoencoder, held_out, place)
    data = _latents(autoencoder, renderings, bank, work, place)

    torch.manual_seed(settings.seed)
    unet = build_unet(settings, data.latents.shape[-1], bank.embeddings.shape[-1]).to(place)
    unet = unet.to(memory_format=torch.channels_last)
    scheduler = build_scheduler()
    loss = DiffusionLoss(data, scheduler, settings, place)
    loop = LoopSettings(
        "unet",
        minutes * (1 - _AUTOENCODER_SHARE),
        settings.learning_rate,
        warmup_steps=150,
        max_steps=settings.max_steps,
    )

    def export(average: nn.Module) -> None:
        export_pipeline(out, autoencoder, average, scheduler, bank, {"psnr_db": round(psnr, 2), "minutes": minutes})

    run_loop(unet, loss, loop, work, on_save=export)


def _autoencoder(
    renderings: Renderings, minutes: float, work: Path, device: torch.device, settings: DiffusionTraining
) -> AutoencoderTiny:
    folder = work / "autoencoder-trained"
    if folder.exists():
        model = AutoencoderTiny.from_pretrained(folder, use_safetensors=True).to(device)
    else:
        model = train_autoencoder(renderings, minutes, work, device, max_steps=settings.max_steps)
        model.save_pretrained(folder, safe_serialization=True)
    return model.eval().requires_grad_(False)


def _bank(work: Path) -> CaptionBank:
    file = work / "caption_bank.safetensors"
    if not file.exists():
        make_bank(load_catalogue()).save(file)
    return load_bank(file)


def _latents(
    model: AutoencoderTiny, renderings: Renderings, bank: CaptionBank, work: Path, device: torch.device
) -> LatentSet:
    pixels, catalogue = renderings.images.shape[1], load_catalogue()
    calm = draw_renderings(catalogue, _CALM_PER_LABEL * len(catalogue.labels), pixels, _CALM_SEED, calm_layout)
    file = work / "latents.safetensors"
    if not file.exists():
        save_file({"latents": encode_all(model, renderings.images, device) * model.config.scaling_factor}, file)
    free = load_file(file)["latents"]
    return LatentSet(
        torch.cat((free, encode_all(model, calm.images, device) * model.config.scaling_factor)),
        torch.from_numpy(np.concatenate((renderings.labels, calm.labels)).astype(np.int64)),
        torch.from_numpy(np.ascontiguousarray(bank.embeddings)),
        torch.arange(len(free), len(free) + len(calm.images)),
        torch.from_numpy(layout_scores(calm.layouts)),
    )


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the diffusion pipeline that ships.")
    parser.add_argument("--out", type=Path, default=Path("models/diffusion-demo"))
    parser.add_argument("--minutes", type=float, default=75.0)
    parser.add_argument("--work", type=Path, default=Path(".cache/diffusion"))
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    train_diffusion(arguments.out, arguments.minutes, arguments.work, arguments.device)


if __name__ == "__main__":
    main()
