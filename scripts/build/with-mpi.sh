#!/usr/bin/env bash
# Links the programs in .build/release with another MPI library, in seconds: a single file is compiled for an MPI
# library, and HDF5 needs none.
#
#   scripts/build/with-mpi.sh MPI FOLDER [PROGRAM]...
#
#   MPI        the name that pkg-config has for the library: ompi-c, mpich, ...; one that ends in -abi is taken for the
#              standard ABI of MPI 5
#   FOLDER     where the programs are put
#   PROGRAM    ddpm-mpi by default; rank-checks too if the tests were built
set -euo pipefail
cd "$(dirname "$0")/../.."
if (($# < 2)); then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
mpi=$1
mkdir -p "$2"
folder=$(realpath "$2")
shift 2
(($# > 0)) || set -- ddpm-mpi

# HDF5 without MPI; or the one for the same MPI.
hdf5=
for module in hdf5-serial "hdf5-${mpi/ompi-c/openmpi}" hdf5; do
  if [[ -z $hdf5 ]] && pkg-config --exists "$module"; then hdf5=$module; fi
done
if [[ -z $hdf5 ]]; then
  echo "pkg-config knows no HDF5 for it. Please install one without MPI (Debian: libhdf5-dev)." >&2
  exit 1
fi
read -ra flags < <(pkg-config --cflags "$mpi")
read -ra libraries < <(pkg-config --libs-only-L --libs-only-l "$mpi")
read -ra hdf5_libraries < <(pkg-config --libs "$hdf5")
[[ $mpi != *-abi ]] || flags+=(-DMPI_ABI)
found=$(scripts/shared/find-compiler.sh)
mapfile -t compiler <<<"$found"

"${compiler[@]}" -O2 -fPIC -Wall -c "${flags[@]}" -ISources/CMessagePassing/include \
  Sources/CMessagePassing/message_passing.c -o "$folder/message_passing.o"
rpath=()
for option in "${libraries[@]}"; do [[ $option != -L* ]] || rpath+=(-Xlinker -rpath -Xlinker "${option#-L}"); done
for program; do
  python3 scripts/build/relink.py "$program" "$folder/$program" \
    --object "CMessagePassing.build/message_passing.c.o=$folder/message_passing.o" \
    --without='-lmpi.*' --without='-L.*/(openmpi|mpich|hdf5)/.*' -- \
    "${hdf5_libraries[@]}" "${libraries[@]}" "${rpath[@]}"
  loaded=$(ldd "$folder/$program" | awk '$1 ~ /^libmpi(ch|_abi)?[.]so/ { print $1 }' | sort -u | tr '\n' ' ')
  if [[ ${loaded% } == *" "* ]]; then
    rm "$folder/$program"
    echo "$program would load two MPI libraries, ${loaded% }: $hdf5 is built with another one than $mpi." \
      "Please install an HDF5 without MPI (Debian: libhdf5-dev)." >&2
    exit 1
  fi
done
