# Inception-v3 against pytorch-fid's own module, with random weights as torch.save writes them.

peer_program=$PWD/.build/release/peer-program

inception_features() {
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$2" --inception-weights "$1" --threads 2
}

inception_agrees() {
  "$python" Tests/Peers/inception.py make "$folder/inception" &&
    inception_features "$folder/inception/weights.pth" "$folder/inception/ours.safetensors" &&
    "$python" Tests/Peers/inception.py compare "$folder/inception"
}
check "Inception's features and logits agree with pytorch-fid's to 1e-3" inception_agrees
grep -E '^[a-z]+\.[a-z_]+: ' "$folder/check" | sed 's/^/    /' || true

for weights in legacy.pth weights.safetensors; do
  check "the same features from $weights" inception_features "$folder/inception/$weights" "$folder/inception/again"
  check "... bit for bit" cmp "$folder/inception/again" "$folder/inception/ours.safetensors"
done

# The command itself, from images on disk to the distance.
distance_agrees() {
  local said=$folder/inception options=(--features inception --inception-weights "$folder/inception/legacy.pth"
    --threads 2 --json)
  "$python" Tests/Peers/inception.py paint "$said" &&
    "$program" fid "$said/a" "$said/b" "${options[@]}" --save-statistics "$said/a.npz" >"$said/ours.json" &&
    "$program" fid "$said/b" "$said/a.npz" "${options[@]}" --save-statistics "$said/b.npz" >"$said/back.json" &&
    "$python" Tests/Peers/inception.py distance "$said"
}
check "the distance of two folders is pytorch-fid's to 1e-3, statistics move both ways" distance_agrees
grep -E '^distance: ' "$folder/check" | sed 's/^/    /' || true
for weights in weights.pth weights.safetensors; do
  run 0 '"fid"' "$program" fid "$folder/inception/b" "$folder/inception/a.npz" --json --threads 2 \
    --features "$folder/inception/$weights"
  check "... the same from $weights, also in name and checksum" cmp "$log" "$folder/inception/back.json"
done

run 1 "there is no such file .* download pt_inception-2015-12-05-6726825d.pth" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/missing"
run 1 "has no tensor Conv2d_1a_3x3.conv.weight of shape" \
  "$peer_program" inception-features "$folder/inception/images.safetensors" "$folder/none" \
  --inception-weights "$folder/inception/images.safetensors"
