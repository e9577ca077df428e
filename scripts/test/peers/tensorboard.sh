# What training writes for TensorBoard, read by TensorBoard: the first run ends after a checkpoint, the second is killed
# while it saves the next one, the third goes on from the first one's.

watched=(train --preset shapes --set training.checkpoint_every=20 --set training.sample_every=10
  --set training.log_every=1 --set sampling.count=4 --set sampling.steps=2 --set model.channels=16
  --set training.save_beside=false --output "$folder/watched")
run 0 'step 20/20' "$mpirun" 2 "$program" "${watched[@]}" --set training.steps=20
# mpirun tells of a killed rank by a status that depends on its version.
status=0
DDPM_MPI_FAULT=save.write:0:kill timeout --kill-after=10 600 "$mpirun" 2 "$program" "${watched[@]}" --resume \
  --set training.steps=60 >"$log" 2>&1 </dev/null || status=$?
check "killed while it saves, with status $status" test "$status" != 0
run 0 'step-00000020.h5, step 20' "$program" "${watched[@]}" --resume --set training.steps=60
check "TensorBoard reads what the run wrote" "$python" Tests/Peers/tensorboard_events.py "$folder/watched" \
  --files 3 --superseded 21-40
check "... also if the killed one's last record is cut short" "$python" Tests/Peers/tensorboard_events.py \
  "$folder/watched" --files 3 --superseded 21-40 --cut 7
run 0 'step 2/2' "$program" "${watched[@]}" --set training.steps=2 --set training.tensorboard=false \
  --output "$folder/unwatched"
check "without training.tensorboard there is none" test ! -e "$folder/unwatched/tensorboard"
