#!/usr/bin/env python3
"""Checks the architecture: who may include what, and how long files are.

 - An include points downwards: from a module of a higher layer to one of a lower layer. Modules of the same layer
   do not include each other, except that mpi/ and hdf5/ use base/.
 - Each external library is touched by one module only.
 - Within nn/, too, an include points downwards among its folders, and kernels/ knows no graph.
 - No circle among files.
 - Only base/ prints: text from files must not reach a terminal as it is (base/terminal.hpp).
 - Nobody calls the C library's exp, log, ...: their bits depend on the processor (numerics/functions.hpp).
 - Nine of ten files have less than 400 lines, none more than 800.

Run without arguments: tests the checks on made-up trees, then checks this tree.
"""

import re
import tempfile
import unittest
from pathlib import Path

LAYERS = {
    "base": 0, "mpi": 0, "hdf5": 0, "yaml": 0,
    "numerics": 1,
    "data": 2,
    "precision": 3, "nn": 3,
    "record": 4, "exchange": 4, "control": 4,
    "train": 5, "export": 5,
    "experiment": 6, "bench": 6,
    "cli": 7,
}

# Includes between modules of the same layer that are allowed: (from, to).
SAME_LAYER = {("mpi", "base"), ("hdf5", "base"), ("yaml", "base")}

# The folders of nn/, lowest first; those of the same number do not include each other. What is in none of them is the
# graph and what joins all. Kernels are arithmetic: of that they know shapes only.
NN_FOLDERS = {"kernels": 0, "layers": 1, "ops": 2, "passes": 3, "quantized": 4, "inference": 4}
KERNELS_MAY_KNOW = {"nn/shape.hpp"}

# Headers that the build generates.
GENERATED = {"record/build_info.hpp", "nn/shipped_models.hpp"}

# What only these modules may include: pattern of the header, modules.
EXTERNAL = [
    (r"boost/", "cli"),
    (r"yaml-cpp/", "yaml"),
    (r"nlohmann/", "base"),
    (r"(hdf5|H5\w*)\.h$", "hdf5"),
    (r"mpi\.h$", "mpi"),
    (r"(oneapi/)?dnnl", "nn"),
    (r"zlib\.h$", "data", "record"),
    (r"png\.h$", "data"),
    (r"\w*intrin\.h$", "numerics"),
    (r"benchmark/", "bench"),
    (r"(onnx|google)/", "export", "record"),
]

PRINTING = re.compile(r"std::(?:cout|cerr|clog)\b|\b(?:stdout|stderr)\b|\b(?:f|v|vf)?printf\(|\bputs\(")
FUNCTION_NAMES = (r"(?:exp|exp2|expm1|log|log2|log10|log1p|pow|sinh?|cosh?|tanh?|a(?:sin|cos|tan)h?|atan2|cbrt|hypot|erfc?|"
                  r"[tl]gamma)\(")
FUNCTION = re.compile(r"(?:std|[^\w>]|^)::" + FUNCTION_NAMES)
OWN_FUNCTION = re.compile(r"(?<![\w:.>])" + FUNCTION_NAMES)
FUNCTIONS = "numerics/functions.hpp"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
MEASURED_FOLDERS = ["src", "tests", "analysis", "slurm", "experiments"]
MEASURED_SUFFIXES = {".cpp", ".hpp", ".inc", ".py", ".sh"}
USUAL_LINES = 400
MOST_LINES = 800


def source_files(src):
    """All C++ files below `src` with their includes: {relative path: [(kind, header)]}."""
    files = sorted(p for p in src.rglob("*") if p.suffix in {".cpp", ".hpp", ".inc"})
    return {p.relative_to(src).as_posix(): INCLUDE.findall(p.read_text(encoding="utf-8")) for p in files}


def may_include(module, other):
    """Whether a file of `module` may include one of `other`."""
    return module == other or LAYERS[other] < LAYERS[module] or (module, other) in SAME_LAYER


def check_own(path, header, files):
    """Problems of an include of one of our own files."""
    module, other = path.split("/")[0], header.split("/")[0]
    if header in GENERATED:
        return []
    if header not in files:
        return [f'{path}: includes "{header}", which is not in src/']
    if module == other == "nn":
        return check_within_nn(path, header)
    if other not in LAYERS or module not in LAYERS or may_include(module, other):
        return []
    return [f'{path}: {module}/ (layer {LAYERS[module]}) must not include "{header}" (layer {LAYERS[other]})']


