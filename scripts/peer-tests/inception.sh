# Inception-v3 against pytorch-fid's own module, with random weights, converted by the documented script.

peer_program=$PWD/.build/release/peer-program

inception_agrees() {
  "$python" Tests/Peers/inception.py make "$folder/inception" &&
    "$python" scripts/convert-inception.py "$folder/inception/weights.pth" "$folder/inception/weights.safetensors" &&
    "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/inception/ours.safetensors" \
      --inception-weights "$folder/inception/weights.safetensors" --threads 2 &&
    "$python" Tests/Peers/inception.py compare "$folder/inception"
}
check "Inception's features and logits agree with pytorch-fid's to 1e-3" inception_agrees
grep -E '^[a-z]+\.[a-z_]+: ' "$folder/check" | sed 's/^/    /' || true

# The command itself, from images on disk to the distance.
distance_agrees() {
  local said=$folder/inception options=(--features inception --inception-weights "$folder/inception/weights.safetensors"
    --threads 2 --json)
  "$python" Tests/Peers/inception.py paint "$said" &&
    "$program" fid "$said/a" "$said/b" "${options[@]}" --save-statistics "$said/a.npz" >"$said/ours.json" &&
    "$program" fid "$said/b" "$said/a.npz" "${options[@]}" --save-statistics "$said/b.npz" >"$said/back.json" &&
    "$python" Tests/Peers/inception.py distance "$said"
}
check "the distance of two folders is pytorch-fid's to 1e-3, statistics move both ways" distance_agrees
grep -E '^distance: ' "$folder/check" | sed 's/^/    /' || true

run 1 "there is no such file .* download pt_inception-2015-12-05-6726825d.pth" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/missing"
run 1 "has no tensor Conv2d_1a_3x3.conv.weight of shape" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/inception/images.safetensors"
