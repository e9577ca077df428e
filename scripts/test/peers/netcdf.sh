# Files of fields, written by one rank and by several, and opened with xarray, h5netcdf and netCDF4.

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
