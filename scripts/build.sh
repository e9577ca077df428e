#!/usr/bin/env bash
# Builds .build/release/ddpm-mpi, with Swift's own libraries inside it. Checks first whether everything is there, and at
# the end whether the program loads the libraries that it was linked with.
#
#   scripts/build.sh [--check]   --check only looks
#   DDPM_MARCH=x86-64-v3         the processor to build for, if it is not this machine's (x86-64-v4, znver4, ...);
#                                another value than last time rebuilds what depends on it
#   DDPM_MPI=mpich               the MPI to build with: openmpi, mpich, abi (that of MPI 5's standard), or the names
#                                that pkg-config has for MPI and for HDF5, as in DDPM_MPI="impi hdf5"
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# > 1)) || [[ ${1:---check} != --check ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
source scripts/shared/libraries.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

look_for_swift
look_for_tools
end_with_problems
look_for_libraries "$scratch"
end_with_problems
if ((${#rpaths[@]} > 0)); then echo "The program will look for libraries in ${rpaths[*]} first."; fi
if (($# > 0)); then
  echo "Everything that the build needs is there:"
  printf '%s\n' "${linked_libraries[@]}" | awk '/^lib(mpi|hdf5)/ { print "  " $2 }'
  exit 0
fi

# Swift ignores the folders that pkg-config's files name for the loader.
loader_flags=()
for folder in "${rpaths[@]}"; do loader_flags+=(-Xlinker -rpath -Xlinker "$folder"); done

# Static archives, where the system has them, of libraries that are the same everywhere.
static=$PWD/.build/static-libraries
options=$(scripts/build/static-libraries.sh "$static")
mapfile -t static_flags <<<"$options"
PKG_CONFIG_PATH=$static/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} \
  swift build -c release --static-swift-stdlib --product ddpm-mpi "${loader_flags[@]}" "${static_flags[@]}"
scripts/build/separate-debugging.sh .build/release/ddpm-mpi

program=.build/release/ddpm-mpi
look_at_program "$program"
end_with_problems

echo
echo "Built $program ($(du -Lh "$program" | cut -f1)) for the processor ${DDPM_MARCH:-of this machine (native)}."
echo "A cluster's nodes need this one file, in a folder that all of them see or copied to each, and these libraries:"
ldd "$program" | awk '$1 ~ /^lib(mpi|hdf5)/ { print "  " $3 }'
packages=$(packages_of_libraries "$program")
if [[ -n $packages ]]; then echo "On a system like this one, these packages have them: $packages"; fi
echo "Nodes with other processors than this machine's need a build of their own, see DDPM_MARCH in scripts/build.sh."
