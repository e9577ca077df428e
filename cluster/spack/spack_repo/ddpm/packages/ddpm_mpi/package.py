import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class DdpmMpi(Package):
    """Trains diffusion models on the CPUs of a cluster. Needs a clone of the repository, whose folder is given as
    dev_path, and while it is built a network, from which Swift's package manager fetches a few packages."""

    homepage = "https://www.swift.org"

    version("main")

    depends_on("swift@6.2:", type="build")
    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("git", type="build")

    depends_on("mpi")
    depends_on("hdf5@1.10.7:1.14+mpi+hl")
    depends_on("libpng")
    depends_on("jpeg")
    depends_on("zlib-api")
    depends_on("libzip")
    depends_on("libyaml")
    depends_on("openblas threads=none")

    requires("^[virtuals=mpi] openmpi", "^[virtuals=mpi] mpich", "^[virtuals=mpi] mvapich", policy="one_of")

    def setup_build_environment(self, env):
        env.set("DDPM_MPI", "openmpi" if self.spec["mpi"].name == "openmpi" else "mpich")
        env.set("DEPENDENCIES", "no")
        # Swift compiles by way of clang.
        flags = self.spec.target.optimization_flags("clang", "17.0.0")
        march = re.search(r"-m(?:arch|cpu)=(\S+)", flags)
        if march:
            env.set("DDPM_MARCH", march.group(1))

    def install(self, spec, prefix):
        which("bash", required=True)("scripts/install.sh", prefix)
