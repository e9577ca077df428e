#!/usr/bin/env bash
# The page that `ddpm-mpi report` writes, in a real browser without a window: of a run that goes on, was killed, resumed
# and is done. Each case prints one line. Screenshots go into the folder that SCREENSHOTS names, if it does.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/install-dependencies.sh chromium fonts-dejavu-core
source scripts/shared/cases.sh

run_folder=$folder/watched
tiny=(train --preset shapes --set training.checkpoint_every=20 --set training.sample_every=10
  --set training.log_every=1 --set sampling.count=16 --set sampling.steps=4 --set model.channels=16
  --set training.save_beside=false --output "$run_folder")

# browse WIDTH PAGE ARGUMENT...: the page in a window of that width, with nothing of the user's and no network.
browse() {
  local width=$1 page=$2
  shift 2
  timeout --kill-after=10 600 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --disable-background-networking --disable-component-update --no-first-run --user-data-dir="$folder/browser" \
    --window-size="$width,2600" --virtual-time-budget=10000 "$@" "$page" 2>"$folder/browser.log"
}

# shown NAME CURVES SHEETS [PAGE]: the page must find no fault with itself, and show so many, in wide and narrow windows.
shown() {
  local name=$1 curves=$2 sheets=$3 page=${4:-$run_folder/report.html} width
  for width in 1280 400; do
    browse "$width" "file://$page" --dump-dom >"$folder/dom" || true
    head -c 400 "$folder/dom" | grep -o '<html[^>]*>' >"$log" || cp "$folder/browser.log" "$log"
    check "$name, $width pixels wide: the page is ready" grep -q 'data-ready="yes"' "$log"
    check "... without a problem" grep -q 'data-problems=""' "$log"
    check "... $curves curves" grep -q "data-curves=\"$curves\"" "$log"
    check "... $sheets sheets" grep -q "data-sheets=\"$sheets\"" "$log"
    [[ -z ${SCREENSHOTS:-} ]] || browse "$width" "file://$page" --screenshot="$SCREENSHOTS/$name-$width.png" >/dev/null
  done
}

echo "--- bad input"
run 2 'none: there is no such folder; give a run' "$program" report "$folder/none"
mkdir "$folder/empty"
run 2 'empty contains no run: it has no config.yaml' "$program" report "$folder/empty"
run 2 "Missing expected argument '<folder>'" "$program" report

echo "--- a run from its start"
"$program" "${tiny[@]}" --set training.steps=20 >"$log" 2>&1
cp -r "$run_folder" "$folder/begun"
rm -r "$folder/begun/samples" "$folder/begun/metrics.jsonl"
run 0 'report.html \(.*\): 0 curves, 0 sheets of samples' "$program" report "$folder/begun"
shown begun 0 0 "$folder/begun/report.html"

# Killed while it saves step 40, and a line cut short, as by a crash of the machine.
DDPM_MPI_FAULT=save.write:0:kill "$program" "${tiny[@]}" --resume --set training.steps=60 >"$log" 2>&1 || true
printf '{"step": 41, "lo' >>"$run_folder/metrics.jsonl"
run 0 'last line of metrics.jsonl is incomplete' "$program" report "$run_folder"
check "it says so in the page" grep -q 'metrics.jsonl is incomplete' "$run_folder/report.html"
check "... and that no end is recorded" grep -q 'it is still running, or was killed' "$run_folder/report.html"
shown killed 4 3

run 0 'step 60/60' "$program" "${tiny[@]}" --resume --set training.steps=60
# What an evaluation adds to the log has a curve too.
for step in 20 40 60; do echo "{\"step\": $step, \"fid\": $((200 - 2 * step))}"; done >>"$run_folder/metrics.jsonl"
run 0 'page.html \(.*\): 5 curves, 6 sheets of samples' "$program" report "$run_folder" --output "$folder/page.html"
shown resumed 5 6 "$folder/page.html"
check "the resume is marked in each curve" test "$(grep -c '<title>resumed after step 20</title>' "$folder/page.html")" = 5
check "... and in the list" test "$(grep -cE 'resumed after step 20<(br|/td)>' "$folder/page.html")" = 2
check "... which tells what was changed" grep -q 'resumed after step 20<br>training.steps was 20 and is 60</td>' "$folder/page.html"
check "the page names nothing to load" sh -c "! grep -qE '(src|href)=\"?[^\"d]|url\(|@import|https?:' '$folder/page.html'"

