#!/usr/bin/env bash
# Compiles tensors, kernels and their tests for arm64 on an x86-64 machine, and runs the tests under emulation, which
# takes half an hour. Arguments are passed on to the tests: scripts/build/arm64.sh --filter MatrixProductTests
#
# Needs Debian 13 and root privileges, for instance in a root folder that `debootstrap trixie` has made; its Swift 6.0 is
# too old for the whole program. Tests of the presets' layers are left out, since they need most of the program, and tests
# of processes that end, which Swift 6.0 cannot run.
#
#   DDPM_MARCH=generic           the processor to compile for
#   FOLDER=.build/arm64          where everything is put
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") != trixie || $(uname -m) != x86_64 ]] || ((EUID != 0)); then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
mkdir -p "${FOLDER:-.build/arm64}"
folder=$(realpath "${FOLDER:-.build/arm64}")
sources=$PWD
root=$folder/root
processor=${DDPM_MARCH:-generic}

# The compiler of this machine's architecture, and the libraries of the other one, which are of the same version.
dpkg --add-architecture arm64
apt-get update --quiet
DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends \
  swiftlang git ca-certificates libstdc++-14-dev qemu-user
if [[ ! -e $root/done ]]; then
  mkdir -p "$root/usr/lib" "$folder/packages"
  ln -sfn usr/lib "$root/lib"
  (
    cd "$folder/packages"
    apt-get download linux-libc-dev {libc6,libc6-dev,libcrypt1,libcrypt-dev,libgcc-s1,libgcc-14-dev}:arm64 \
      {libstdc++6,libstdc++-14-dev,swiftlang,libswiftlang}:arm64
    for package in *.deb; do dpkg --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"; done
  )
  touch "$root/done"
fi

# A package of the modules that need neither MPI nor other libraries.
package=$folder/package
modules=(CBuildTarget CProcessor CMicroKernels Threads Tensors MicroKernels Kernels)
rm -rf "$package/Sources" "$package/Tests"
mkdir -p "$package/Sources" "$package/Tests"
for module in "${modules[@]}"; do cp -r "Sources/$module" "$package/Sources"; done
for target in CTileModel ReferenceKernels ThreadsTests TensorsTests MicroKernelsTests KernelsTests; do
  cp -r "Tests/$target" "$package/Tests"
done
grep -lE '\b(ConvolutionLayer|ConvolutionSample)\b' "$package"/Tests/KernelsTests/*.swift | xargs rm
grep -l processExitsWith "$package"/Tests/*/*.swift | while read -r file; do
  awk '/^  @Test/ { test = ""; inside = 1 }
    inside { test = test $0 "\n" }
    inside && /^  }$/ { inside = 0; if (test !~ /processExitsWith/) printf "%s", test; next }
    !inside' "$file" >"$folder/kept" && mv "$folder/kept" "$file"
done
cat >"$package/Package.swift" <<'SWIFT'
// swift-tools-version: 6.0
import Foundation
import PackageDescription

let processor = ProcessInfo.processInfo.environment["PROCESSOR"]!
let wideVectors: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-mcpu=\(processor)", "-Xcc", "-fno-math-errno"])]
let numericCode = wideVectors + [.unsafeFlags(["-Ounchecked"])]
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

let package = Package(
  name: "kernels",
  dependencies: [.package(url: "https://github.com/apple/swift-numerics", from: "1.1.0")],
  targets: [
    .target(
      name: "CBuildTarget",
      cSettings: [.unsafeFlags(["-mcpu=\(processor)"]), .define("DDPM_TARGET_PROCESSOR", to: processor)]),
    .target(name: "CProcessor", dependencies: ["CBuildTarget"], exclude: ["build_selector.c"]),
    .target(name: "CMicroKernels", dependencies: ["CBuildTarget"]),
    .target(name: "Threads", dependencies: ["CProcessor"]),
    .target(name: "Tensors", dependencies: ["CProcessor", realModule, "Threads"]),
    .target(
      name: "MicroKernels", dependencies: ["CBuildTarget", "CMicroKernels", "CProcessor", "Tensors"],
      swiftSettings: numericCode),
    .target(
      name: "Kernels", dependencies: ["CProcessor", "MicroKernels", realModule, "Tensors"], swiftSettings: numericCode),
    .target(name: "CTileModel", dependencies: ["CBuildTarget", "CMicroKernels"], path: "Tests/CTileModel"),
    .target(
      name: "ReferenceKernels",
      dependencies: ["CBuildTarget", "CProcessor", "CTileModel", "Kernels", "MicroKernels", "Tensors"],
      path: "Tests/ReferenceKernels", swiftSettings: numericCode),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Threads"]),
    .testTarget(
      name: "MicroKernelsTests",
      dependencies: ["CBuildTarget", "CProcessor", "CTileModel", "Kernels", "MicroKernels", "ReferenceKernels"]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "MicroKernels", "ReferenceKernels", "Tensors"]),
  ],
  swiftLanguageModes: [.v6]
)
SWIFT

swift=/usr/libexec/swift
cat >"$folder/destination.json" <<JSON
{
  "version": 1,
  "target": "aarch64-unknown-linux-gnu",
  "toolchain-bin-dir": "$swift/bin",
  "sdk": "$root",
  "dynamic-library-extension": "so",
  "extra-cc-flags": ["--sysroot=$root", "-fPIC"],
  "extra-cpp-flags": [],
  "extra-swiftc-flags": ["-sdk", "$root", "-resource-dir", "$root$swift/lib/swift", "-use-ld=lld",
    "-Xclang-linker", "--sysroot=$root"]
}
JSON
cd "$package"
export PROCESSOR=$processor
"$swift/bin/swift" build -c release --build-tests --disable-xctest --destination "$folder/destination.json"
tests=$(find .build/aarch64-unknown-linux-gnu/release -maxdepth 1 -name 'kernelsPackageTests.*' \
  \( -name '*.swift-testing' -o -name '*.xctest' \) | sort | head -n 1)
echo "Compiled ${modules[*]} of $sources for $processor; now their tests run under emulation."
exec qemu-aarch64 -L "$root" -E "LD_LIBRARY_PATH=$swift/lib/swift/linux" "$tests" \
  --testing-library swift-testing --no-parallel "$@"
