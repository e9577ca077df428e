#!/usr/bin/env bash
# Fields in files of other programs, packed: files that xarray, netCDF4, h5netcdf, h5py, NumPy and MATLAB's format have
# written, intact and damaged, and what is refused. Each case prints one line.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/shared/cases.sh

python=${PEERS_PYTHON:-$PWD/.build/peers/bin/python}
[[ -n ${PEERS_PYTHON:-} ]] || scripts/shared/install-peers.sh
compare=$PWD/Tests/Peers/fields.py
"$python" "$compare" make "$folder" 2>/dev/null
mkdir "$folder/packed"
cd "$folder/sources"

# packs NAME TEXT ARGUMENT...: files are packed to packed/NAME.h5, and the summary says the text.
packs() {
  local name=$1 text=$2
  shift 2
  run 0 "$text" "$program" pack "$@" --output "$folder/packed/$name.h5"
}
# refuses TEXT ARGUMENT...: packing is refused with the text.
refuses() {
  local text=$1
  shift
  run 2 "$text" "$program" pack "$@" --output "$folder/none.h5"
}

echo "--- files of other programs"
for engine in netcdf4 h5netcdf; do
  packs "xarray-$engine" 'Packed 7 training samples of 6x10, 3 channels \(u, v, T\), into' \
    "xarray-$engine.nc" --variables u,v,T
done
check "... with its size" grep -qE '\([0-9]+\.[0-9] kB\)\.$' "$log"
run 0 'Packed 7 training samples of 6x10, 3 channels \(T, u, v\)' "$program" pack xarray-netcdf4.nc \
  --output "$folder/default.h5"
packs several 'Packed 10 training and 3 test samples of 6x10, 1 channel \(T\)' xarray-h5netcdf.nc later.nc \
  --test later.nc --variables T
packs levels '3 channels \(z_500, z_850, z_1000\)' netcdf4.nc --variables z
packs chosen '4 channels \(z_1000, z_500, wind, cloud\)' netcdf4.nc --variables z,deep/wind,cloud --levels 1000,500
packs h5netcdf '1 channel \(sst\)' h5netcdf.nc
packs h5py '28 channels \(a00_0, a00_1, ' h5py.h5 --order nhwc
packs single '1 channel \(vorticity\)' single.npy --names vorticity
packs nchw '2 channels \(field_0, field_1\)' nchw.npy --order nchw
packs stored '3 channels \(b_0, b_1, a\)' stored.npz --order nhwc --variables b,a
packs deflated '3 channels \(b_0, b_1, a\)' deflated.npz --order nhwc --variables b,a
for ending in npz h5; do
  packs "masks-$ending" '2 channels \(u, seen\)' "masks.$ending" --variables u,seen
  run 0 ', 1 channel \(u\)' "$program" pack "masks.$ending" --output "$folder/unmasked-$ending.h5"
done
packs matlab '1 channel \(u\)' matlab.mat
packs stack 'Packed 7 training samples of 6x10, 2 channels \(stack_0, stack_1\)' stack.mat --order hwcn
for name in levels-last levels-first opposite; do
  packs "$name" '7 training samples of 6x10, 3 channels \(p_1000, p_500, p_250\)' "$name.nc"
  check "... with a warning" grep -qE 'p has the dimensions \[.*\]; it is read as \[time, level, lat, lon\]' "$log"
done
packs transposed '7 training samples of 6x10, 1 channel \(p\)' transposed.nc
packs stacked '21 training samples of 6x10, 1 channel \(p\)' stacked.nc
packs one-time '1 training samples? of 6x10, 3 channels \(p_1000, p_500, p_250\)' one-time.nc
packs levels-as-samples '3 training samples of 6x10, 1 channel \(p\)' no-time.nc --order nhwc
packs curvilinear '7 training samples of 6x10, 1 channel \(p\)' curvilinear.nc
check "... with a warning" grep -q 'the coordinates lat, lon are left out: they have two dimensions' "$log"
packs texts '5 channels' texts.h5 --variables latin,utf,number,padded,list
packs depths '7 training samples of 6x10, 2 channels' depths.nc --levels 2.645669,0.494025
packs square '7 training samples of 6x6, 1 channel' square.nc
check "... with a name for each axis" grep -q 'the coordinates n are renamed n_2' "$log"
packs labels '7 training samples of 6x10, 3 channels \(p_0, p_1, p_2\)' labels.h5
packs cropped 'samples of 4x8' odd.nc --variables u,v,T --crop 4x8
packs padded 'samples of 8x12, 6 channels' odd.nc --variables u,v,T --pad 8x12 --coarse 2
packs masked '5 channels \(sst, u, sst_mask, sst_coarse, u_coarse\)' missing.h5 --variables sst,u --missing mask \
  --coarse 2
packs unwritten '18 channels \(i2, u2, i4, u4, i8, u8, f4, f8, marked, i2_mask, ' unwritten.nc \
  --variables i2,u2,i4,u4,i8,u8,f4,f8,marked --missing mask