def check_within_nn(path, header):
    """Problems of an include of one file of nn/ by another."""
    folder, other = (name.split("/")[1] if name.count("/") > 1 else "" for name in (path, header))
    unknown = [name for name in (folder, other) if name and name not in NN_FOLDERS]
    if unknown:
        return [f"{path}: nn/{unknown[0]}/ is not in the table of nn's folders"]
    if folder == "kernels" and other != folder and header not in KERNELS_MAY_KNOW:
        return [f'{path}: nn/kernels/ knows no graph and must not include "{header}"']
    if folder and other and folder != other and NN_FOLDERS[other] >= NN_FOLDERS[folder]:
        return [f'{path}: nn/{folder}/ must not include "{header}"; its folder is not below']
    return []


def check_external(path, header):
    """Problems of an include of somebody else's file."""
    module = path.split("/")[0]
    for pattern, *owners in EXTERNAL:
        if re.match(pattern, header) and module not in owners:
            return [f"{path}: includes <{header}>, which only {' and '.join(f'{owner}/' for owner in owners)} may touch"]
    return []


def check_includes(src):
    """Problems of the includes of all files below `src`."""
    files = source_files(src)
    problems = [f"{path}: {path.split('/')[0]} is not in the table of layers"
                for path in files if path.split("/")[0] not in LAYERS]
    for path, includes in files.items():
        for kind, header in includes:
            problems += check_own(path, header, files) if kind == '"' else check_external(path, header)
    return problems + check_circles(files)


def check_circles(files):
    """The first circle of includes, if any."""
    finished = set()

    def visit(path, trail):
        if path in trail:
            return trail[trail.index(path):] + [path]
        if path in finished:
            return None
        for _, header in files[path]:
            circle = visit(header, trail + [path]) if header in files else None
            if circle:
                return circle
        finished.add(path)
        return None

    for start in files:
        circle = visit(start, [])
        if circle:
            return ["a circle of includes: " + " -> ".join(circle)]
    return []


def check_printing(src):
    """Problems of files that print by other means than those of base/."""
    return [f"{path}: prints by {found[0]}, which only base/ may touch; expected print_line(), print_text() or log_info()"
            for path in source_files(src) if not path.startswith("base/")
            if (found := PRINTING.search((src / path).read_text(encoding="utf-8")))]


