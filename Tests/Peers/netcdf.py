"""Opens files that `peer-program field-file` has written, with xarray and both of its engines for netCDF-4.

    python netcdf.py samples FILE.nc COUNT
    python netcdf.py members FILE.nc COUNT MEMBERS

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


def main():
    warnings.simplefilter("error")
    command, path, *numbers = sys.argv[1:]
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
