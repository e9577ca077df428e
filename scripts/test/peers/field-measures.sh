# Measures of fields and ensembles against NumPy, SciPy and properscoring, on the same numbers.

for question in spectra distributions ensembles; do
  check "measures of fields: $question as other programs compute them" \
    "$python" Tests/Peers/field_measures.py "$PWD/.build/release/peer-program" "$folder" "$question"
  grep -E ': error [0-9.e+-]+, tolerance' "$folder/check" | sed 's/^/    /' || true
done
