"""Compares our Inception-v3 for FID with pytorch-fid's module, with the same random weights.

    python inception.py make FOLDER       writes weights.pth, the same weights in two other formats, images.safetensors,
                                          and pytorch-fid's results, theirs.safetensors
    python inception.py compare FOLDER    compares our results, ours.safetensors, with theirs.safetensors
    python inception.py paint FOLDER      writes two folders of images, a and b
    python inception.py distance FOLDER   compares ours.json, the program's output, with pytorch-fid's distances: of a
                                          and b, and of a.npz and b.npz, statistics by our program

scripts/test/peers/inception.sh runs these in turn. The published weights may not be copied here. Random ones test every
layer, provided that its values are of order one. So batch normalisation gets the statistics of random images, which are
then changed at random.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from pytorch_fid import fid_score, inception
from safetensors.numpy import load_file, save_file

# Relative to the largest number: |a − b| ≤ TOLERANCE · max |b|.
TOLERANCE = 1e-3


def random_state(images):
    """Weights for pytorch-fid's module, whose parameters have the names and shapes of torchvision's."""
    module = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    for layer in module.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.bias)
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.7, 1.3)
            torch.nn.init.normal_(layer.bias, std=0.3)
            # With a momentum of 1, the statistics are those of the single batch.
            layer.momentum = 1
    module.train()
    module(images)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean += 0.1 * layer.running_var.sqrt() * torch.randn_like(layer.running_mean)
            layer.running_var *= torch.empty_like(layer.running_var).uniform_(0.8, 1.25)
    return module.state_dict()


def check_scales(module, images):
    """Fails unless every layer's outputs are of order one, so that no layer's errors are negligible."""
    standard_deviations = {}

    def record(name):
        return lambda layer, inputs, output: standard_deviations.update({name: output.std().item()})

    hooks = [layer.register_forward_hook(record(name)) for name, layer in module.named_modules()
             if isinstance(layer, torch.nn.BatchNorm2d)]
    module(images)
    for hook in hooks:
        hook.remove()
    minimum, maximum = min(standard_deviations.values()), max(standard_deviations.values())
    print(f"deviations of {len(standard_deviations)} layers: from {minimum:.2g} to {maximum:.2g}")
    if not (minimum > 0.1 and maximum < 10):
        sys.exit("numbers are not of order one in every layer")


def random_images(count, height, width, channels):
    """Bytes [N, H, W, C] that vary between pixels and across the image, as in a photograph."""
    coarse = torch.rand(count, channels, 4, 4)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    images = (smooth + 0.15 * torch.randn_like(smooth)).clamp(0, 1)
    return (255 * images).round().byte().permute(0, 2, 3, 1).contiguous()


def pytorch_fid_inputs(batch):
    """Bytes [N, H, W, C] as numbers from 0 to 1, [N, 3, H, W]; pytorch-fid opens grey images in colour."""
    return (batch / 255).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)


def replace_published_weights(folder):
    """Makes pytorch-fid load our weights instead of downloading the published ones."""
    inception.load_state_dict_from_url = lambda url, progress: torch.load(folder / "weights.pth", weights_only=True)


@torch.no_grad()
def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    batches = {
        "grey": random_images(3, 28, 28, 1), "small": random_images(5, 32, 32, 3),
        "whole": random_images(2, 299, 299, 3), "large": random_images(2, 350, 512, 3),
    }
    resized = [torch.nn.functional.interpolate(pytorch_fid_inputs(batch), (299, 299), mode="bilinear")
               for batch in batches.values()]
    state = random_state(2 * torch.cat(resized) - 1)
    torch.save(state, folder / "weights.pth")
    # The format of the published file.
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    numbers = {name: tensor.numpy() for name, tensor in state.items() if tensor.is_floating_point()}
    save_file(numbers, folder / "weights.safetensors")
    replace_published_weights(folder)
    module = inception.InceptionV3().eval()
    classifier = inception.fid_inception_v3().fc

    images, results = {}, {}
    for name, batch in batches.items():
        images[name] = (batch / 255).numpy()
        check_scales(module, pytorch_fid_inputs(batch))
        features = module(pytorch_fid_inputs(batch))[0].flatten(1)
        results[f"{name}.features"] = features.numpy()
        results[f"{name}.logits"] = classifier(features).numpy()
        results[f"{name}.logits_unbiased"] = (features @ classifier.weight.T).numpy()
    save_file(images, folder / "images.safetensors")
    save_file(results, folder / "theirs.safetensors")


def compare(folder):
    theirs, ours = load_file(folder / "theirs.safetensors"), load_file(folder / "ours.safetensors")
    if theirs.keys() != ours.keys():
        sys.exit(f"{sorted(ours)} are not {sorted(theirs)}")
    failed = False
    for name, expected in sorted(theirs.items()):
        if ours[name].shape != expected.shape:
            sys.exit(f"{name} has the shape {ours[name].shape}, not {expected.shape}")
        scale = np.abs(expected).max()
        error = np.abs(ours[name].astype(np.float64) - expected).max() / scale
        # The features of different images must differ, or the comparison would show nothing.
        spread = expected.std(axis=0).max() / scale
        print(f"{name}: max |a - b| / max |b| = {error:.1e}, max |b| = {scale:.3g}, spread {spread:.2g}")
        failed |= not (error <= TOLERANCE and spread > 10 * TOLERANCE)
    sys.exit(failed)


# Relative to the distance. Features agree to 3e-5, and the distance is a sum of squares of their differences.
DISTANCE_TOLERANCE = 1e-3
IMAGES = {"a": (10, 0.0), "b": (12, 0.2)}


def paint(folder):
    torch.manual_seed(1)
    for name, (count, brightness) in IMAGES.items():
        (folder / name).mkdir()
        images = (random_images(count, 32, 32, 3) / 255 + brightness).clamp(0, 1)
        for number, image in enumerate((255 * images).round().byte().numpy()):
            Image.fromarray(image).save(folder / name / f"{number:03}.png")


def distance(folder):
    replace_published_weights(folder)
    ours = json.loads((folder / "ours.json").read_text())
    options = {"batch_size": 10, "device": "cpu", "dims": 2048, "num_workers": 0}
    theirs = fid_score.calculate_fid_given_paths([str(folder / "a"), str(folder / "b")], **options)
    from_files = fid_score.calculate_fid_given_paths([str(folder / "a.npz"), str(folder / "b.npz")], **options)
    print(f"distance: theirs {theirs:.6f}, of our statistics {from_files:.6f}, ours {ours['fid']:.6f}")
    if (ours["features"], ours["count_a"], ours["count_b"]) != ("inception", IMAGES["a"][0], IMAGES["b"][0]):
        sys.exit(f"{ours} is not about these images")
    if not all(abs(other - ours["fid"]) <= DISTANCE_TOLERANCE * ours["fid"] for other in (theirs, from_files)):
        sys.exit("the distances differ")


if __name__ == "__main__":
    {"make": make, "compare": compare, "paint": paint, "distance": distance}[sys.argv[1]](Path(sys.argv[2]))
