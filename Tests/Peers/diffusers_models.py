"""The diffusers side of the tests of export and import.

    python diffusers_models.py make FOLDER         writes models with random weights to FOLDER/NAME, as diffusers does
    python diffusers_models.py inputs FOLDER...    writes FOLDER.input.safetensors and FOLDER.latents.h5 for each model
    python diffusers_models.py outputs FOLDER...   compares FOLDER.output.safetensors, our network's output
    python diffusers_models.py draw FOLDER...      draws with diffusers, and compares FOLDER.images.h5, our images
    python diffusers_models.py same [FOLDER FOLDER]...  compares pairs of pipelines: configurations, and weights bit by bit

Run by scripts/test/peers/diffusers.sh. Needs torch, diffusers, safetensors and h5py. Exits with 1 if something differs.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from diffusers import (
    DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, DPMSolverMultistepScheduler,
    EDMDPMSolverMultistepScheduler, UNet2DModel,
)
from diffusers.utils import logging
from safetensors.numpy import load_file, save_file

# Relative, by Euclidean norms. Both sides compute in single precision, and diffusers' sinusoids have errors of up to
# 6e-5. The total error is 4e-6; it would be 3e-5 if norms had an epsilon of 1e-5 instead of 1e-6.
OUTPUT_TOLERANCE = 2e-5

# Relative to the largest value, or to 1, the range of images. Errors propagate through the steps of a deterministic
# sampler. diffusers computes 1 - alpha_bar in single precision. At the last step this is 1e-4 with a relative error of
# 6e-4, which affects a part of the image of size 0.01.
STEPS = 10
DRAWING_TOLERANCE = 1e-4

# The options whose values are fixed in our network (docs/interchange.md), and one head.
FIXED_OPTIONS = dict(attention_head_dim=None, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6)

MODELS = {
    # The architecture of google/ddpm-cifar10-32, with fewer channels.
    "cifar": dict(
        sample_size=32, block_out_channels=(32, 64, 64, 64), norm_num_groups=32,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    ),
    "legacy": dict(
        sample_size=16, block_out_channels=(32, 64), norm_num_groups=8, layers_per_block=1, in_channels=1,
        out_channels=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    ),
    "classes": dict(
        sample_size=(16, 24), block_out_channels=(16, 16, 48), norm_num_groups=4, num_class_embeds=5,
        down_block_types=("AttnDownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "AttnUpBlock2D"),
    ),
    "learned": dict(
        sample_size=8, block_out_channels=(32, 32), norm_num_groups=16, out_channels=6, layers_per_block=3,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    ),
    # Several heads, more at levels with more channels; the time scales as well as shifts.
    "heads": dict(
        sample_size=16, block_out_channels=(32, 64), norm_num_groups=8, attention_head_dim=8,
        resnet_time_scale_shift="scale_shift", attn_norm_num_groups=8,
        down_block_types=("AttnDownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "AttnUpBlock2D"),
    ),
}
SCHEDULERS = {
    "cifar": dict(variance_type="fixed_large"),
    "legacy": dict(beta_schedule="scaled_linear", num_train_timesteps=500, prediction_type="v_prediction"),
    "classes": dict(beta_schedule="squaredcos_cap_v2", prediction_type="sample"),
    "learned": dict(beta_schedule="squaredcos_cap_v2", variance_type="learned_range"),
    "heads": dict(),
}
LATER_KEYS = (
    "add_attention", "attn_norm_num_groups", "class_embed_type", "downsample_type", "dropout", "mid_block_type",
    "num_class_embeds", "num_train_timesteps", "resnet_time_scale_shift", "time_embedding_dim", "upsample_type",
)
LEGACY_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def make(folder):
    for number, (name, arguments) in enumerate(MODELS.items()):
        torch.manual_seed(number)
        network = UNet2DModel(**{**FIXED_OPTIONS, **arguments})
        # Change norms and biases too, which start as ones and zeros.
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.dim() == 1:
                    parameter.add_(0.1 * torch.randn(parameter.shape))
        kind = DPMSolverMultistepScheduler if name == "classes" else DDPMScheduler
        DDPMPipeline(network, kind(**SCHEDULERS[name])).save_pretrained(folder / name)
    weights = folder / "legacy/unet/diffusion_pytorch_model.safetensors"
    renamed = {}
    for name, tensor in load_file(weights).items():
        for new, old in LEGACY_NAMES.items():
            name = name.replace(new, old)
        renamed[name] = tensor
    assert any("proj_attn" in name for name in renamed)
    save_file(renamed, weights)
    # The oldest format: everything in one folder, without keys that were added later.
    for path in [*(folder / "legacy/unet").iterdir(), *(folder / "legacy/scheduler").iterdir()]:
        path.rename(folder / "legacy" / path.name)
    for path in (folder / "legacy/unet", folder / "legacy/scheduler"):
        path.rmdir()
    config = json.loads((folder / "legacy/config.json").read_text())
    for key in LATER_KEYS:
        del config[key]
    (folder / "legacy/config.json").write_text(json.dumps(config))
    # Only the weights, as stored by programs without safetensors.
    (folder / "pickle").mkdir()
    (folder / "pickle/config.json").write_bytes((folder / "cifar/unet/config.json").read_bytes())
    weights = load_file(folder / "cifar/unet/diffusion_pytorch_model.safetensors")
    weights = {name: torch.from_numpy(tensor) for name, tensor in weights.items()}
    torch.save(weights, folder / "pickle/diffusion_pytorch_model.bin")


def network_config(folder):
    path = folder / "unet/config.json"
    return json.loads((path if path.exists() else folder / "config.json").read_text())


def inputs(folder):
    """Writes three images with times and classes, and latents for drawing."""
    config = network_config(folder)
    size = config["sample_size"]
    height, width = (size, size) if isinstance(size, int) else size
    random = np.random.default_rng(7)
    shape = (3, height, width, config["in_channels"])
    tensors = {
        "images": random.standard_normal(shape).astype(np.float32),
        "times": np.array([0, 113, 479], np.float32),
    }
    if config.get("num_class_embeds"):
        # The last row is for "no class", which is -1 in our program. If all rows are classes, there is no such row.
        last = config["num_class_embeds"] - 1
        tensors["classes"] = np.array([0, last - 1, -1], np.float32)
    save_file(tensors, f"{folder}.input.safetensors")
    with h5py.File(f"{folder}.latents.h5", "w") as file:
        file["latents"] = random.standard_normal(shape).astype(np.float32)


def load_network(folder):
    if (folder / "model_index.json").exists():
        return DDPMPipeline.from_pretrained(folder).unet
    return UNet2DModel.from_pretrained(folder, subfolder="unet")


def to_torch(images):
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def from_torch(images):
    return images.numpy().transpose(0, 2, 3, 1)


def class_labels(network, classes):
    if network.config.num_class_embeds is None:
        return None
    rows = network.config.num_class_embeds
    return torch.tensor([rows - 1 if k < 0 else int(k) for k in classes])


@torch.no_grad()
def outputs(folder):
    network = load_network(folder)
    given = load_file(f"{folder}.input.safetensors")
    expected = from_torch(
        network(
            to_torch(given["images"]), torch.from_numpy(given["times"]),
            class_labels=class_labels(network, given.get("classes", [])),
        ).sample
    )
    ours = load_file(f"{folder}.output.safetensors")["output"]
    assert ours.shape == expected.shape, (ours.shape, expected.shape)
    error = np.linalg.norm(ours - expected) / np.linalg.norm(expected)
    print(f"{folder.name}: outputs of length {np.linalg.norm(expected):.3g} differ by {error:.2e} of it")
    assert error < OUTPUT_TOLERANCE, error


@torch.no_grad()
def draw(folder):
    network, config = load_network(folder), network_config(folder)
    with h5py.File(f"{folder}.latents.h5") as file:
        latents = to_torch(file["latents"][:])
    with h5py.File(f"{folder}.images.h5") as file:
        ours, labels = file["samples"][:], file["labels"][:] if "labels" in file else []
    if (folder / "model_index.json").exists():
        pipeline = DDPMPipeline.from_pretrained(folder)
        if config["num_class_embeds"] is None:
            draw_by_pipelines(folder, pipeline)
        scheduler, x = DDIMScheduler.from_config(pipeline.scheduler.config), latents
    else:
        scheduler = EDMDPMSolverMultistepScheduler.from_pretrained(folder, subfolder="scheduler")
        x = latents * scheduler.config.sigma_max
    labels = class_labels(network, labels)
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:
        # The second half of the channels is the learned variance, which these samplers do not use.
        output = network(scheduler.scale_model_input(x, t), t, class_labels=labels).sample[:, : x.shape[1]]
        x = scheduler.step(output, t, x).prev_sample
    expected = from_torch(x)
    error = np.abs(expected - ours).max() / max(1, np.abs(expected).max())
    name = type(scheduler).__name__
    print(f"{folder.name}: after {STEPS} steps of {name} images differ by at most {error:.2e} "
          f"of {np.abs(expected).max():.3g}")
    assert error < DRAWING_TOLERANCE, error


def draw_by_pipelines(folder, pipeline):
    """Draws by the pipelines, which generate noise themselves, so only the images' size and contrast are checked."""
    size = pipeline.unet.config.sample_size
    size = (size, size) if isinstance(size, int) else tuple(reversed(size))
    pipelines = [pipeline]
    if pipeline.unet.config.out_channels == pipeline.unet.config.in_channels:
        pipelines.append(DDIMPipeline.from_pretrained(folder))
    for each in pipelines:
        each.set_progress_bar_config(disable=True)
        image = each(num_inference_steps=3, generator=torch.Generator().manual_seed(1)).images[0]
        assert image.size == size, image.size
        assert np.asarray(image).std() > 1, "one value everywhere"


def same(first, second):
    paths = [sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json")) for folder in (first, second)]
    assert paths[0] == paths[1] and len(paths[0]) > 1, paths
    for path in paths[0]:
        assert (first / path).read_bytes() == (second / path).read_bytes(), path
    tensors = [load_file(folder / "unet/diffusion_pytorch_model.safetensors") for folder in (first, second)]
    assert tensors[0].keys() == tensors[1].keys()
    for name, tensor in tensors[0].items():
        assert tensor.tobytes() == tensors[1][name].tobytes(), name


def main():
    logging.disable_progress_bar()
    command, *folders = sys.argv[1:]
    folders = [Path(folder) for folder in folders]
    if command == "same":
        for first, second in zip(folders[::2], folders[1::2], strict=True):
            same(first, second)
    else:
        for folder in folders:
            {"make": make, "inputs": inputs, "outputs": outputs, "draw": draw}[command](folder)


if __name__ == "__main__":
    main()
