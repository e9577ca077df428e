# Files of fields, written by one rank and by several, and opened with xarray, h5netcdf and netCDF4; and samples of a
# model that was trained on a file of xarray's.

peer=$PWD/.build/release/peer-program
check "the peer program is built" test -x "$peer"
for ranks in 1 3; do
  samples=$folder/samples-$ranks.nc
  members=$folder/members-$ranks.nc
  check "samples of fields from $ranks ranks" "$mpirun" "$ranks" "$peer" field-file "$samples" --count 5
  run 0 '^netcdf4: sample 5, latitude 3, x 4$' "$python" Tests/Peers/netcdf.py samples "$samples" 5
  check "members of conditions from $ranks ranks" \
    "$mpirun" "$ranks" "$peer" field-file "$members" --count 2 --members 3
  run 0 '^netcdf4: condition 2, member 3, latitude 3, x 4$' "$python" Tests/Peers/netcdf.py members "$members" 2 3
done

check "a source written by xarray" "$python" Tests/Peers/netcdf.py source "$folder/source.nc"
check "... is packed" "$program" pack "$folder/source.nc" --output "$folder/source.h5"
run 0 'Done: 1 step' "$mpirun" 2 "$program" train --preset shapes --set diffusion.process=edm --set training.steps=1 \
  --set training.batch=2 --set training.micro_batch=1 --set training.sample_every=none --set model.multipliers=[1,1] \
  --set data.name=hdf5 --set data.path="$folder/source.h5" --set data.conditions=[orography] \
  --output "$folder/temperatures"
run 0 'Drawing 3 fields for each of 2 conditions' "$mpirun" 2 "$program" sample --checkpoint "$folder/temperatures" \
  --condition "$folder/source.h5" --first 1 --count 2 --members 3 --seed 4 --steps 3 --output "$folder/drawn.nc"
run 0 '^netcdf4: condition 2, member 3, latitude 32, longitude 32$' \
  "$python" Tests/Peers/netcdf.py drawn "$folder/drawn.nc" "$folder/source.nc"
