#!/usr/bin/env python3
"""Checks that nothing depends on what another header happens to bring along: the next compiler's may not.

 - A name of the standard library is used only where its header is included, directly or through headers of our own.
 - Each header of our own compiles alone. Where a source includes it first, the build has shown that already; the
   others are given to the compiler, with the options of the build.

usage: headers_test.py BUILD_DIR     tests the checks on made-up trees, then checks this tree
"""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = None  # the folder of the build, from the command line
FOLDERS = ["src", "tests"]  # what includes in quotes are relative to

# Header: names of namespace std that it declares. Those that come with several headers are left out.
STANDARD = {
    "algorithm": "adjacent_find all_of any_of binary_search clamp copy copy_if copy_n count count_if equal equal_range fill"
                 " fill_n find find_if find_if_not for_each generate generate_n is_sorted lexicographical_compare"
                 " lower_bound max max_element merge min min_element minmax minmax_element mismatch none_of nth_element"
                 " partial_sort partition remove remove_if replace reverse rotate sample search set_difference shuffle"
                 r" sort stable_sort swap_ranges transform unique upper_bound ranges::\w+",
    "array": "array",
    "atomic": r"atomic atomic_\w+ memory_order_\w+",
    "bit": "bit_cast bit_ceil bit_width countl_zero countr_zero has_single_bit popcount",
    "charconv": "from_chars to_chars",
    "chrono": r"chrono::\w+",
    "cmath": "abs ceil copysign exp exp2 fabs floor fma fmod frexp hypot isfinite isinf isnan ldexp llround log log10 log2"
             " lrint lround nearbyint nextafter pow round scalbn signbit sqrt tanh trunc",
    "complex": "complex",
    "condition_variable": "condition_variable",
    "csignal": "raise sig_atomic_t signal",
    "cstdint": r"u?int(?:8|16|32|64)_t u?intmax_t u?intptr_t",
    "cstdio": "FILE fclose fflush fopen fprintf fputs fread fwrite printf snprintf",
    "cstdlib": "abort exit free getenv malloc strtod strtol strtoll strtoul strtoull system",
    "cstring": "memcmp memcpy memmove memset strchr strcmp strerror strlen",
    "ctime": "gmtime localtime mktime strftime time tm",
    "deque": "deque",
    "exception": "current_exception exception exception_ptr rethrow_exception terminate uncaught_exceptions",
    "filesystem": r"filesystem::\w+",
    "fstream": "fstream ifstream ofstream",
    "functional": "bit_or bit_xor cref divides function greater hash invoke less minus multiplies plus ref"
                  " reference_wrapper",
    "future": "async future packaged_task promise",
    "initializer_list": "initializer_list",
    "iomanip": "put_time setfill setprecision setw",
    "iostream": "cerr cin clog cout",
    "iterator": "back_inserter inserter istreambuf_iterator make_move_iterator ostream_iterator",
    "limits": "numeric_limits",
    "list": "list",
    "map": "map multimap",
    "memory": "make_shared make_unique shared_ptr unique_ptr weak_ptr",
    "mutex": "call_once lock_guard mutex once_flag scoped_lock unique_lock",
    "new": "align_val_t bad_alloc nothrow",
    "numbers": r"numbers::\w+",
    "numeric": "accumulate adjacent_difference exclusive_scan gcd inclusive_scan inner_product iota lcm midpoint"
               " partial_sum reduce transform_reduce",
    "optional": "nullopt optional",
    "queue": "priority_queue queue",
    "random": r"mt19937(?:_64)? \w+_distribution random_device",
    "regex": r"regex regex_\w+ smatch",
    "set": "multiset set",
    "span": "as_bytes as_writable_bytes span",
    "sstream": "istringstream ostringstream stringstream",
    "stdexcept": "invalid_argument logic_error out_of_range runtime_error",
    "string": "getline stod stoi stol stoll stoul stoull string to_string",
    "string_view": "string_view",
    "system_error": "errc error_code generic_category system_category system_error",
    "thread": r"jthread thread this_thread::\w+",
    "tuple": "apply make_tuple tie tuple",
    "type_traits": "conditional_t decay_t invoke_result_t is_arithmetic_v is_floating_point_v is_integral_v is_same_v"
                   " make_unsigned_t remove_cvref_t underlying_type_t",
    "unordered_map": "unordered_map",
    "unordered_set": "unordered_set",
    "utility": "as_const declval exchange forward make_pair move pair swap",
    "variant": "get_if holds_alternative monostate variant visit",
    "vector": "vector",
}
NAMES = {header: re.compile(r"\bstd::(" + "|".join(names.split()) + r")\b") for header, names in STANDARD.items()}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


