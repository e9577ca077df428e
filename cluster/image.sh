#!/usr/bin/env bash
# The steps that make an image, run as root inside two Debians of one release. cluster/Containerfile and
# cluster/ddpm-mpi.def differ in how they get these and copy files, and then run the same two:
#   cluster/image.sh build    where Swift is: builds the program and installs it in /opt/ddpm-mpi
#   cluster/image.sh run      where /opt/ddpm-mpi has been copied to: installs the libraries that the program needs
# DDPM_MARCH names the processors that the image is for, as in scripts/install.sh; x86-64-v3 by default.
set -euo pipefail

prefix=/opt/ddpm-mpi
list=$prefix/share/ddpm-mpi/packages

# Prints the packages of the libraries that the installed program is linked with.
packages() {
  local file library
  find "$prefix" -type f -perm /111 -exec ldd {} ';' 2>/dev/null | awk '$2 == "=>" { print $1, $3 }' | sort -u |
    while read -r file library; do
      if [[ ! -e $library ]]; then
        echo "The program needs $file, which is not here." >&2
        return 1
      fi
      # Files that were in /lib before Debian merged it with /usr/lib still have their old names in the list of files.
      library=$(realpath "$library")
      if ! dpkg-query --search "$library" 2>/dev/null && ! dpkg-query --search "${library#/usr}" 2>/dev/null; then
        echo "The program needs $library, which no package has." >&2
        return 1
      fi
    done | cut -d : -f 1 | sort -u
}

export DEBIAN_FRONTEND=noninteractive
case ${1:-} in
  build)
    cd "$(dirname "$0")/.."
    apt-get update --quiet
    scripts/install-dependencies.sh
    DDPM_MARCH=${DDPM_MARCH:-x86-64-v3} scripts/install.sh "$prefix"
    install -D -m 755 cluster/image.sh "$prefix/share/ddpm-mpi/image.sh"
    packages >"$list"
    # Debian's mpirun, for ranks on one machine, and the data set of the default preset.
    printf '%s\n' openmpi-bin dataset-fashion-mnist >>"$list"
    ;;
  run)
    apt-get update --quiet
    xargs apt-get install --quiet --yes --no-install-recommends <"$list"
    rm -rf /var/lib/apt/lists/*
    ln -sf "$prefix/bin/ddpm-mpi" /usr/local/bin/ddpm-mpi
    ddpm-mpi --version
    ;;
  *)
    echo "Usage: cluster/image.sh build|run, in an image; see cluster/Containerfile and cluster/ddpm-mpi.def." >&2
    exit 2
    ;;
esac