packs unfilled '2 channels \(i1, unfilled\)' unwritten.nc --variables i1,unfilled
packs constant '1 channel \(u\)' two-grids.h5 --variables u
check "... with a warning" grep -q 'u is 0.0 everywhere, so its standard deviation is 0' "$log"
check "every one holds what its source does" "$python" "$compare" verify "$folder"
for threads in 1 3; do
  run 0 'Packed' "$program" pack missing.h5 --variables sst,u --missing mask --coarse 2 --threads "$threads" --name x \
    --output "$folder/threads-$threads.h5"
done
check "the same on three threads" h5diff "$folder/threads-1.h5" "$folder/threads-3.h5"

echo "--- inspecting"
run 0 '^data set xarray-netcdf4, fields of 6x10x3$' "$program" inspect "$folder/packed/xarray-netcdf4.h5"
check "... with a table" grep -qE '^name +units +mean +sd +min +max$' "$log"
check "... of all channels" grep -qE '^u +m s-1 +[-0-9.e+]+ +[0-9.e+-]+ +[-0-9.e+]+ +[-0-9.e+]+$' "$log"
check "... coordinates" grep -q '^latitude from 50.0 to 40.0 degrees_north$' "$log"
check "... and checksums" grep -q '^/fields: 7 samples, whole$' "$log"
run 0 '^/test/fields: 3 samples, whole' "$program" inspect "$folder/packed/several.h5"
cp "$folder/packed/several.h5" "$folder/hurt.h5"
offset=$(h5dump -p -H -d /fields "$folder/hurt.h5" | awk '$1 == "OFFSET" { print $2 }')
printf '\377\376' | dd of="$folder/hurt.h5" bs=1 seek="$((offset + 4 * 240 + 100))" conv=notrunc status=none
run 2 '^/fields: 10 samples, DAMAGED: 4$' "$program" inspect "$folder/hurt.h5"
check "... in its message" grep -q 'hurt.h5: fields\[4\] is damaged: its checksum does not match' "$log"

echo "--- what is refused"
count=$(<missing.txt)
refuses "missing.h5: $count values are missing \($count of sst\): NaN, .* the first is sst in sample 1, y 0, x 4; add --missing mask" \
  missing.h5 --variables u,sst
refuses 'unwritten.nc: 180 values are missing \(180 of i2\): NaN, .* the first is i2 in sample 4, y 0, x 0' \
  unwritten.nc --variables i2
refuses 'xarray-netcdf4.nc: it has no variable w, but T, u, v; correct --variables' xarray-netcdf4.nc --variables w
refuses 'other-names.nc: its channels are T, v, w, but they are T, u, v in xarray-netcdf4.nc' \
  xarray-netcdf4.nc other-names.nc
refuses 'other-grid.nc: its fields are 6x8, but 6x10 in xarray-netcdf4.nc' xarray-netcdf4.nc --test other-grid.nc
refuses 'other-units.nc: T is in "degC", but in "K" in xarray-netcdf4.nc' xarray-netcdf4.nc other-units.nc
# shellcheck disable=SC2016 # backquotes that are printed, and arguments of another shell
run 2 '--pad: packing fields of 32768x32768 with 3 channels takes at least 20.0 GiB of memory, but 5[.][0-9] GiB are available; choose a smaller size' \
  bash -c 'ulimit -v 6000000; exec "$@"' limited "$program" pack xarray-netcdf4.nc --pad 32768x32768 \
  --output "$folder/none.h5"
refuses 'odd.nc: none of its variables has levels: T, u, v; remove --levels' odd.nc --levels 500
refuses 'z has no level 700, but 500, 850, 1000; correct --levels' netcdf4.nc --variables z --levels 700
refuses 'p has no level 0.5, but 0.494025, 1.541375, 2.645669; correct --levels' depths.nc --levels 0.5
refuses 'h5py.h5: a00 has the shape .* whose dimensions have no names; add --order nhwc' h5py.h5
refuses 'nchw.npy: field has the shape .* add --order' nchw.npy
refuses 'members.nc: p has the dimensions member \(3\), time \(7\), lat \(6\), lon \(10\): member and time are both samples; .*stack\(sample=' \
  members.nc
refuses 'runs.nc: p has the dimensions run .*, and it is not clear which are levels; .*--order nhwc' runs.nc
refuses 'no-time.nc: p has the dimensions level .*: levels, but no time; .*expand_dims.* or add --order nhwc' no-time.nc
refuses 'two-grids.h5: v has the shape \[3, 4, 4\] .*but u has \[3, 4, 5\]; .*--variables' two-grids.h5
refuses '--coarse: 5x9 cannot be divided into blocks of 2x2; add --pad 6x10 or --crop 4x8' odd.nc --coarse 2
refuses '--crop: 7x7 is larger than the fields, 5x9' odd.nc --crop 7x7
refuses '--pad: 4x12 is smaller than the fields, 5x9' odd.nc --pad 4x12
refuses '--crop and --pad exclude each other' odd.nc --pad 8x12 --crop 4x4
refuses "The value '4' is invalid for '--crop" odd.nc --crop 4
refuses '--coarse is 1; it must be at least 2' odd.nc --coarse 1
refuses '--names: there are 2 names for the channels T, u, v' odd.nc --names a,b
refuses "odd.nc: 'a/b' cannot be the name of a channel: .*give others with --names" odd.nc --names a/b,v,T
refuses 'odd.nc: the channel sample has the name of a dimension of drawn fields' odd.nc --names sample,v,T
refuses 'odd.nc: the channel latitude has the name of a dimension of drawn fields' odd.nc --names latitude,v,T
refuses '--variables has a name twice: u,u' odd.nc --variables u,u
refuses '--size 8 applies to images, but fields are to be packed' odd.nc --size 8
refuses 'unwritten.h5: u is .* but most of its values were never written' unwritten.h5
refuses 'complex.h5:u: its elements are of several parts .*, not numbers' complex.h5 --variables u
refuses 'masks.h5:label: its elements are texts, not numbers' masks.h5 --variables label
refuses 'masks.npz: wide has elements of type <f16, not real numbers of up to 64 bits; .*astype' masks.npz \
  --variables wide
