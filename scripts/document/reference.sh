#!/usr/bin/env bash
# Makes the modules' reference, with Swift's own DocC: pages for a browser, in .build/documentation or the folder that is
# named. Warnings, such as links that lead nowhere, are errors. To read it:
#   scripts/document/reference.sh && python3 -m http.server --directory .build/documentation 8000
#   http://localhost:8000/documentation/diffusion
# It reads the modules that `swift build -c release` makes, and with BUILD=no those that are built already.
set -euo pipefail
cd "$(dirname "$0")/../.."
output=${1:-.build/documentation}
build=.build/release
[[ ${BUILD:-yes} == no ]] || swift build -c release
docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT

# What the modules import from C.
flags=()
for map in "$build"/*.build/module.modulemap Sources/C*/module.modulemap \
  .build/checkouts/*/Sources/{C*,_*Shims}/include/module.modulemap; do
  flags+=(-Xcc "-fmodule-map-file=$map")
done
for name in $(swift package --scratch-path "$graphs/package" dump-package | sed -n 's/.*"pkgConfig" : "\(.*\)".*/\1/p'); do
  for flag in $(pkg-config --cflags "$name"); do flags+=(-Xcc "$flag"); done
done

rm -rf "$output"
modules=()
for catalog in Sources/*/*.docc; do
  module=$(basename "$catalog" .docc)
  mkdir "$graphs/$module"
  swift-symbolgraph-extract -module-name "$module" -I "$build/Modules" -target "$(uname -m)-unknown-linux-gnu" \
    -minimum-access-level package -skip-inherited-docs -emit-extension-block-symbols -output-dir "$graphs/$module" "${flags[@]}"
  # Parameters that their names explain need no words.
  "$docc" convert "$catalog" --additional-symbol-graph-dir "$graphs/$module" --output-path "$graphs/$module.doccarchive" \
    --fallback-display-name "$module" --fallback-bundle-identifier "ddpm-mpi.$module" --ide-console-output 2>&1 |
    grep -E ' (warning|error): ' | grep -v "Parameter '.*' is missing documentation" >>"$graphs/problems" || true
  modules+=("$graphs/$module.doccarchive")
done
if [[ -s $graphs/problems ]]; then
  cat "$graphs/problems" >&2
  exit 1
fi
"$docc" merge "${modules[@]}" --output-path "$output"
echo "Wrote $output: ${#modules[@]} modules."
