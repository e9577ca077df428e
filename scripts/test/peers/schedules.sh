# Learning rates of every step against diffusers'.

check "learning rates are diffusers'" "$python" Tests/Peers/learning_rates.py "$PWD/.build/release/peer-program"
grep -E ': error [0-9.e+-]+, tolerance' "$folder/check" | sed 's/^/    /' || true
