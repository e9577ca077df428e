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

run 1 "there is no such file .* download pt_inception-2015-12-05-6726825d.pth" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/missing"
run 1 "has no tensor Conv2d_1a_3x3.conv.weight of shape" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/inception/images.safetensors"
