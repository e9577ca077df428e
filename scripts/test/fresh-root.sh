#!/usr/bin/env bash
# README's two commands in fresh installations of Debian and Ubuntu, one after the other: a minimal system in a folder of
# its own, with Swift and this working tree. It takes up to half an hour each. Checkpoints must be the same in all of
# them.
#
#   scripts/test/fresh-root.sh [SUITE]...    bookworm and trixie by default; jammy and noble are Ubuntu 22.04 and 24.04
#   FOLDER=...         where the systems are made, 3 GB each, and kept; without it they are removed at the end
#   MIRROR=...         a mirror of the distribution; otherwise debootstrap's own choice, or Ubuntu's
#   SWIFT=...          the folder of Swift's toolchain, with usr/bin in it; otherwise that of the swift found here
#   PACKAGES=...       a folder with the Swift packages' repositories, OWNER/NAME.git, if github.com cannot be reached
#   DEBOOTSTRAP=...    more options of debootstrap
#   STEPS=20           how long it trains
#
# Needs root privileges and debootstrap. scripts/test.sh runs it by its name only.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ ${1:-} == -* ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then
  echo "This needs root privileges and debootstrap." >&2
  exit 1
fi
source scripts/shared/cases.sh

systems=${FOLDER:-$folder/systems}
steps=${STEPS:-20}
swift=$(realpath "${SWIFT:-$(dirname "$(realpath "$(command -v swift)")")/../..}")
if [[ ! -x $swift/usr/bin/swift ]]; then
  echo "There is no usr/bin/swift in $swift; name another folder in SWIFT." >&2
  exit 1
fi
read -ra options <<<"${DEBOOTSTRAP:-}"
# The first block of README's commands.
# shellcheck disable=SC2016 # no expansions but marks of a block
mapfile -t commands < <(sed -n '/^```sh/,/^```$/p; /^```$/q' README.md | grep -v '^```')

# make_system SUITE: a minimal system in $root, with the sources as they are here.
make_system() {
  if [[ ! -e $root/root/ddpm-mpi ]]; then
    mkdir -p "$root"
    local mirror=${MIRROR:-} script= components=main
    case $1 in
      jammy | noble)
        mirror=${mirror:-http://archive.ubuntu.com/ubuntu}
        components=main,universe
        # The script for all of Ubuntu's releases. Debian's debootstrap may be older than a release.
        script=/usr/share/debootstrap/scripts/gutsy
        ;;
    esac
    # In a mount namespace, as everything that mounts something, so that nothing stays mounted.
    unshare --mount debootstrap --variant=minbase --components="$components" "${options[@]}" "$1" "$root" \
      ${mirror:+"$mirror"} ${script:+"$script"} || return
  fi
  mkdir -p "$root/root/ddpm-mpi" "$root/opt/swift" "$root/packages"
  # A system that was kept has the sources of another day; what was built of them saves time.
  find "$root/root/ddpm-mpi" -mindepth 1 -maxdepth 1 ! -name .build -exec rm -rf {} + || return
  git ls-files --cached --others --exclude-standard -z |
    tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory="$root/root/ddpm-mpi" || return
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  if [[ -n ${PACKAGES:-} ]]; then
    printf '[url "/packages/"]\n\tinsteadOf = https://github.com/\n[safe]\n\tdirectory = *\n' >"$root/etc/gitconfig"
  fi
}

# inside COMMAND: runs a command of bash in $root, in the folder of the sources.
inside() {
  # shellcheck disable=SC2016 # expanded by the inner bash
  root=$root swift=$swift packages=${PACKAGES:-} command=$1 unshare --mount bash -euc '
    mount --bind "$swift" "$root/opt/swift"
    if [[ -n $packages ]]; then mount --bind "$packages" "$root/packages"; fi
    for name in proc sys dev; do mount --rbind "/$name" "$root/$name"; done
    exec chroot "$root" env -i HOME=/root USER=root LANG=C.UTF-8 \
      PATH=/opt/swift/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
      bash -c "cd /root/ddpm-mpi && $command"'
}

# A site's MPI, in a folder that the loader does not know: the program must load what it is linked with.
# shellcheck disable=SC2016 # expanded inside
build_for_site='
  site=/opt/site/lib
  mkdir -p "$site/pkgconfig"
  cp "$(realpath "$(pkg-config --variable=libdir ompi-c)/libmpi.so")" "$site/libmpi.so.40"
  ln -sf libmpi.so.40 "$site/libmpi.so"
  sed "s|^libdir=.*|libdir=$site|; s|^Libs:|Libs: -L$site|" "$(pkg-config --variable=pcfiledir ompi-c)/ompi-c.pc" \
    >"$site/pkgconfig/ompi-c.pc"
  PKG_CONFIG_PATH=$site/pkgconfig scripts/build.sh
  ldd .build/release/ddpm-mpi | grep " => $site/libmpi"'

suites=("$@")
if ((${#suites[@]} == 0)); then suites=(bookworm trixie); fi
checkpoint=root/ddpm-mpi/runs/quickstart/checkpoints/step-$(printf '%08d' "$steps").h5
for suite in "${suites[@]}"; do
  root=$systems/$suite
  check "$suite: a fresh system" make_system "$suite" || true
  rm -rf "$root/root/ddpm-mpi/runs"
  check "$suite: ${commands[0]}" inside "${commands[0]} --set training.steps=$steps --set training.sample_every=$steps"
  tail -5 "$folder/check"
  check "$suite: ${commands[1]}" inside "${commands[1]}"
  check "... draws a picture" test -s "$root/root/ddpm-mpi/samples.png"
  check "... without Swift's libraries" inside '! ldd .build/release/ddpm-mpi | grep swift'
  check "... and nothing is left to install" inside 'scripts/install-dependencies.sh | grep "All packages are there"'
  if command -v h5diff >/dev/null; then
    check "... the checkpoint is that of ${suites[0]}" h5diff "$systems/${suites[0]}/$checkpoint" "$root/$checkpoint"
  else
    check "... there is a checkpoint" test -s "$root/$checkpoint"
    echo "not compared, since there is no h5diff"
  fi
  check "$suite: a site's MPI is built with, and loaded" inside "set -e; $build_for_site"
  # shellcheck disable=SC2016 # expanded inside
  inside 'program=.build/release/ddpm-mpi && . /etc/os-release &&
    echo "$PRETTY_NAME: $(du -Lh $program | cut -f1), $(ldd $program | grep -c "=>") libraries"' || true
done
finish
