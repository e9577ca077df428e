#!/usr/bin/env bash
# Installs the packages that ddpm-mpi is built with and runs with, those that are missing, with apt-get or dnf:
#
#   scripts/install-dependencies.sh [PACKAGE]...      and further packages, such as hdf5-tools
#   scripts/install-dependencies.sh --list [SYSTEM]   only prints the packages of this system, or of another:
#                                                     debian-12, debian-13, ubuntu-22.04, ubuntu-24.04, rocky-9
#   DDPM_MPI=mpich       MPICH and its HDF5 instead of Open MPI's; abi: HDF5 without MPI; names of pkg-config modules:
#                        neither MPI nor HDF5
#   DEPENDENCIES=no      installs nothing
#
# With DEPENDENCIES=no, and on any other system, it only checks whether the build finds what it needs, wherever that
# comes from: modules, Spack, Conda, or packages installed by hand.
set -euo pipefail
cd "$(dirname "$0")/.."

# What /etc/os-release says this is: debian-12, ubuntu-24.04, rocky-9, or anything else.
this_system() {
  # shellcheck source=/dev/null
  (source "${OS_RELEASE:-/etc/os-release}" 2>/dev/null || true
    case ${ID:-} in
      rocky | almalinux) echo "rocky-${VERSION_ID%%.*}" ;;
      *) echo "${ID:-unknown}-${VERSION_ID:-unknown}" ;;
    esac)
}

list=no
if [[ ${1:-} == --list ]]; then
  list=yes
  shift
  (($# <= 1)) || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
  system=${1:-$(this_system)}
  shift $#
elif [[ ${1:-} == -* ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
else
  system=$(this_system)
fi

# Whose MPI: without DDPM_MPI, MPICH only where it is installed alone.
mpi=${DDPM_MPI:-openmpi}
knows() { pkg-config --exists "$1" 2>/dev/null; }
if [[ -z ${DDPM_MPI:-} && $list == no ]] && ! knows ompi-c && knows mpich; then mpi=mpich; fi

# The C++ library of GCC VERSION, which Swift's own libraries are linked with. Swift takes the newest GCC that is there,
# so it has to be that one's.
cxx_library() {
  local newest
  newest=$(printf '%s\n' /usr/lib/gcc/*-linux-gnu/*/crtbeginS.o | sort --version-sort | tail -1)
  newest=$(basename "$(dirname "$newest")")
  if [[ $list == yes || ! $newest =~ ^[0-9]+$ ]]; then newest=$1; fi
  echo "libstdc++-$newest-dev"
}

# Debian's names, which Ubuntu shares.
debian_packages() {
  case $mpi in
    openmpi) echo libopenmpi-dev openmpi-bin libhdf5-openmpi-dev ;; # ranks; checkpoints, written by all ranks together
    mpich) echo libmpich-dev mpich libhdf5-mpich-dev ;;
    abi) echo libhdf5-dev ;;
  esac
  echo libpng-dev             # sample grids, images to train on
  echo libjpeg-dev            # images to train on
  echo zlib1g-dev             # compressed data sets
  echo libzip-dev             # statistics of features in NumPy's archives
  echo libyaml-dev            # configuration files
  echo libopenblas-serial-dev # eigenvalues, for Fréchet distances
  echo pkg-config             # tells the build where these are
  # What Swift itself runs with, fetches packages with, and links with.
  echo libncurses6 libsqlite3-0 libxml2 git ca-certificates libc6-dev
  echo dataset-fashion-mnist # what the quickstart learns to draw
}

# Names of Rocky Linux and AlmaLinux. HDF5 is in EPEL; the headers of OpenBLAS, libyaml and libzip are in CRB.
rocky_packages() {
  case $mpi in
    openmpi) echo openmpi-devel hdf5-openmpi-devel ;;
    mpich) echo mpich-devel hdf5-mpich-devel ;;
    abi) echo hdf5-devel ;;
  esac
  echo libpng-devel libjpeg-turbo-devel zlib-devel libzip-devel libyaml-devel openblas-devel pkgconf-pkg-config
  echo ncurses-libs sqlite-libs libxml2 libuuid git gcc-c++
}

# Prints the packages of $system, one a line. Fails if it is none of those above.
packages() {
  case $system in
    debian-12) debian_packages && echo libcurl4 && cxx_library 12 ;;
    debian-13) debian_packages && echo libcurl4t64 && cxx_library 14 ;;
    ubuntu-22.04) debian_packages && echo libcurl4 && cxx_library 11 ;;
    ubuntu-24.04) debian_packages && echo libcurl4t64 && cxx_library 13 ;;
    rocky-9) rocky_packages ;;
    *) return 1 ;;
  esac | tr ' ' '\n'
}

if [[ $list == yes ]]; then
  packages && exit 0
  echo "No packages are known for $system, only for debian-12, debian-13, ubuntu-22.04, ubuntu-24.04 and rocky-9." >&2
  exit 1
fi

if [[ ${DEPENDENCIES:-yes} == no ]] || ! needed=$(packages); then
  [[ ${DEPENDENCIES:-yes} == no ]] || echo "Packages are not known by name for $system; looking for what is there."
  if (($# > 0)); then echo "Not installed, since nothing is installed here: $*"; fi
  exec scripts/build.sh --check
fi
mapfile -t needed < <(printf '%s\n' "$needed" "$@")

case $system in
  rocky-*)
    installer=(dnf install --assumeyes)
    is_installed() { rpm --quiet --query "$1"; }
    ;;
  *)
    installer=(env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends)
    is_installed() {
      # A word for each architecture that has it.
      [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true) == installed* ]]
    }
    ;;
esac

missing=()
for package in "${needed[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "All packages are there: ${needed[*]}"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "Packages are missing, and installing them takes root privileges: ${missing[*]}" >&2
    echo "Please have them installed. If the same libraries are elsewhere, as modules for example, load these, and" \
      "set DEPENDENCIES=no." >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing ${missing[*]}"
case $system in
  rocky-*)
    "${as_root[@]}" dnf install --assumeyes epel-release dnf-plugins-core
    "${as_root[@]}" dnf config-manager --set-enabled crb
    ;;
  *) "${as_root[@]}" apt-get update --quiet ;;
esac
"${as_root[@]}" "${installer[@]}" "${missing[@]}"
if [[ $system == rocky-* && $mpi =~ ^(openmpi|mpich)$ ]] && ! command -v mpirun >/dev/null; then
  echo "mpirun is found after: module load mpi/$mpi-$(uname -m)"
fi
