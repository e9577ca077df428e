#!/usr/bin/env bash
# Installs the libraries that ddpm-mpi is built with, those that are missing, with apt-get (Debian, Ubuntu).
# Arguments are further packages to install: scripts/install-dependencies.sh hdf5-tools
set -euo pipefail

packages=(
  libopenmpi-dev openmpi-bin # MPI
  libhdf5-openmpi-dev        # checkpoints, written by all ranks together
  libpng-dev                 # sample grids, images to train on
  libjpeg-dev                # images to train on
  zlib1g-dev                 # compressed data sets
  libzip-dev                 # statistics of features in NumPy's archives
  libopenblas-serial-dev     # eigenvalues, for Fréchet distances
  pkg-config                 # tells the build where these are
  dataset-fashion-mnist      # what the quickstart learns to draw
  "$@"
)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This is neither Debian nor Ubuntu. Please install what these packages hold there: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "All packages are there: ${packages[*]}"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "Packages are missing, and installing them takes root's rights. As root, please run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
