import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Swift(Package):
    """The Swift compiler of swift.org, which Spack finds but does not install: spack external find swift."""

    homepage = "https://www.swift.org/install/linux"

    executables = ["^swift$"]
    has_code = False

    version("6.3")
    version("6.2")

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str)
        match = re.search(r"Swift version (\d+\.\d+)", output)
        return match.group(1) if match else None

    def install(self, spec, prefix):
        raise InstallError("install Swift from %s, and run: spack external find swift" % self.homepage)
