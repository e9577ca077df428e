#!/usr/bin/env bash
# Makes Sources/TensorBoard/Protobuf/*.pb.swift from the .proto files beside them, with Debian's protoc and the
# generator of the swift-protobuf that Package.swift names. With --check, only says whether what is there is what would
# be made.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/install-dependencies.sh protobuf-compiler >&2
# The package's own products are built in its own folder: a build of ours makes only what we depend on.
swift package resolve
sources=.build/checkouts/swift-protobuf
swift build --package-path "$sources" --scratch-path .build/protobuf-generator -c release --product protoc-gen-swift >&2
generator=$(swift build --package-path "$sources" --scratch-path .build/protobuf-generator -c release --show-bin-path)

folder=Sources/TensorBoard/Protobuf
output=$folder
if [[ ${1:-} == --check ]]; then
  output=$(mktemp -d)
  trap 'rm -rf "$output"' EXIT
fi
protoc --plugin="$generator/protoc-gen-swift" --proto_path="$folder" --swift_out="$output" "$folder"/*.proto
if [[ $output != "$folder" ]]; then
  for file in "$output"/*.pb.swift; do diff "$file" "$folder/$(basename "$file")"; done
  echo "What is in $folder is what its .proto files make."
fi
