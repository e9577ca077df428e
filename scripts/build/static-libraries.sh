#!/usr/bin/env bash
# Makes a folder in which the linker finds static archives of zlib, libpng, libjpeg, libyaml and OpenBLAS, as far as
# they are installed, so that the program needs none of these libraries where it runs. Prints the options of
# `swift build` that it takes, one a line:
#
#   printed=$(scripts/build/static-libraries.sh .build/static-libraries)
#   mapfile -t options <<<"$printed"
#   PKG_CONFIG_PATH=$PWD/.build/static-libraries/pkgconfig:${PKG_CONFIG_PATH:-} \
#     swift build -c release --static-swift-stdlib --product ddpm-mpi "${options[@]}"
#
# What has no archive is linked as before; standard error says so.
set -euo pipefail

if (($# != 1)); then
  echo "usage: scripts/build/static-libraries.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
rm -rf "${folder:?}"/*.a "$folder/pkgconfig"
mkdir "$folder/pkgconfig"

compiler=(cc)
if found=$("$(dirname "$0")/../shared/find-compiler.sh" 2>/dev/null); then mapfile -t compiler <<<"$found"; fi

# archive_of MODULE NAME: prints the path of libNAME.a, which is beside the library that pkg-config knows or in the
# compiler's folders.
archive_of() {
  local place
  place=$(pkg-config --variable=libdir "$1" 2>/dev/null || true)
  if [[ -n $place && -e $place/lib$2.a ]]; then
    realpath "$place/lib$2.a"
    return
  fi
  place=$("${compiler[@]}" -print-file-name="lib$2.a" 2>/dev/null || true)
  [[ $place != /* ]] || realpath "$place"
}

# describe MODULE NAME: a file for pkg-config that differs from the installed one in the folder only.
describe() {
  {
    echo "Name: $1"
    echo "Description: the static archive of $1"
    echo "Version: $(pkg-config --modversion "$1" 2>/dev/null || echo 0)"
    echo "Cflags: $(pkg-config --cflags "$1" 2>/dev/null || true)"
    echo "Libs: -L\"$folder\" -l$2"
  } >"$folder/pkgconfig/$1.pc"
}

for pair in zlib:z libpng:png16 libjpeg:jpeg yaml-0.1:yaml; do
  module=${pair%%:*} name=${pair##*:}
  archive=$(archive_of "$module" "$name")
  if [[ -n $archive ]]; then
    ln -s "$archive" "$folder/lib$name.a"
    describe "$module" "$name"
  else
    echo "There is no lib$name.a here; the program will need lib$name.so." >&2
  fi
done

# The linker looks into folders in the order in which the modules name them. Those that stay shared may name the system's
# folder, where the libraries above are shared too: this one comes first.
mpi=${DDPM_MPI:-}
for module in libzip ompi-c mpich mpi-abi hdf5-openmpi hdf5-mpich hdf5-serial hdf5 ${mpi//,/ }; do
  original=$(pkg-config --variable=pcfiledir "$module" 2>/dev/null || true)
  if [[ -e $original/$module.pc ]]; then
    sed "s|^Libs:|& -L\"$folder\"|; s|\${pcfiledir}|$original|g" "$original/$module.pc" >"$folder/pkgconfig/$module.pc"
  fi
done

# OpenBLAS is partly in Fortran. The archive is a text for the linker, which names all that it takes.
archives=()
for pair in openblas:openblas openblas:gfortran openblas:quadmath; do
  archive=$(archive_of "${pair%%:*}" "${pair##*:}")
  # Not every processor has quadmath.
  if [[ -n $archive ]]; then archives+=("$archive"); elif [[ $pair != *:quadmath ]]; then archives=("") && break; fi
done
if [[ -n ${archives[0]:-} ]]; then
  echo "GROUP ( ${archives[*]} )" >"$folder/libopenblas.a"
  describe openblas openblas
  # OpenBLAS has its routines for two dozen kinds of processors, a mebibyte each. If the program asks for AVX2 anyway,
  # all older ones are the same as Haswell; and those that differ in no routine that we call are taken together. Swift's
  # own compiler knows every name that DDPM_MARCH may be.
  clang=$(dirname "$(realpath "$(command -v swift || echo swift)")")/clang
  macros=$("$clang" "-march=${DDPM_MARCH:-native}" -dM -E -x c /dev/null 2>/dev/null || true)
  tables=$(nm "${archives[0]}" 2>/dev/null | sed -n 's/^[0-9a-f]* [A-Z] gotoblas_\([A-Z0-9_]*\)$/\1/p' | sort -u)
  if [[ $tables == *HASWELL* && $tables == *SKYLAKEX* && $macros == *__AVX2__* ]]; then
    for kind in $tables; do
      case $kind in
        HASWELL | SKYLAKEX | SAPPHIRERAPIDS) continue ;;
        COOPERLAKE) instead=SKYLAKEX ;;
        *) instead=HASWELL ;;
      esac
      printf '%s\n' -Xlinker "--defsym=gotoblas_$kind=gotoblas_$instead"
    done
  fi
else
  echo "There is no libopenblas.a or libgfortran.a here; the program will need libopenblas.so." >&2
fi

# Nothing looks up the program's functions by their names. Without names, those that nothing calls are left out.
# Functions with the same instructions are kept once.
# Only gold folds identical code. Swift takes it where it is installed, and another linker refuses the option.
if command -v ld.gold >/dev/null; then printf '%s\n' -Xlinker --icf=safe; fi
printf '%s\n' -Xlinker --no-export-dynamic --disable-build-manifest-caching
