#!/usr/bin/env bash
# What is looked for before the program is built, and what is said when it is not there. Nothing is built or installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

run 0 '/libmpi' scripts/build.sh --check
check "... and nothing is added to the loader's folders" test "$(grep -c 'will look for libraries' "$log")" = 0
run 2 '^  scripts/build.sh \[--check\]' scripts/build.sh --help
run 2 '^  DEPENDENCIES=no ' scripts/install-dependencies.sh --help

# What this system has no package of is looked for.
run 0 'Not installed, since nothing is installed here: no-such-package' env DEPENDENCIES=no \
  scripts/install-dependencies.sh no-such-package
check "... and the rest is there" grep -q 'Everything that the build needs is there' "$log"
printf 'ID=gentoo\nVERSION_ID=2.15\n' >"$folder/os-release"
run 0 'Packages are not known by name for gentoo-2.15' env OS_RELEASE="$folder/os-release" \
  scripts/install-dependencies.sh
check "... and all is there" grep -q 'Everything that the build needs is there' "$log"
run 1 'No packages are known for gentoo-2.15, only for debian-12' env OS_RELEASE="$folder/os-release" \
  scripts/install-dependencies.sh --list
printf 'ID="almalinux"\nVERSION_ID="9.5"\n' >"$folder/os-release"
run 0 '^hdf5-openmpi-devel$' env OS_RELEASE="$folder/os-release" scripts/install-dependencies.sh --list
run 0 '^libhdf5-mpich-dev$' env DDPM_MPI=mpich scripts/install-dependencies.sh --list debian-13
check "... without Open MPI" test "$(grep -c openmpi "$log")" = 0
run 0 '^libzip-dev$' env DDPM_MPI="impi hdf5" scripts/install-dependencies.sh --list ubuntu-24.04
check "... without any MPI" test "$(grep -cE 'mpi|hdf5' "$log")" = 0
if command -v apt-cache >/dev/null; then
  scripts/install-dependencies.sh --list >"$folder/packages"
  # shellcheck disable=SC2046 # a word for each package
  check "this system has all these packages" dpkg-query --status $(cat "$folder/packages")
fi

# All recipes bring what Package.swift asks for.
scripts/install-dependencies.sh --list debian-12 >"$folder/debian"
scripts/install-dependencies.sh --list rocky-9 >"$folder/rocky"
recipes=("$folder/debian" "$folder/rocky" cluster/spack/spack_repo/ddpm/packages/ddpm_mpi/package.py
  cluster/easybuild/ddpm-mpi-*.eb)
mapfile -t modules < <(sed -n 's/.*pkgConfig: "\(lib\)\?\([a-z]*\).*/\2/p' Package.swift)
for module in "${modules[@]}"; do
  for recipe in "${recipes[@]}"; do
    check "$(basename "$recipe") has $module" grep -qiE "(^|[^a-z]|lib)$module" "$recipe"
  done
done

# What is missing is named before anything is built.
run 1 'MPI cannot be used: .mpi.h. file not found' env PKG_CONFIG_LIBDIR="$folder" PKG_CONFIG_PATH= scripts/build.sh
check "... with HDF5" grep -q "^HDF5 cannot be used: 'hdf5.h' file not found" "$log"
check "... and what pkg-config does not know" grep -qE '^pkg-config does not know .*hdf5' "$log"

