"""Opens files that `peer-program field-file` and `ddpm-mpi sample` have written, with xarray and both of its engines for
netCDF-4.

    python netcdf.py samples FILE.nc COUNT
    python netcdf.py members FILE.nc COUNT MEMBERS
    python netcdf.py source FILE.nc               writes 8 samples of two variables, to train on
    python netcdf.py drawn FILE.nc SOURCE.nc      compares an ensemble of 2 x 3 fields with what it was trained on

Run by scripts/test/peers/netcdf.sh. A difference or a warning is an error.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import netCDF4
import numpy as np
import xarray


def expected(shape):
    """The values of field f at the point (y, x), of this shape [..., y, x]."""
    index = np.arange(np.prod(shape[:-2])).reshape(shape[:-2] + (1, 1))
    return 100.0 * index + 10 * np.arange(shape[-2])[:, None] + np.arange(shape[-1])


def verify(data, sizes):
    """Compares an opened file with what was written; `sizes` are those of all dimensions, in order."""
    dimensions = tuple(sizes)
    assert dict(data.sizes) == sizes, data.sizes
    assert set(data.data_vars) == {"wind u", "T"}, data.data_vars
    assert set(data.coords) == set(dimensions) - {"x"}, data.coords
    assert data.attrs == {"title": "fields of rank \u2192 file"}, data.attrs
    first = dimensions[0]
    np.testing.assert_array_equal(data[first], 5 + np.arange(sizes[first]))
    if "member" in sizes:
        np.testing.assert_array_equal(data["member"], np.arange(sizes["member"]))
    latitude = data["latitude"]
    np.testing.assert_array_equal(latitude, [50, 50.5, 51])
    assert latitude.dtype == np.float64 and latitude.attrs == {"units": "degrees_north"}, latitude
    wanted = expected(tuple(sizes.values()))
    for name, values, units, label in (
        ("wind u", wanted, "m s-1", "wind towards the east"), ("T", wanted / 2, "K", "T")
    ):
        variable = data[name]
        assert variable.dims == dimensions and variable.dtype == np.float32, variable
        assert variable.attrs == {"units": units, "long_name": label}, variable.attrs
        np.testing.assert_array_equal(variable.values, values)
    # By name and coordinate, as a user selects.
    part = data["T"].sel({first: 6, "latitude": 50.5}).isel(x=2)
    np.testing.assert_array_equal(part, wanted[1, ..., 1, 2] / 2)


def write_source(path):
    """Two variables on a grid whose rows have coordinates."""
    random = np.random.default_rng(1)
    dimensions = ("time", "latitude", "longitude")
    xarray.Dataset(
        {
            "temperature": (
                dimensions, random.normal(280, 3, (8, 32, 32)).astype("f4"),
                {"units": "K", "long_name": "air temperature"}),
            "orography": (dimensions, random.uniform(0, 900, (8, 32, 32)).astype("f4"), {"units": "m"}),
        },
        coords={
            "latitude": ("latitude", np.linspace(60, 44.5, 32), {"units": "degrees_north"}),
            "longitude": ("longitude", np.linspace(0, 15.5, 32), {"units": "degrees_east"}),
        },
    ).to_netcdf(path, engine="netcdf4")


def verify_drawn(path, source_path):
    """Temperatures drawn by a model, for two given orographies."""
    with xarray.open_dataset(source_path) as source:
        for engine in ("h5netcdf", "netcdf4"):
            with xarray.open_dataset(path, engine=engine) as data:
                sizes = {"condition": 2, "member": 3, "latitude": 32, "longitude": 32}
                assert dict(data.sizes) == sizes, data.sizes
                assert set(data.data_vars) == {"temperature"}, data.data_vars
                np.testing.assert_array_equal(data["condition"], [1, 2])
                np.testing.assert_array_equal(data["member"], [0, 1, 2])
                for name in ("latitude", "longitude"):
                    xarray.testing.assert_identical(data[name], source[name])
                drawn = data["temperature"]
                assert drawn.dims == tuple(sizes) and drawn.dtype == np.float32, drawn
                assert drawn.attrs == source["temperature"].attrs, drawn.attrs
                assert np.isfinite(drawn).all() and abs(float(drawn.mean()) - 280) < 10, drawn
                assert float(drawn.std("member").mean()) > 0
                attributes = {name: data.attrs[name] for name in ("first", "members", "seed")}
                assert attributes == {"first": 1, "members": 3, "seed": 4}, data.attrs
            print(f"{engine}: {', '.join(f'{name} {size}' for name, size in sizes.items())}")


def main():
    warnings.simplefilter("error")
    command, path, *numbers = sys.argv[1:]
    if command == "source":
        return write_source(path)
    if command == "drawn":
        return verify_drawn(path, *numbers)
    names = {"samples": ("sample",), "members": ("condition", "member")}[command]
    sizes = dict(zip(names, map(int, numbers), strict=True)) | {"latitude": 3, "x": 4}
    for engine in ("h5netcdf", "netcdf4"):
        with xarray.open_dataset(path, engine=engine) as data:
            verify(data, sizes)
            # What xarray makes of it is the same again.
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "copy.nc"
                data.to_netcdf(copy, engine=engine)
                with xarray.open_dataset(copy, engine=engine) as again:
                    verify(again, sizes)
        print(f"{engine}: {', '.join(f'{name} {size}' for name, size in sizes.items())}")
    with netCDF4.Dataset(path) as file:
        assert {name: len(dimension) for name, dimension in file.dimensions.items()} == sizes, file.dimensions
        assert "x" not in file.variables, "a dimension without coordinates is read as a variable"


if __name__ == "__main__":
    main()
