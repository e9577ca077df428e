# Measures of sets of features against NumPy, pytorch-fid and torch-fidelity, on the same features and statistics.

for question in archives frechet inception_score kernel_distance precision_recall; do
  check "${question/_/ } as other programs compute it" \
    "$python" Tests/Peers/feature_measures.py "$PWD/.build/release/peer-program" "$folder" "$question"
  grep -E ': error [0-9.e+-]+, tolerance' "$folder/check" | sed 's/^/    /' || true
done

printf 'damaged' >"$folder/damaged.npz"
run 1 'damaged.npz: is not a ZIP archive, or is truncated' \
  "$PWD/.build/release/peer-program" frechet-distance "$folder/damaged.npz" "$folder/damaged.npz"
run 1 'missing.npz: there is no such file' \
  "$PWD/.build/release/peer-program" frechet-distance "$folder/missing.npz" "$folder/missing.npz"