# tools NAME...: makes $folder/tools, which has everything of /usr/bin but these.
tools() {
  rm -rf "$folder/tools"
  mkdir "$folder/tools"
  ln -s /usr/bin/* "$folder/tools" 2>/dev/null || true
  local name
  for name; do rm -f "$folder/tools/$name"; done
}
tools swift swiftc
run 1 'There is no Swift compiler' env PATH="$folder/tools" scripts/build.sh
cat >"$folder/tools/swift" <<'SH'
#!/bin/sh
echo '    "compilerVersion": "Swift version 6.1.2 (swift-6.1.2-RELEASE)",'
SH
chmod +x "$folder/tools/swift"
cp "$folder/tools/swift" "$folder/tools/swiftc"
run 1 'This is Swift 6.1.2, and compilers before 6.2' env PATH="$folder/tools" scripts/build.sh
tools git pkg-config
run 1 'There is no git' env PATH="$(dirname "$(realpath "$(command -v swift)")"):$folder/tools" scripts/build.sh
check "... nor pkg-config" grep -q 'There is no pkg-config' "$log"

# With a second architecture, dpkg has two states of a package.
printf 'ID=debian\nVERSION_ID="12"\n' >"$folder/os-release"
tools dpkg-query apt-get sudo
printf '#!/bin/sh\nprintf installedinstalled\n' >"$folder/tools/dpkg-query"
chmod +x "$folder/tools/dpkg-query"
run 0 'All packages are there' env -u DEPENDENCIES PATH="$folder/tools" OS_RELEASE="$folder/os-release" \
  scripts/install-dependencies.sh

# A C compiler, which the packages need not bring: then Swift's own.
run 0 '^-O1$' env CC="bash -O1" scripts/shared/find-compiler.sh
run 1 'CC is none, and there is no none here' env CC=none scripts/shared/find-compiler.sh
tools cc gcc clang
run 1 'There is no C compiler here' env PATH="$folder/tools" scripts/shared/find-compiler.sh
ln -sf "$(realpath "$(command -v swift)")" "$folder/tools/swift"
run 0 '^/.*/clang$' env PATH="$folder/tools" scripts/shared/find-compiler.sh
# Without any, ranks that outnumber the cores start all the same.
tools cc gcc clang swift
mkdir "$folder/copy"
cp -r scripts "$folder/copy"
run 0 '^started$' env PATH="$folder/tools" SHARED=yes "$folder/copy/scripts/mpirun.sh" 1 echo started
check "... and nothing is said of a compiler" test "$(wc -l <"$log")" = 1

# The images of the quickstart, which not every system has a package of.
if unshare --mount true 2>/dev/null; then
  # shellcheck disable=SC2016 # expanded by the inner bash
  without_images=(unshare --mount bash -c 'mount -t tmpfs none /usr/share/datasets && exec "$@"' bash)
  run 1 'There is no Fashion-MNIST in /usr/share/datasets/fashion-mnist' "${without_images[@]}" \
    env DEPENDENCIES=no scripts/quickstart.sh --output "$folder/run"
  check "... and other images are proposed" grep -qF 'scripts/quickstart.sh --set data.name=shapes' "$log"
  # GCC's libraries, before Swift links Package.swift with them.
  # shellcheck disable=SC2016 # expanded by the inner bash
  without_gcc=(unshare --mount bash -c 'mount -t tmpfs none /usr/lib/gcc && exec "$@"' bash)
  run 1 "^Swift's compiler cannot link a C\+\+ program: .*scripts/install-dependencies.sh\.$" "${without_gcc[@]}" \
    env XDG_CACHE_HOME="$folder" scripts/build.sh --check
else
  echo "not run, since nothing can be mounted: the quickstart without its images, builds without GCC's libraries"
fi

# A site's MPI: the same library in a folder that the loader does not know. Swift's package manager drops the folder
# that its .pc file names for the loader.
site=$folder/site/lib
mkdir -p "$site/pkgconfig"
source scripts/shared/libraries.sh
look_for_swift
look_for_libraries "$folder"
mpi=$(printf '%s\n' "${linked_libraries[@]}" | grep '^libmpi')
read -r name file <<<"$mpi"
cp "$(realpath "$file")" "$site/$name"
ln -s "$name" "$site/$(basename "$file")"
module=ompi-c
pkg-config --exists "$module" || module=mpich
sed "s|^libdir=.*|libdir=$site|; s|^Libs:|Libs: -L$site -Wl,-rpath,$site|" \
  "$(pkg-config --variable=pcfiledir "$module")/$module.pc" >"$site/pkgconfig/$module.pc"
run 0 "The program will look for libraries in $site first" env PKG_CONFIG_PATH="$site/pkgconfig" \
  scripts/build.sh --check
check "... where it finds MPI" grep -q "^  $site/" "$log"
run 0 "The program will look for libraries in $site first" env PKG_CONFIG_PATH="$site/pkgconfig" \
  LD_LIBRARY_PATH="$site" scripts/build.sh --check

# judge FOLDERS: what is said of $program where LD_LIBRARY_PATH names these folders. Fails if it does not load what it
# was linked with.
# shellcheck disable=SC2329 # check calls it
judge() { (export LD_LIBRARY_PATH=$1 && look_at_program "$program" && end_with_problems) >"$log" 2>&1; }
misled() { ! judge "$site"; }
check "the program loads what it was linked with" judge "${LD_LIBRARY_PATH:-}"
check "... and not where LD_LIBRARY_PATH leads to another MPI" misled
check "... which is named" grep -qF "was linked with $file, but loads $site/$name" "$log"
finish
