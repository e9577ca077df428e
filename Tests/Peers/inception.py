"""Inception-v3 for FID: pytorch-fid's own module with random weights, beside ours.

    inception.py make FOLDER       writes weights.pth, the same weights in two more formats, images.safetensors and
                                   theirs.safetensors
    inception.py compare FOLDER    compares ours.safetensors with theirs.safetensors
    inception.py paint FOLDER      writes two folders of images, a and b
    inception.py distance FOLDER   the distance of a and b as pytorch-fid tells it, and of a.npz and b.npz, which the
                                   program has written, beside ours.json, what the program said

The published weights may not be copied here. Random ones make every layer work as long as its numbers are of order one:
so batch normalisation gets the statistics of random images, which are then moved at random.
"""
import json
import pathlib
import sys

import numpy
import PIL.Image
import torch
import torchvision
from pytorch_fid import fid_score, inception
from safetensors.numpy import load_file, save_file

# Of the largest number: |a − b| ≤ TOLERANCE · max |b|.
TOLERANCE = 1e-3


def random_state(images):
    """Weights for pytorch-fid's module, whose parameters are those of torchvision's."""
    module = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    for layer in module.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.bias)
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.7, 1.3)
            torch.nn.init.normal_(layer.bias, std=0.3)
            # The statistics become those of the only batch.
            layer.momentum = 1
    module.train()
    module(images)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean += 0.1 * layer.running_var.sqrt() * torch.randn_like(layer.running_mean)
            layer.running_var *= torch.empty_like(layer.running_var).uniform_(0.8, 1.25)
    return module.state_dict()


def check_scales(module, images):
    """Every layer's numbers are of order one, so that no layer's errors vanish beside others'."""
    deviations = {}

    def note(name):
        return lambda layer, inputs, output: deviations.update({name: output.std().item()})

    hooks = [layer.register_forward_hook(note(name)) for name, layer in module.named_modules()
             if isinstance(layer, torch.nn.BatchNorm2d)]
    module(images)
    for hook in hooks:
        hook.remove()
    print(f"deviations of {len(deviations)} layers: from {min(deviations.values()):.2g} to {max(deviations.values()):.2g}")
    if not (min(deviations.values()) > 0.1 and max(deviations.values()) < 10):
        sys.exit("numbers are not of order one in every layer")


def random_images(count, height, width, channels):
    """Bytes that vary from pixel to pixel and over the image, as a photograph's, [N, H, W, C]."""
    coarse = torch.rand(count, channels, 4, 4)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    images = (smooth + 0.15 * torch.randn_like(smooth)).clamp(0, 1)
    return (255 * images).round().byte().permute(0, 2, 3, 1).contiguous()


def as_pytorch_fid_gets_them(batch):
    """Bytes [N, H, W, C] as numbers from 0 to 1, [N, 3, H, W]: grey images are opened as coloured ones."""
    return (batch / 255).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)


def take_weights_from(folder):
    inception.load_state_dict_from_url = lambda url, progress: torch.load(folder / "weights.pth", weights_only=True)


@torch.no_grad()
def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    batches = {
        "grey": random_images(3, 28, 28, 1), "small": random_images(5, 32, 32, 3),
        "whole": random_images(2, 299, 299, 3), "large": random_images(2, 350, 512, 3),
    }
    resized = [torch.nn.functional.interpolate(as_pytorch_fid_gets_them(batch), (299, 299), mode="bilinear")
               for batch in batches.values()]
    state = random_state(2 * torch.cat(resized) - 1)
    torch.save(state, folder / "weights.pth")
    # As the published file is stored.
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    numbers = {name: tensor.numpy() for name, tensor in state.items() if tensor.is_floating_point()}
    save_file(numbers, folder / "weights.safetensors")
    take_weights_from(folder)
    module = inception.InceptionV3().eval()
    classifier = inception.fid_inception_v3().fc

    images, results = {}, {}
    for name, batch in batches.items():
        images[name] = (batch / 255).numpy()
        check_scales(module, as_pytorch_fid_gets_them(batch))
        features = module(as_pytorch_fid_gets_them(batch))[0].flatten(1)
        results[f"{name}.features"] = features.numpy()
        results[f"{name}.logits"] = classifier(features).numpy()
        results[f"{name}.logits_unbiased"] = (features @ classifier.weight.T).numpy()
    save_file(images, folder / "images.safetensors")
    save_file(results, folder / "theirs.safetensors")


def compare(folder):
    theirs, ours = load_file(folder / "theirs.safetensors"), load_file(folder / "ours.safetensors")
    if theirs.keys() != ours.keys():
        sys.exit(f"{sorted(ours)} are not {sorted(theirs)}")
    fails = False
    for name, expected in sorted(theirs.items()):
        if ours[name].shape != expected.shape:
            sys.exit(f"{name} has the shape {ours[name].shape}, not {expected.shape}")
        scale = numpy.abs(expected).max()
        error = numpy.abs(ours[name].astype(numpy.float64) - expected).max() / scale
        # Images must differ, or their features would say nothing.
        spread = expected.std(axis=0).max() / scale
        print(f"{name}: max |a - b| / max |b| = {error:.1e}, max |b| = {scale:.3g}, spread {spread:.2g}")
        fails |= not (error <= TOLERANCE and spread > 10 * TOLERANCE)
    sys.exit(fails)


# Of the distance itself. Features agree to 3e-5, and the distance is a sum of their squares.
DISTANCE_TOLERANCE = 1e-3
IMAGES = {"a": (24, 0.0), "b": (30, 0.2)}


def paint(folder):
    torch.manual_seed(1)
    for name, (count, brightness) in IMAGES.items():
        (folder / name).mkdir()
        images = (random_images(count, 32, 32, 3) / 255 + brightness).clamp(0, 1)
        for number, image in enumerate((255 * images).round().byte().numpy()):
            PIL.Image.fromarray(image).save(folder / name / f"{number:03}.png")


def distance(folder):
    take_weights_from(folder)
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
    {"make": make, "compare": compare, "paint": paint, "distance": distance}[sys.argv[1]](pathlib.Path(sys.argv[2]))
