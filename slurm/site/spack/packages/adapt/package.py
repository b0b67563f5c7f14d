"""Spack's recipe of adapt. From the top of the source tree:

spack repo add slurm/site/spack && spack dev-build adapt@0.1.0
"""

from spack.package import *


class Adapt(CMakePackage):
    """Trains neural networks with per-layer adaptive fixed-point precision (AdaPT) on any number of MPI ranks."""

    homepage = "https://arxiv.org/abs/2107.13490"

    license("Apache-2.0")

    # Without an address: the source is the tree that dev-build is called in.
    version("0.1.0")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("mpi")
    depends_on("onednn@2.6:")
    depends_on("hdf5@1.10:~mpi")
    depends_on("boost+program_options")
    depends_on("yaml-cpp")
    depends_on("nlohmann-json")
    depends_on("random123")
    depends_on("zlib-api")
    depends_on("libpng@1.6:")
    depends_on("openssl")
    depends_on("onnx@1.12:")
    depends_on("protobuf")
    depends_on("googletest", type="test")
    # The scripts of analysis/, and the manual pages.
    depends_on("python@3.9:", type=("build", "run"))
    depends_on("py-h5py", type="run")
    depends_on("py-numpy", type="run")
    depends_on("py-matplotlib", type="run")
    depends_on("py-scipy", type="run")
    depends_on("py-pyyaml", type="run")

    requires("target=x86_64:", msg="vector code is for x86-64")

    generator("ninja")

    def cmake_args(self):
        """Tests are built when they are to be run."""
        return [self.define("ADAPT_TESTS", self.run_tests)]

    def test_version(self):
        """The installed program starts and says its version."""
        adapt = which(self.prefix.bin.adapt)
        assert f"adapt {self.spec.version}" in adapt("--version", output=str.split)