echo "--- measures of drawn fields"
run 0 'Done: 4 steps' "$program" train --preset fields --set training.steps=4 --set training.batch=4 \
  --set training.micro_batch=1 --set training.log_every=1 --set training.sample_every=none --set sampling.steps=2 \
  --set model.channels=16 --set model.multipliers=[1,1] --set model.attention_resolutions=[16] --set data.channels=3 \
  --set 'data.conditions=[field_3]' --set evaluation.every=2 --set evaluation.count=10 --set evaluation.members=4 \
  --output "$folder/fields"
run 0 'report.html' "$program" report "$folder/fields"
# Besides the four of every run: three errors, the score and the ratio of spread and error.
shown fields 9 0 "$folder/fields/report.html"
check "each variable has four charts, and the two have one of their correlation" grep -q 'data-charts="9"' "$log"

echo "--- how runs end"
more=("${tiny[@]}" --resume --set training.steps=100000 --set training.sample_every=100000)
run 5 'stopped after step' "$mpirun" 2 "$program" "${more[@]}" --set training.time_limit_minutes=0.05
check "two ranks have one journal" test "$(grep -c '"event":"resume".*"ranks":2' "$run_folder/journal.jsonl")" = 1
DDPM_MPI_FAULT=gradient:0:error run 3 'training stopped at step' "$program" "${more[@]}"
run 0 'Wrote' "$program" report "$run_folder"
check "a stop has its reason" grep -q 'stopped after step [0-9]*, because training.time_limit_minutes is reached</td>' \
  "$run_folder/report.html"
check "a failure has its error" grep -qE '<p>Step .*Failed after step [0-9]+: training stopped at step .*nan' \
  "$run_folder/report.html"

echo "--- a log of 800,000 lines"
mkdir "$folder/long"
cp "$run_folder/config.yaml" "$folder/long"
check "a page of it takes little memory" python3 - "$program" "$folder/long" <<'PYTHON'
import resource, subprocess, sys
program, folder = sys.argv[1:]
with open(f"{folder}/metrics.jsonl", "w") as log:
    for step in range(1, 800_001):
        noise = step * 2654435761 % 1000003 / 1000003
        log.write(f'{{"step": {step}, "images": {128 * step}, "loss": {0.1 + noise}, "gradient_norm": {noise}, '
                  f'"learning_rate": 0.0002, "images_per_second": {800 + noise}, "seconds": {step * 0.16}}}\n')
said = subprocess.run([program, "report", folder], check=True, capture_output=True, text=True).stdout
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(said, f"{used.ru_maxrss / 1024:.0f} MiB, {used.ru_utime + used.ru_stime:.1f} s of a processor")
# What does not depend on the log: the program itself, MPI, the page.
assert used.ru_maxrss < 100 * 1000, used.ru_maxrss
assert "4 curves" in said, said
PYTHON
cp "$folder/check" "$log"
run 0 '800000 values from 0.1 to 1.1' cat "$folder/long/report.html"

echo "--- the commands of docs/watching.md"
mapfile -t commands < <(grep '^ddpm-mpi ' docs/watching.md)
mkdir "$folder/user"
for command in "${commands[@]}"; do
  run 0 'Done: 200 steps|Wrote (runs/watched/report|watched).html' \
    env -C "$folder/user" PATH="$(dirname "$program"):$PATH" bash -c "$command"
done
check "there are three, and their pages" test "${#commands[@]}" = 3 -a -s "$folder/user/runs/watched/report.html" \
  -a -s "$folder/user/watched.html"

echo "--- nothing is loaded, and a fault would be seen"
mkdir "$folder/server"
python3 -m http.server --bind 127.0.0.1 --directory "$folder/server" 0 >"$folder/server.log" 2>&1 &
server=$!
trap 'kill "$server"; rm -rf "$folder"' EXIT
until grep -q 'port [0-9]' "$folder/server.log"; do sleep 0.1; done
port=$(grep -oE 'port [0-9]+' "$folder/server.log" | grep -oE '[0-9]+')
sed "s|<main>|<main><img alt=foreign src=\"http://127.0.0.1:$port/foreign.png\"><script>document.title = 1</script>|" \
  "$folder/page.html" >"$folder/foreign.html"
sed 's|http-equiv="Content-Security-Policy"||' "$folder/foreign.html" >"$folder/open.html"
browse 1280 "file://$folder/foreign.html" --dump-dom >"$folder/dom" || true
check "a foreign image is refused" grep -q "refused to load http://127.0.0.1:$port/foreign.png" "$folder/dom"
check "... and a foreign script" grep -q 'refused to load inline' "$folder/dom"
check "... and never asked for" sh -c "! grep -q foreign.png '$folder/server.log'"
browse 1280 "file://$folder/open.html" --dump-dom >"$folder/dom" || true
check "without the policy it would be" grep -q foreign.png "$folder/server.log"

finish
