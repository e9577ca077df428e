#!/usr/bin/env bash
# The recipe of images (cluster/image.sh) in two fresh Debians, without a container's runtime: builds the program in one,
# installs it in the other, and trains there, also by this machine's mpirun if it has charliecloud's ch-run. Takes root's
# rights, debootstrap, a network, 8 GB of disk and a quarter of an hour, so scripts/test.sh runs it by its name only. Each
# case prints one line.
#
#   MIRROR=http://deb.debian.org/debian    where debootstrap gets Debian 12 from
#   IMAGE=                                 an empty folder in which the image is left
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in debootstrap chroot swift; do
  command -v "$tool" >/dev/null || { echo "There is no $tool; scripts/test/image.sh needs it." >&2; exit 1; }
done
if ((EUID != 0)); then
  echo "scripts/test/image.sh needs root privileges, for debootstrap and chroot." >&2
  exit 1
fi
source scripts/shared/cases.sh
mirror=${MIRROR:-http://deb.debian.org/debian}
build=$folder/build
image=${IMAGE:-$folder/image}

# Both recipes copy the same files and run the same steps.
sed -n 's/^COPY \([^- ][^ ]*\) .*/\1/p' cluster/Containerfile | sort >"$folder/copied"
sed -n '/^%files$/,/^%post/s/^  \([^ ]*\) .*/\1/p' cluster/ddpm-mpi.def | sort >"$folder/copied.def"
check "both recipes copy the same files" diff "$folder/copied" "$folder/copied.def"
for step in 'source/cluster/image.sh build' 'opt/ddpm-mpi/share/ddpm-mpi/image.sh run'; do
  check "both recipes run $step" grep -q "/$step\$" cluster/Containerfile cluster/ddpm-mpi.def
done
check "both recipes are for the same Debian and Swift" diff \
  <(sed -n 's/^FROM \([^ ]*\).*/\1/p' cluster/Containerfile) <(sed -n 's/^From: //p' cluster/ddpm-mpi.def)
((failed == 0)) || finish

# debian FOLDER: a fresh Debian 12, which reaches the network as this machine does.
debian() {
  mkdir -p "$1"
  debootstrap --variant=minbase bookworm "$1" "$mirror" >"$folder/debootstrap.log" 2>&1 ||
    { tail -n 5 "$folder/debootstrap.log"; return 1; }
  cp -L /etc/resolv.conf "$1/etc/resolv.conf"
  cp -r /etc/apt/apt.conf.d/. "$1/etc/apt/apt.conf.d/"
  mount -t proc proc "$1/proc"
}
leave() {
  umount --lazy "$build/proc" "$image/proc" 2>/dev/null || true
  rm -rf --one-file-system "$folder"
}
trap leave EXIT

debian "$build"
swift=$(dirname "$(dirname "$(realpath "$(command -v swift)")")")
mkdir -p "$build/opt/swift"
cp -r "$swift" "$build/opt/swift/usr"
# What Swift's package manager has fetched for this user.
for name in .gitconfig .swiftpm .cache/org.swift.swiftpm; do
  if [[ -e ~/$name ]]; then install -d "$build/root/$(dirname "$name")" && cp -r ~/"$name" "$build/root/$name"; fi
done
mkdir "$build/source"
xargs cp -r --target-directory="$build/source" <"$folder/copied"

# Within a Debian, nothing of this shell's environment. (`run` takes no functions.)
environment=(env -i HOME=/root LANG=C.UTF-8
  PATH=/opt/swift/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
within_build=(chroot "$build" "${environment[@]}")
within_image=(chroot "$image" "${environment[@]}")
# Longer than the cases' limit.
start=$SECONDS
status=0
"${within_build[@]}" /source/cluster/image.sh build >"$log" 2>&1 || status=$?
check "the program is built ($((SECONDS - start)) s)" test "$status" = 0
((failed == 0)) || { tail -n 40 "$log"; finish; }
check "Open MPI's package is needed" grep -qx libopenmpi3 "$build/opt/ddpm-mpi/share/ddpm-mpi/packages"

debian "$image"
cp -r "$build/opt/ddpm-mpi" "$image/opt/ddpm-mpi"
run 0 '^[0-9]+[.][0-9]+' "${within_image[@]}" /opt/ddpm-mpi/share/ddpm-mpi/image.sh run
run 0 'fashion-mnist: 60,000 images' "${within_image[@]}" ddpm-mpi doctor

train=(ddpm-mpi train --preset shapes --set training.steps=20 --set training.batch=8 --set training.micro_batch=2
  --set training.sample_every=none --set 'model.multipliers=[1, 1]')
run 0 'Done: 20 steps' "${within_image[@]}" "${train[@]}" --output /root/one
run 0 'Done: 20 steps' "${within_image[@]}" mpirun -n 2 --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 \
  "${train[@]}" --output /root/two
last=checkpoints/step-00000020.h5
check "... with the same bits" h5diff "$image/root/one/$last" "$image/root/two/$last"

# The host's mpirun, the program in the image. ch-run wants a folder that nothing is mounted in.
umount "$image/proc"
if command -v ch-run >/dev/null; then
  mkdir "$folder/runs"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 USER=${USER:-root}
  run 0 'Done: 20 steps' mpirun -n 2 --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 \
    ch-run --bind "$folder/runs:/mnt" "$image" -- "${train[@]}" --output /mnt/host
  check "... with the same bits" h5diff "$image/root/one/$last" "$folder/runs/host/$last"
else
  echo "not run, since there is no ch-run (Debian's package charliecloud-runtime): the host's mpirun"
fi
finish
