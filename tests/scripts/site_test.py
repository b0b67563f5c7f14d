#!/usr/bin/python3
"""What slurm/site offers to administrators: recipes that fit this project, and a module that finds its prefix."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = ROOT / "slurm" / "site"
BUILD = pathlib.Path(os.environ.get("ADAPT_BUILD", ROOT / "build" / "release"))
VERSION = re.search(r"project\(adapt VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
# A library as AdaptPackages.cmake, Spack and EasyBuild call it; None: it comes with the toolchain.
LIBRARIES = {"MPI": ("mpi", None), "dnnl": ("onednn", "oneDNN"), "HDF5": ("hdf5", "HDF5"), "Boost": ("boost", "Boost"),
             "yaml-cpp": ("yaml-cpp", "yaml-cpp"), "nlohmann_json": ("nlohmann-json", "nlohmann_json"),
             "ZLIB": ("zlib-api", "zlib"), "PNG": ("libpng", "libpng"), "OpenSSL": ("openssl", "OpenSSL"), "Random123": ("random123", "Random123"),
             "ONNX": ("onnx", "ONNX"), "Protobuf": ("protobuf", "protobuf"), "GTest": ("googletest", None)}  # fmt: skip
NOT_OURS = {"Threads", "OpenMP", "OpenCL"}  # of the compiler, or of a oneDNN that was built so


class Recipes(unittest.TestCase):
    def libraries(self) -> set[str]:
        """What the build looks for."""
        text = (ROOT / "src" / "cmake" / "AdaptPackages.cmake").read_text(encoding="utf-8")
        found = set(re.findall(r"\badapt_find\(([\w-]+)", text)) - NOT_OURS - {"name"}
        return found | {match for match in re.findall(r'"(\w+) \(Debian', text)}

    def test_every_library_is_known_here(self):
        self.assertEqual(self.libraries() - set(LIBRARIES), set())

    def test_spack(self):
        text = (SITE / "spack" / "packages" / "adapt" / "package.py").read_text(encoding="utf-8")
        ast.parse(text)
        self.assertEqual(re.findall(r'\bversion\("([^"]*)"', text), [VERSION])
        needed = {re.split(r"[@+~]", spec)[0] for spec in re.findall(r'depends_on\("([^"]*)"', text)}
        self.assertEqual({LIBRARIES[name][0] for name in self.libraries()} - needed, set())

    def test_easybuild(self):
        (path,) = SITE.glob("*.eb")
        recipe = {"SOURCE_TAR_GZ": "%(name)s-%(version)s.tar.gz", "SYSTEM": {}}
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), recipe)  # our own file, in EasyBuild's language
        toolchain = recipe["toolchain"]
        self.assertEqual(path.name, f"adapt-{VERSION}-{toolchain['name']}-{toolchain['version']}.eb")
        self.assertEqual((recipe["name"], recipe["version"]), ("adapt", VERSION))
        needed = {entry[0] for entry in recipe["dependencies"]}
        self.assertEqual({LIBRARIES[name][1] for name in self.libraries()} - {None} - needed, set())

    def test_container_calls_what_there_is(self):
        text = (SITE / "apptainer.def").read_text(encoding="utf-8")
        for path in re.findall(r"\. (\w+/[\w.]+) &&", text):
            self.assertTrue((ROOT / path).is_file(), path)
        code = ". experiments/packages.sh && declare -F adapt_install_packages"
        subprocess.run(["bash", "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        for option in re.findall(r"-D(ADAPT_\w+)", text):
            self.assertIn(f"option({option} ", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))


@unittest.skipUnless(shutil.which("modulecmd"), "environment-modules is not here")
class Module(unittest.TestCase):
    def test_finds_the_program_that_it_was_installed_with(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix = pathlib.Path(folder) / "some prefix"
            subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
            modules = prefix / "share" / "adapt" / "slurm" / "site" / "modules"
            code = ('eval "$(modulecmd bash load adapt)" && command -v adapt && adapt --version && man -w adapt-train &&'
                    ' eval "$(modulecmd bash unload adapt)" && ! command -v adapt')  # fmt: skip
            result = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False,
                                    env={"PATH": "/usr/bin:/bin", "HOME": folder, "MODULEPATH": str(modules)})  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertEqual(result.stdout.splitlines()[:2], [str(prefix / "bin" / "adapt"), f"adapt {VERSION}"])


if __name__ == "__main__":
    unittest.main()