refuses 'complex.npy: its elements are of type <c16, not real numbers' complex.npy --names u
refuses 'fortran.npy: the array is in Fortran order, .*ascontiguousarray' fortran.npy --names u
refuses 'flat.npy: field has the shape \[6, 10\]; fields have the dimensions' flat.npy --names u
refuses 'classic.nc: is classic NetCDF, which is not supported; .*nccopy -k nc4' classic.nc
refuses 'NETCDF3_64BIT_OFFSET.nc: is classic NetCDF' NETCDF3_64BIT_OFFSET.nc --variables u
refuses 'NETCDF3_64BIT_DATA.nc: is classic NetCDF' NETCDF3_64BIT_DATA.nc
refuses 'weather.grib: is GRIB, .*cdo -f nc4 copy' weather.grib
for name in cube.zarr arrays cube.zarr.zip cube.zip; do
  refuses "$name: is Zarr, .*to_netcdf" "$name"
  refuses "$name: is Zarr, .*to_netcdf" "$name" --variables u
done
refuses 'bulletin.grib: is GRIB, .*cdo -f nc4 copy' bulletin.grib --variables u
for name in bytes.h5 bytes.mat bytes.npz x-train.npz; do
  refuses "$name: .*; for fields .* add --variables NAMES to .ddpm-mpi pack" "$name"
done
refuses 'mask.npy: .*; for fields .* add --names NAME to .ddpm-mpi pack' mask.npy
refuses 'table.csv: this is not an HDF5 file; .*; for fields .* add --variables NAMES' table.csv
refuses "records.npy: its elements are of type \[\('a', '<f4'\), \('b', '<f4'\)\], not real numbers" records.npy --names u
run 0 ', 1 channel \(cloud\)' "$program" pack bytes.h5 --variables cloud --output "$folder/bytes.h5"
refuses 'old.mat: is MATLAB before its version 7.3, .*-v7.3' old.mat
refuses 'old.mat: is MATLAB before its version 7.3, .*-v7.3' old.mat --variables u
check "... without advice for images" sh -c "! grep -q images '$log'"
refuses 'nowhere.nc: there is no such file' nowhere.nc --variables u
refuses 'the file is cut short|cut-netcdf4.nc: ' cut-netcdf4.nc --variables z
refuses 'cut-h5py.h5: ' cut-h5py.h5 --order nhwc
refuses 'damaged.npz: ' damaged.npz --order nhwc
refuses 'cut.npy: the array of shape .* takes .* bytes, but has' cut.npy
for name in netcdf4.nc h5py.h5; do
  # It may be read, if the damage hurts nothing that is needed, but ends in no other way.
  status=0
  "$program" pack "damaged-$name" --order nchw --output "$folder/maybe-$name.h5" >"$log" 2>&1 || status=$?
  check "damaged-$name is read or refused, with status $status" test "$status" = 0 -o "$status" = 2
done
run 2 'pack works in one process: run it without mpirun' "$mpirun" 2 "$program" pack odd.nc --variables u \
  --output "$folder/none.h5"
run 2 'default.h5 exists; use --force to replace it' "$program" pack odd.nc --output "$folder/default.h5"
check "none of them left a file behind" sh -c "! ls -A '$folder' | grep -E 'none\.h5'"

echo "--- memory"
# 600 MB of values, packed with less than half of that.
"$python" - <<'PYTHON'
import h5py, numpy as np
with h5py.File("large.h5", "w") as file:
    data = file.create_dataset("u", (600, 512, 512), "f4", chunks=(1, 512, 512))
    for n in range(600):
        data[n] = np.random.default_rng(n).standard_normal((512, 512), np.float32)
PYTHON
cat >memory.py <<'PYTHON'
"""Runs a command, and prints its result and the memory that it needed at most, its child's included."""
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print("peak", "below" if resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 300_000 else "above", "300 MB")
sys.exit(status)
PYTHON
run 0 'Packed 600 training samples of 512x512' "$python" memory.py "$program" pack large.h5 --output "$folder/large.h5"
check "... in little memory" grep -q '^peak below 300 MB' "$log"

finish
