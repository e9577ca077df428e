#!/usr/bin/env bash
# Builds .build/release/ddpm-mpi, with Swift's own libraries inside it.
#
# DDPM_MARCH names the processor to build for, when it is not this machine's (x86-64-v3, znver4, ...); another value
# than last time rebuilds what depends on it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v swift >/dev/null; then
  echo "There is no Swift compiler here. Please install Swift 6.2 or newer: https://www.swift.org/install/linux" >&2
  exit 1
fi

swift build -c release --static-swift-stdlib --product ddpm-mpi

program=.build/release/ddpm-mpi
libraries=$(ldd "$program" | awk '$1 ~ /^lib(mpi|hdf5|png|jpeg|zip|openblas)/ { printf " %s", $1 }')
echo
echo "Built $program ($(du -Lh "$program" | cut -f1)) for the processor ${DDPM_MARCH:-of this machine (native)}."
echo "A cluster's nodes need this one file, in a folder that all of them see or copied to each, and the libraries"
echo "it was linked with:${libraries:- none beyond the C library}."
echo "Nodes with other processors than this machine's need a build of their own, see DDPM_MARCH in scripts/build.sh."
