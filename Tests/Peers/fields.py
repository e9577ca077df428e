"""Writes fields in files of other programs, and compares the output of `ddpm-mpi pack` with what they hold.

    python fields.py make FOLDER     writes FOLDER/sources, and what each packed file must contain
    python fields.py verify FOLDER   compares FOLDER/packed/….h5 with that

Run by scripts/test/fields.sh. Needs h5py, h5netcdf, hdf5storage, netCDF4, numpy, scipy and xarray. `verify` exits with 1
if a value differs by more than the distance to the next number in single precision, or if a statistic, a name, a unit or
a coordinate is another.
"""

import sys
import zipfile
import zlib
from pathlib import Path

import h5netcdf.legacyapi
import h5py
import hdf5storage
import netCDF4
import numpy as np
import scipy.io
import xarray as xr

COUNT, LEVELS, HEIGHT, WIDTH = 7, 3, 6, 10
LATITUDES = np.linspace(50, 40, HEIGHT)
LONGITUDES = np.linspace(-5, 4, WIDTH)


def waves(*shape, seed):
    """Values of several magnitudes, in double precision."""
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.integers(-3, 4)
    return scale * (random.standard_normal(shape) + np.sin(np.arange(shape[-1])))


class Sources:
    """Writes files, and for each command the expected contents of its packed file."""

    def __init__(self, folder):
        self.folder = folder / "sources"
        self.expected = folder / "expected"
        self.folder.mkdir()
        self.expected.mkdir()

    def expect(self, name, fields, names, units=None, y=None, x=None, test=None, present=None):
        """`fields`, [N, H, W, C]; `present` is false where a value was missing, and does not count."""
        parts = {"fields": np.asarray(fields, np.float64), "names": names, "units": units or [""] * len(names)}
        parts |= {"y": y, "x": x, "test": test, "present": present}
        np.savez(self.expected / f"{name}.npz", **{key: part for key, part in parts.items() if part is not None})

    def xarray_files(self):
        u, v = waves(COUNT, HEIGHT, WIDTH, seed=1), waves(COUNT, HEIGHT, WIDTH, seed=2)
        stored = np.random.default_rng(3).integers(-30000, 30000, (COUNT, HEIGHT, WIDTH)).astype(np.int16)
        scale, offset = 0.0015, 273.15
        dims = ("time", "latitude", "longitude")
        data = xr.Dataset(
            {
                "u": (dims, u.astype(np.float32), {"units": "m s-1", "long_name": "eastward wind"}),
                "v": (dims, v, {"units": "m s-1", "standard_name": "northward_wind"}),
                "T": (dims, stored * scale + offset, {"units": "K"}),
                "time_bounds": (("time", "two"), np.zeros((COUNT, 2))),
            },
            {
                "time": ("time", np.arange(COUNT), {"units": "hours since 2000-01-01"}),
                "latitude": ("latitude", LATITUDES, {"units": "degrees_north"}),
                "longitude": ("longitude", LONGITUDES.astype(np.float32), {"units": "degrees_east"}),
            })
        encoding = {"T": {"dtype": "int16", "scale_factor": scale, "add_offset": offset, "_FillValue": np.int16(-32768)}}
        encoding["v"] = {"zlib": True, "shuffle": True, "chunksizes": (3, 4, 5)}
        fields = np.stack([u.astype(np.float32), v, stored * scale + offset], -1)
        for engine in ("netcdf4", "h5netcdf"):
            data.to_netcdf(self.folder / f"xarray-{engine}.nc", engine=engine, encoding=encoding)
            self.expect(
                f"xarray-{engine}", fields, ["u", "v", "T"], ["m s-1", "m s-1", "K"], LATITUDES,
                LONGITUDES.astype(np.float32))
        data.isel(time=slice(0, 3)).to_netcdf(self.folder / "later.nc", engine="netcdf4", encoding=encoding)
        self.expect(
            "several", np.concatenate([fields[..., 2:], fields[:3, ..., 2:]]), ["T"], ["K"], LATITUDES,
            LONGITUDES.astype(np.float32), test=fields[:3, ..., 2:])
        data.rename(u="w").to_netcdf(self.folder / "other-names.nc")
        data.isel(longitude=slice(0, 8)).to_netcdf(self.folder / "other-grid.nc")
        celsius = data.copy(deep=True)
        celsius["T"].attrs["units"] = "degC"
        celsius.to_netcdf(self.folder / "other-units.nc")
        data.isel(longitude=slice(0, 9), latitude=slice(0, 5)).to_netcdf(self.folder / "odd.nc")
        odd = fields[:, :5, :9, :]
        self.expect(
            "cropped", odd[:, 0:4, 0:8, :], ["u", "v", "T"], ["m s-1", "m s-1", "K"], LATITUDES[0:4],
            LONGITUDES.astype(np.float32)[0:8])
        padded = np.pad(odd, ((0, 0), (1, 2), (1, 2), (0, 0)), mode="edge")
        steps = np.diff(LATITUDES[:5])
        y = np.concatenate([[LATITUDES[0] - steps[0]], LATITUDES[:5], LATITUDES[4] + steps[-1] * np.arange(1, 3)])
        x = LONGITUDES.astype(np.float32)[:9].astype(np.float64)
        x = np.concatenate([[2 * x[0] - x[1]], x, x[-1] + (x[-1] - x[-2]) * np.arange(1, 3)])
        # Of the packed values, which are rounded.
        blocks = padded.astype(np.float32).reshape(COUNT, 4, 2, 6, 2, 3)
        means = blocks.mean((2, 4), dtype=np.float64).repeat(2, 1).repeat(2, 2)
        self.expect(
            "padded", np.concatenate([padded, means], -1), ["u", "v", "T", "u_coarse", "v_coarse", "T_coarse"],
            2 * ["m s-1", "m s-1", "K"], y, x)

    def netcdf4_file(self):
        values = waves(COUNT, LEVELS, HEIGHT, WIDTH, seed=4)
        wind = np.random.default_rng(5).integers(-(2**30), 2**30, (COUNT, HEIGHT, WIDTH))
        bytes_ = np.random.default_rng(6).integers(0, 256, (COUNT, HEIGHT, WIDTH))
        with netCDF4.Dataset(self.folder / "netcdf4.nc", "w") as file:
            for name, length in (("time", None), ("level", LEVELS), ("y", HEIGHT), ("x", WIDTH)):
                file.createDimension(name, length)
            level = file.createVariable("level", "i4", ("level",))
            level[:] = [500, 850, 1000]
            z = file.createVariable("z", "f8", ("time", "level", "y", "x"), zlib=True, endian="big")
            z.units = "m"
            z[:] = values
            group = file.createGroup("deep")
            wind_variable = group.createVariable("wind", "i4", ("time", "y", "x"), endian="big")
            wind_variable.units, wind_variable.scale_factor = "m/s", np.float32(0.25)
            file.set_auto_maskandscale(False)
            wind_variable.set_auto_maskandscale(False)
            wind_variable[:] = wind
            cloud = file.createVariable("cloud", "i1", ("time", "y", "x"))
            cloud.set_auto_maskandscale(False)
            cloud._Unsigned = "true"
            cloud[:] = bytes_.astype(np.uint8).view(np.int8)
        z = values.transpose(0, 2, 3, 1)
        self.expect("levels", z, ["z_500", "z_850", "z_1000"], ["m"] * 3)
        fields = np.concatenate([z[..., [2, 0]], wind[..., None] * 0.25, bytes_[..., None]], -1)
        self.expect("chosen", fields, ["z_1000", "z_500", "wind", "cloud"], ["m", "m", "m/s", ""])

    def h5netcdf_file(self):
        values = waves(COUNT, HEIGHT, WIDTH, seed=7).astype(np.float32)
        with h5netcdf.legacyapi.Dataset(self.folder / "h5netcdf.nc", "w") as file:
            for name, length in (("time", COUNT), ("lat", HEIGHT), ("lon", WIDTH)):
                file.createDimension(name, length)
            file.createVariable("lat", "f8", ("lat",))[:] = LATITUDES
            variable = file.createVariable("sst", "f4", ("time", "lat", "lon"), fill_value=np.float32(-999))
            variable.attrs["units"] = "degC"
            variable[:] = values
        self.expect("h5netcdf", values[..., None], ["sst"], ["degC"], LATITUDES)

    def h5py_files(self):
        values = waves(COUNT, HEIGHT, WIDTH, 2, seed=8)
        self.types = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i2", "<i4", ">u4", "<i8", ">i8", "<u8"]
        stored = {}
        for dtype in self.types:
            info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
            array = (
                values / np.abs(values).max() if info is None
                else np.random.default_rng(9).integers(info.min, info.max, values.shape, np.dtype(dtype).newbyteorder("=")))
            stored[dtype] = array.astype(dtype)
        with h5py.File(self.folder / "h5py.h5", "w") as file:
            for number, dtype in enumerate(self.types):
                file.create_dataset(f"a{number:02}", data=stored[dtype], chunks=(4, 5, 3, 1), compression="gzip")
            file["lat"] = LATITUDES
            file["x"] = LONGITUDES
            file["names"] = ["not", "numbers"]
        names = [f"a{number:02}_{channel}" for number in range(len(self.types)) for channel in range(2)]
        fields = np.concatenate([stored[dtype].astype(np.float64) for dtype in self.types], -1)
        self.expect("h5py", fields, names, None, LATITUDES, LONGITUDES)
        with h5py.File(self.folder / "unwritten.h5", "w") as file:
            file.create_dataset("u", (10_000, 100, 100), "f4", chunks=(1, 100, 100))
        with h5py.File(self.folder / "complex.h5", "w") as file:
            file["u"] = np.zeros((3, 4, 5), np.complex64)
            file["v"] = np.zeros((3, 4, 5), np.float32)
        with h5py.File(self.folder / "two-grids.h5", "w") as file:
            file["u"] = np.zeros((3, 4, 5))
            file["v"] = np.zeros((3, 4, 4))
        self.expect("constant", np.zeros((3, 4, 5, 1)), ["u"])

    def dimension_files(self):
        """Named dimensions in other orders than the usual one, and some that leave the order open."""
        values = waves(COUNT, LEVELS, HEIGHT, WIDTH, seed=17)
        data = xr.Dataset(
            {"p": (("time", "level", "lat", "lon"), values)},
            {"time": np.arange(COUNT), "level": [1000.0, 500.0, 250.0], "lat": LATITUDES, "lon": LONGITUDES})
        names, fields = ["p_1000", "p_500", "p_250"], values.transpose(0, 2, 3, 1)
        for name, order in (
            ("levels-last", ("time", "lat", "lon", "level")), ("levels-first", ("level", "time", "lat", "lon")),
            ("opposite", ("lon", "lat", "level", "time")),
        ):
            data.transpose(*order).to_netcdf(self.folder / f"{name}.nc")
            self.expect(name, fields, names, None, LATITUDES, LONGITUDES)
        single = data.isel(level=0, drop=True)
        single.transpose("lat", "lon", "time").to_netcdf(self.folder / "transposed.nc")
        self.expect("transposed", values[:, 0, :, :, None], ["p"], None, LATITUDES, LONGITUDES)
        members = data.rename(level="member").transpose("member", "time", "lat", "lon")
        members.to_netcdf(self.folder / "members.nc")
        # What the message about these members advises.
        members.stack(sample=("member", "time")).reset_index("sample").to_netcdf(self.folder / "stacked.nc")
        stacked = values.transpose(1, 0, 2, 3).reshape(-1, HEIGHT, WIDTH, 1)
        self.expect("stacked", stacked, ["p"], None, LATITUDES, LONGITUDES)
        members.rename(member="run").to_netcdf(self.folder / "runs.nc")
        levels = data.isel(time=0, drop=True)
        levels.to_netcdf(self.folder / "no-time.nc")
        levels.expand_dims("time").to_netcdf(self.folder / "one-time.nc")
        self.expect("one-time", fields[:1], names, None, LATITUDES, LONGITUDES)
        self.expect("levels-as-samples", values[0, ..., None], ["p"], None, LATITUDES, LONGITUDES)
        depths = np.array([0.494025, 1.541375, 2.645669], np.float32)
        deep = data.rename(level="depth").assign_coords(depth=("depth", depths, {"positive": "down"}))
        deep.to_netcdf(self.folder / "depths.nc")
        self.expect("depths", fields[..., [2, 0]], ["p_2.645669", "p_0.494025"], None, LATITUDES, LONGITUDES)
        with netCDF4.Dataset(self.folder / "square.nc", "w") as file:
            file.createDimension("time", COUNT)
            file.createDimension("n", HEIGHT)
            file.createVariable("n", "f8", ("n",))[:] = np.arange(HEIGHT)
            file.createVariable("covariance", "f8", ("time", "n", "n"))[:] = values[:, 0, :, :HEIGHT]
        self.expect(
            "square", values[:, 0, :, :HEIGHT, None], ["covariance"], None, np.arange(HEIGHT), np.arange(HEIGHT))
        plane = np.add.outer(LATITUDES, LONGITUDES)
        curvilinear = xr.Dataset(
            {"p": (("time", "j", "i"), values[:, 0])}, {"lat": (("j", "i"), plane), "lon": (("j", "i"), -plane)})
        curvilinear.to_netcdf(self.folder / "curvilinear.nc")
        self.expect("curvilinear", values[:, 0, :, :, None], ["p"])
        with h5py.File(self.folder / "texts.h5", "w") as file:
            for name, units in (
                ("latin", np.bytes_("\u00b0C".encode("latin-1"))), ("utf", "\u00b0C"), ("number", 1),
                ("padded", np.bytes_("Pa s-1")), ("list", np.array(["m"], h5py.string_dtype())),
            ):
                file[name] = values[:, 0]
                file[name].attrs["units"] = units
        names = ["latin", "utf", "number", "padded", "list"]
        units = ["\u00b0C", "\u00b0C", "1", "Pa s-1", "m"]
        self.expect("texts", np.stack([values[:, 0]] * len(names), -1), names, units)
        with h5py.File(self.folder / "labels.h5", "w") as file:
            file["p"] = fields
            for axis, label in enumerate(("time", "y", "x", "band")):
                file["p"].dims[axis].label = label
        self.expect("labels", fields, ["p_0", "p_1", "p_2"])

    def numpy_files(self):
        values = waves(COUNT, 2, HEIGHT, WIDTH, seed=10)
        np.save(self.folder / "single.npy", values[:, 0].astype(">f4"))
        self.expect("single", values[:, 0, :, :, None].astype(np.float32), ["vorticity"])
        np.save(self.folder / "nchw.npy", values.astype(np.float16))
        self.expect("nchw", values.astype(np.float16).transpose(0, 2, 3, 1), ["field_0", "field_1"])
        integers = np.random.default_rng(11).integers(-(2**62), 2**62, (COUNT, HEIGHT, WIDTH, 2))
        arrays = {"b": integers, "a": values[:, 1], "lat": LATITUDES, "text": np.array(["x"])}
        for name, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
            save(self.folder / f"{name}.npz", **arrays)
            fields = np.concatenate([integers.astype(np.float64), values[:, 1, :, :, None]], -1)
            self.expect(name, fields, ["b_0", "b_1", "a"], None, LATITUDES)
        seen = values[:, 1] > 0
        np.savez(self.folder / "masks.npz", u=values[:, 0], seen=seen, wide=values[:, 0].astype(np.longdouble))
        with h5py.File(self.folder / "masks.h5", "w") as file:
            file["u"], file["seen"], file["label"] = values[:, 0], seen, np.full(seen.shape, "x", "S1")
        for name in ("masks-npz", "masks-h5"):
            self.expect(name, np.stack([values[:, 0], seen], -1), ["u", "seen"])
        np.save(self.folder / "fortran.npy", np.asfortranarray(values[:, 0]))
        np.save(self.folder / "complex.npy", values[:, 0].astype(complex))
        np.save(self.folder / "flat.npy", values[0, 0])

    def matlab_files(self):
        values = waves(COUNT, HEIGHT, WIDTH, seed=12)
        path = str(self.folder / "matlab.mat")
        hdf5storage.savemat(path, {"u": values, "lat": LATITUDES, "label": "a text"}, format="7.3", oned_as="column")
        self.expect("matlab", values[..., None], ["u"], None, LATITUDES)
        # As MATLAB itself writes an array of size [H W C N], which h5py shows in the opposite order.
        stack = waves(HEIGHT, WIDTH, 2, COUNT, seed=13)
        with h5py.File(self.folder / "stack.mat", "w", userblock_size=512) as file:
            file.create_dataset("stack", data=stack.transpose(3, 2, 1, 0)).attrs["MATLAB_class"] = np.bytes_("double")
        with open(self.folder / "stack.mat", "r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")
        self.expect("stack", stack.transpose(3, 0, 1, 2), ["stack_0", "stack_1"])
        scipy.io.savemat(self.folder / "old.mat", {"u": values})

    def foreign_files(self):
        with scipy.io.netcdf_file(self.folder / "classic.nc", "w") as file:
            file.createDimension("x", 4)
            file.createVariable("x", "f", ("x",))[:] = np.arange(4)
        for name in ("NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"):
            netCDF4.Dataset(self.folder / f"{name}.nc", "w", format=name).close()
        (self.folder / "weather.grib").write_bytes(b"GRIB\0\0\0\2")
        (self.folder / "cube.zarr").mkdir()
        (self.folder / "cube.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
        (self.folder / "arrays" / "u").mkdir(parents=True)
        (self.folder / "arrays" / "u" / ".zarray").write_text('{"zarr_format": 2}')
        for name in ("cube.zarr.zip", "cube.zip"):
            with zipfile.ZipFile(self.folder / name, "w") as archive:
                archive.writestr(".zgroup", '{"zarr_format": 2}')
                archive.writestr("u/.zarray", '{"zarr_format": 2}')
        (self.folder / "bulletin.grib").write_bytes(
            b"\1\r\r\n123\r\r\nHTXX01 EGRR 010000\r\r\nGRIB\0\0\0\2" + bytes(100))
        (self.folder / "table.csv").write_text("x,y,u\n0,0,1.5\n")
        grid = np.zeros((3, 4, 5))
        with h5py.File(self.folder / "bytes.h5", "w") as file:
            file["cloud"] = grid.astype(np.uint8)
        with h5py.File(self.folder / "bytes.mat", "w") as file:
            file["cloud"] = grid.astype(np.uint8)
        np.savez(self.folder / "bytes.npz", cloud=grid.astype(np.uint8))
        np.savez(self.folder / "x-train.npz", x_train=grid)
        np.save(self.folder / "mask.npy", grid > 0)
        np.save(self.folder / "records.npy", np.zeros((3, 4, 5), [("a", "<f4"), ("b", "<f4")]))

    def missing_files(self):
        values = waves(COUNT, HEIGHT, WIDTH, 2, seed=14).astype(np.float32)
        missing = np.random.default_rng(15).random(values.shape[:-1]) < 0.2
        missing[0], missing[1, 0] = False, [False] * 4 + [True] * (WIDTH - 4)
        kinds = np.random.default_rng(16).integers(0, 4, values.shape[:-1])
        holes = np.choose(kinds, [np.nan, np.inf, -np.inf, -999]).astype(np.float32)
        sst = np.where(missing, holes, values[..., 0])
        with h5py.File(self.folder / "missing.h5", "w") as file:
            file["sst"], file["u"] = sst, values[..., 1]
            file["sst"].attrs["_FillValue"] = np.float32(-999)
            file["clean"] = values[..., 1]
        present = ~missing
        mean = values[..., 0][present].astype(np.float64).mean().astype(np.float32)
        filled = np.where(present, values[..., 0], mean)
        # Means of the values of a block that are present.
        sums = np.where(present, values[..., 0].astype(np.float64), 0).reshape(COUNT, 3, 2, 5, 2).sum((2, 4))
        counts = present.reshape(COUNT, 3, 2, 5, 2).sum((2, 4))
        coarse = np.where(counts > 0, sums / np.maximum(counts, 1), mean).repeat(2, 1).repeat(2, 2)
        u = values[..., 1]
        coarse_u = u.astype(np.float64).reshape(COUNT, 3, 2, 5, 2).mean((2, 4), dtype=np.float64).repeat(2, 1).repeat(2, 2)
        fields = np.stack([filled, u, present, coarse, coarse_u], -1)
        seen = np.ones(fields.shape, bool)
        seen[..., 0] = present
        self.expect(
            "masked", fields, ["sst", "u", "sst_mask", "sst_coarse", "u_coarse"], ["", "", "1", "", ""], present=seen)
        (self.folder / "missing.txt").write_text(str(missing.sum()))

    def unwritten_files(self):
        """Variables of which NetCDF's library has filled three samples with what stands for missing values there."""
        names = ["i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "marked"]
        numbers = np.random.default_rng(18).integers(0, 1000, (COUNT, HEIGHT, WIDTH))
        present = np.ones((COUNT, HEIGHT, WIDTH, len(names)), bool)
        present[4:] = False
        present[..., -1] &= numbers != numbers[0, 0, 0]
        with netCDF4.Dataset(self.folder / "unwritten.nc", "w") as file:
            for name, length in (("time", COUNT), ("y", HEIGHT), ("x", WIDTH)):
                file.createDimension(name, length)
            for name in names + ["i1"]:
                dtype = name if name != "marked" else "i4"
                variable = file.createVariable(name, dtype, ("time", "y", "x"))
                if name == "marked":
                    variable.missing_value = np.int32(numbers[0, 0, 0])
                variable.set_auto_mask(False)
                variable[:4] = numbers[:4] % 128
                if name != "i1":
                    variable[:4] = numbers[:4]
            variable = file.createVariable("unfilled", "i2", ("time", "y", "x"), fill_value=False)
            variable.set_auto_mask(False)
            variable[:] = np.int16(-32767)
            variable[0] = numbers[0]
        values = np.repeat(numbers[..., None], len(names), -1).astype(np.float64)
        means = [values[..., channel][present[..., channel]].mean() for channel in range(len(names))]
        filled = np.where(present, values, np.float32(means))
        fields = np.concatenate([filled, present], -1)
        seen = np.concatenate([present, np.ones_like(present)], -1)
        self.expect(
            "unwritten", fields, names + [f"{name}_mask" for name in names], 9 * [""] + 9 * ["1"], present=seen)
        # All values of bytes are valid, and so are all of a variable that is not filled.
        bytes_ = np.where(np.arange(COUNT)[:, None, None] < 4, numbers % 128, -127)
        unfilled = np.where(np.arange(COUNT)[:, None, None] < 1, numbers, -32767)
        self.expect("unfilled", np.stack([bytes_, unfilled], -1), ["i1", "unfilled"])

    def damaged_files(self):
        for name in ("netcdf4.nc", "h5py.h5"):
            data = bytearray((self.folder / name).read_bytes())
            (self.folder / f"cut-{name}").write_bytes(data[: len(data) // 2])
            for start in range(200, min(len(data), 4000), 97):
                data[start] ^= 0xFF
            (self.folder / f"damaged-{name}").write_bytes(data)
        data = bytearray((self.folder / "deflated.npz").read_bytes())
        data[len(data) // 3] ^= 0x10
        (self.folder / "damaged.npz").write_bytes(data)
        (self.folder / "cut.npy").write_bytes((self.folder / "single.npy").read_bytes()[:-5])


def make(folder):
    sources = Sources(folder)
    for write in (
        sources.xarray_files, sources.netcdf4_file, sources.h5netcdf_file, sources.h5py_files,
        sources.dimension_files, sources.numpy_files, sources.matlab_files, sources.foreign_files, sources.missing_files,
        sources.unwritten_files, sources.damaged_files,
    ):
        write()


def differences(expected, path):
    """What is wrong with a packed file, in words."""
    with h5py.File(path) as file:
        fields = file["fields"][:]
        wanted = expected["fields"].astype(np.float32)
        if fields.dtype != np.float32 or fields.shape != wanted.shape:
            yield f"fields are {fields.dtype} {fields.shape}, not {wanted.shape}"
            return
        parts = [("fields", fields, wanted)]
        if "test" in expected:
            parts.append(("test/fields", file["test/fields"][:], expected["test"].astype(np.float32)))
        for name, values, right in parts:
            ulps = np.abs(values.astype(np.float64) - right) / np.spacing(np.abs(right))
            if not (ulps <= 1).all():
                yield f"{name} differ by up to {np.nanmax(ulps)} ulp, {(ulps > 1).sum()} values"
            sums = file[name.replace("fields", "crc32")][:]
            if any(zlib.crc32(sample.tobytes()) != checksum for sample, checksum in zip(values, sums)):
                yield f"checksums of {name}"
        for attribute in ("names", "units"):
            texts = [str(text) for text in file["fields"].attrs[attribute]]
            if texts != list(expected[attribute]):
                yield f"{attribute} are {texts}"
        for axis in ("y", "x"):
            if (axis in expected) != (f"coordinates/{axis}" in file):
                yield f"there are coordinates of {axis}: {axis not in expected}"
            elif axis in expected and not np.allclose(file[f"coordinates/{axis}"][:], expected[axis], rtol=1e-12):
                yield f"the coordinates of {axis} are {file[f'coordinates/{axis}'][:]}"
        present = expected["present"] if "present" in expected else np.ones(fields.shape, bool)
        values = np.ma.array(fields.astype(np.float64), mask=~present)
        for name, function, tolerance in (
            ("mean", np.ma.mean, 1e-12), ("standard_deviation", np.ma.std, 1e-12), ("minimum", np.ma.min, 0),
            ("maximum", np.ma.max, 0),
        ):
            own, right = file[f"statistics/{name}"][:], np.asarray(function(values, axis=(0, 1, 2)))
            size = np.abs(fields).max((0, 1, 2)) + 1e-300
            if not (np.abs(own - right) <= tolerance * size).all():
                yield f"{name} is {own}, not {right}"


def verify(folder):
    failed = False
    for path in sorted((folder / "expected").glob("*.npz")):
        packed = folder / "packed" / f"{path.stem}.h5"
        problems = list(differences(np.load(path), packed)) if packed.exists() else ["there is no such file"]
        print(f"{path.stem}: {'; '.join(problems) or 'the same'}")
        failed = failed or bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    {"make": make, "verify": verify}[sys.argv[1]](Path(sys.argv[2]))