def check_functions(src):
    """Problems of files that compute with functions of the C library."""
    problems = []
    for path, includes in source_files(src).items():
        text = (src / path).read_text(encoding="utf-8")
        found = FUNCTION.search(text)
        is_own = path.startswith(("numerics/functions.", "numerics/vector/")) or ('"', FUNCTIONS) in includes
        if not found and not is_own:
            found = OWN_FUNCTION.search(re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", text))
        if found:
            problems.append(f"{path}: calls {found[0].strip()}), whose bits depend on the processor; expected those of {FUNCTIONS}")
    return problems


def check_lengths(root):
    """Problems of the lengths of all files."""
    lengths = {}
    for folder in MEASURED_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in MEASURED_SUFFIXES and path.is_file():
                lengths[path.relative_to(root).as_posix()] = len(path.read_bytes().splitlines())
    problems = [f"{path}: {lines} lines; expected at most {MOST_LINES}"
                for path, lines in lengths.items() if lines > MOST_LINES]
    long = [path for path, lines in lengths.items() if lines >= USUAL_LINES]
    if 10 * len(long) > len(lengths):
        problems.append(f"{len(long)} of {len(lengths)} files have {USUAL_LINES} lines or more; "
                        f"expected at most one in ten: {', '.join(long)}")
    return problems


class MadeUpTree(unittest.TestCase):
    """The checks must be able to fail."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def problems(self, **files):
        for path, text in files.items():
            self.write("src/" + path.replace("__", "/") + ".hpp", text)
        return check_includes(self.root / "src")

    def test_what_is_allowed(self):
        self.assertEqual(self.problems(
            base__a="#include <vector>\n", mpi__a='#include "base/a.hpp"\n#include <mpi.h>\n',
            hdf5__a='#include "base/a.hpp"\n#include <hdf5.h>\n', data__a="#include <zlib.h>\n",
            nn__a='#include "data/a.hpp"\n#include <oneapi/dnnl/dnnl.hpp>\n', nn__b='#include "nn/a.hpp"\n',
            exchange__a='#include "nn/a.hpp"\n#include "mpi/a.hpp"\n', yaml__a="#include <yaml-cpp/yaml.h>\n",
            experiment__a='#include "yaml/a.hpp"\n',
            cli__a='#include "experiment/a.hpp"\n#include <boost/program_options.hpp>\n'), [])

    def test_upwards(self):
        self.assertEqual(self.problems(base__a='#include "nn/a.hpp"\n', nn__a=""),
                         ['base/a.hpp: base/ (layer 0) must not include "nn/a.hpp" (layer 3)'])

    def test_sideways(self):
        self.assertEqual(self.problems(nn__a='# include "precision/a.hpp"', precision__a=""),
                         ['nn/a.hpp: nn/ (layer 3) must not include "precision/a.hpp" (layer 3)'])
        self.assertEqual(len(self.problems(base__b='#include "mpi/b.hpp"\n', mpi__b="")), 2)

    def test_within_nn(self):
        self.assertEqual(self.problems(
            nn__shape="", nn__graph="", nn__kernels__a='#include "nn/shape.hpp"\n', nn__ops__a='#include "nn/graph.hpp"\n',
            nn__passes__a='#include "nn/ops/a.hpp"\n#include "nn/kernels/a.hpp"\n'), [])
        self.assertEqual(self.problems(nn__kernels__b='#include "nn/graph.hpp"\n', nn__ops__b='#include "nn/passes/a.hpp"\n',
                                       nn__attic__b='#include "nn/shape.hpp"\n'),
                         ["nn/attic/b.hpp: nn/attic/ is not in the table of nn's folders",
                          'nn/kernels/b.hpp: nn/kernels/ knows no graph and must not include "nn/graph.hpp"',
                          'nn/ops/b.hpp: nn/ops/ must not include "nn/passes/a.hpp"; its folder is not below'])

    def test_external(self):
        headers = ["boost/any.hpp", "yaml-cpp/yaml.h", "hdf5.h", "H5Fpublic.h", "mpi.h", "dnnl.hpp",
                   "oneapi/dnnl/dnnl.h", "zlib.h", "immintrin.h", "benchmark/benchmark.h",
                   "onnx/checker.h"]
        problems = self.problems(train__a="".join(f"#include <{header}>\n" for header in headers))
        self.assertEqual(len(problems), len(headers), problems)
        self.assertEqual(problems[4], "train/a.hpp: includes <mpi.h>, which only mpi/ may touch")

    def test_circle(self):
        problems = self.problems(nn__a='#include "nn/b.hpp"\n', nn__b='#include "nn/c.hpp"\n',
                                 nn__c='#include "nn/a.hpp"\n')
        self.assertEqual(problems, ["a circle of includes: nn/a.hpp -> nn/b.hpp -> nn/c.hpp -> nn/a.hpp"])

    def test_unknown_module_and_missing_file(self):
        self.assertEqual(self.problems(attic__a='#include "base/nothing.hpp"\n'),
                         ["attic/a.hpp: attic is not in the table of layers",
                          'attic/a.hpp: includes "base/nothing.hpp", which is not in src/'])

    def test_printing(self):
        self.write("src/base/a.cpp", "std::cout << 1;\n")
        self.write("src/cli/a.cpp", "std::snprintf(text, 8, x); print_line(text);\n")
        self.assertEqual(check_printing(self.root / "src"), [])
        for statement in ("std::cout << x", "std::fprintf(stderr, x)", 'printf("x")', "std::fputs(x, stdout)"):
            self.write("src/nn/a.cpp", f"{statement};\n")
            self.assertEqual([problem.split(":")[0] for problem in check_printing(self.root / "src")], ["nn/a.cpp"])

    def test_lengths(self):
        for i in range(9):
            self.write(f"src/base/{i}.cpp", "\n" * 399)
        self.write("tests/long.py", "\n" * 400)
        self.assertEqual(check_lengths(self.root), [])
        self.write("slurm/long.sh", "\n" * 801)
        self.assertEqual(check_lengths(self.root), [
            "slurm/long.sh: 801 lines; expected at most 800",
            "2 of 11 files have 400 lines or more; expected at most one in ten: tests/long.py, slurm/long.sh"])

    def test_functions_of_the_c_library_are_found(self):
        self.write("src/nn/a.cpp", '#include "numerics/functions.hpp"\n'
                                   "double f(double x) { return std::sqrt(std::floor(x)) + adapt::exp(x) + log(x); }")
        self.assertEqual(check_functions(self.root / "src"), [])
        for call in ("std::exp(1.0)", "std::tanh(x)", "std::log2(x)", "::atan2(x, y)", "log(x)"):
            self.write("src/nn/a.cpp", f"double f(double x) {{ return {call}; }}")
            self.assertEqual([problem.split(":")[0] for problem in check_functions(self.root / "src")], ["nn/a.cpp"])


class ThisTree(unittest.TestCase):
    """The project itself."""

    root = Path(__file__).resolve().parent.parent

    def test_includes(self):
        self.assertGreater(len(source_files(self.root / "src")), 10)
        self.assertEqual(check_includes(self.root / "src"), [])

    def test_printing(self):
        self.assertEqual(check_printing(self.root / "src"), [])

    def test_functions(self):
        self.assertEqual(check_functions(self.root / "src"), [])

    def test_lengths(self):
        self.assertEqual(check_lengths(self.root), [])


if __name__ == "__main__":
    unittest.main()