class Tree:
    """The C++ files below the FOLDERS of a root."""

    def __init__(self, root):
        self.texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
                      for folder in FOLDERS for path in sorted((root / folder).rglob("*"))
                      if path.suffix in {".cpp", ".hpp"}}
        self.includes = {path: INCLUDE.findall(text) for path, text in self.texts.items()}

    def own(self, header):
        """The path of what `#include "header"` brings, or None when it is not of this tree."""
        return next((f"{folder}/{header}" for folder in FOLDERS if f"{folder}/{header}" in self.texts), None)

    def outside(self, path, seen=None):
        """The headers in angle brackets that `path` includes, directly or through our own headers."""
        seen = set() if seen is None else seen
        seen.add(path)
        found = set()
        for kind, header in self.includes[path]:
            own = self.own(header) if kind == '"' else None
            if own is None:
                found.add(header)
            elif own not in seen:
                found |= self.outside(own, seen)
        return found


def unincluded_names(tree):
    """Problems: names of the standard library whose header is not included."""
    problems = []
    for path, text in tree.texts.items():
        code = NOT_CODE.sub(" ", text)
        included = tree.outside(path)
        for header, names in NAMES.items():
            used = names.search(code) if header not in included else None
            if used:
                problems.append(f"{path}: {used[0]} without #include <{header}>")
    return problems


def headers_that_nothing_shows(tree, built):
    """The headers that no source of `built`, paths of compiled files, includes before all else."""
    shown = {tree.own(includes[0][1]) for path, includes in tree.includes.items() if path in built and includes}
    return [path for path in tree.texts if path.endswith(".hpp") and path not in shown]


def dependent_headers(root, headers, compiler):
    """Problems: those of `headers` that `compiler`, a command without a file, refuses alone."""

    def refusal(header):
        # Included, rather than compiled itself: a header that is the main file is warned of.
        result = subprocess.run([*compiler, "-fsyntax-only", "-x", "c++", "-"], input=f'#include "{root / header}"\n',
                                capture_output=True, text=True, check=False)
        lines = [line for line in result.stderr.splitlines() if "error" in line]
        return f"{header} does not compile alone: {lines[0] if lines else result.stderr}" if result.returncode else None

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [problem for problem in pool.map(refusal, headers) if problem]


def built_sources(root, build):
    """{path relative to `root`: compile command without file and output} of the sources of a build."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = os.path.relpath(entry["file"], root)
        words = shlex.split(entry["command"])
        commands[path] = words[:words.index("-o")] + words[words.index("-o") + 2:-2]  # ... -o OBJECT -c FILE
    return commands


class MadeUpTree(unittest.TestCase):
    """The checks must be able to fail."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def tree(self, files):
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")
        return Tree(self.root)

    def test_names(self):
        tree = self.tree({
            "src/base/a.hpp": "#include <vector>\nstd::vector<int> a();\n",
            "src/base/a.cpp": '#include "base/a.hpp"\n// std::sort\nstd::vector<int> a() { return {}; }\n',
            "tests/base/a_test.cpp": '#include "base/a.hpp"\nvoid f() { std::ranges::sort(a()); std::min(1, 2); }\n',
            "tests/base/b_test.cpp": '#include "base/a.hpp"\nconst char* b = "std::sort"; std::string_view c;\n'})
        self.assertEqual(unincluded_names(tree), [
            "tests/base/a_test.cpp: std::ranges::sort without #include <algorithm>",
            "tests/base/b_test.cpp: std::string_view without #include <string_view>"])

    def test_headers(self):
        tree = self.tree({
            "src/base/a.hpp": "#include <vector>\nstd::vector<int> a();\n", "src/base/a.cpp": '#include "base/a.hpp"\n',
            "src/base/b.hpp": "std::vector<int> b();\n", "src/base/b.cpp": '#include "base/a.hpp"\n#include "base/b.hpp"\n',
            "src/base/c.hpp": '#pragma once\n#include "base/a.hpp"\nstd::vector<int> c();\n'})
        self.assertEqual(headers_that_nothing_shows(tree, {"src/base/b.cpp"}), ["src/base/b.hpp", "src/base/c.hpp"])
        compiler = [os.environ.get("CXX", "c++"), "-std=c++20", "-Werror", f"-I{self.root / 'src'}"]
        (problem,) = dependent_headers(self.root, list(tree.texts), compiler)
        self.assertRegex(problem, "^src/base/b.hpp does not compile alone: .*std")


class ThisTree(unittest.TestCase):
    """The project itself."""

    tree = Tree(ROOT)

    def test_names(self):
        self.assert_none(unincluded_names(self.tree))

    def test_headers(self):
        commands = built_sources(ROOT, BUILD)
        headers = headers_that_nothing_shows(self.tree, commands)
        self.assertLess(len(headers), len(self.tree.texts) / 8, "few sources include their own header first")
        compiler = commands["tests/base/file_test.cpp"]  # a test may include everything
        self.assert_none(dependent_headers(ROOT, headers, compiler))

    def assert_none(self, problems):
        if problems:
            self.fail("\n" + "\n".join(problems))


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    unittest.main()
