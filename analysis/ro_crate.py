#!/usr/bin/python3
"""ro_crate.py STORE|RUN_DIR --out DIR: an archive of one run or a sweep that says itself what it is.

Copies the finished runs to DIR and writes ro-crate-metadata.json, an RO-Crate 1.1 that follows the profile Process Run
Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5): one CreateAction for each training, by what program, from what
configuration and data, with what result; size and SHA-256 of every file.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules(("numpy", "h5py"))

import json
import os

from analysis.clocks import split_clocks
from analysis.digest import usable_digests
from analysis.errors import BadInput, Parser, complain, run_main
from analysis.files import make_folder, make_folder_within, write_atomically
from analysis.find_runs import find_runs
from analysis.printable import json_value, one_line, say
from analysis.ro_crate_entities import METADATA, crate_graph
from analysis.run_file import read_run
from analysis.run_names import with_distinct_names
from analysis.selection import chosen

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]


def arguments():
    """The parsed command line."""
    parser = Parser(description="Exports finished runs as an RO-Crate (Process Run Crate), for archives.")
    parser.add_argument("results", metavar="STORE|RUN_DIR", nargs="+", help="store, folder to search for runs, or run")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder of the crate: new or empty")
    parser.add_argument("--where", metavar="KEY=VALUE", action="append", default=[],
                        help="only runs with this setting (see compare.py --help)")
    parser.add_argument("--name", help="title of the crate")
    parser.add_argument("--description", help="what the runs are for")
    parser.add_argument("--author", metavar="NAME", help="who ran them")
    parser.add_argument("--orcid", metavar="ID", help="ORCID of the author, such as 0000-0002-1825-0097")
    parser.add_argument("--license", metavar="URL", default="https://spdx.org/licenses/CC-BY-4.0",
                        help="of the crate's content (default: CC BY 4.0)")
    return parser.parse_args()  # fmt: skip


def copied_files(run, folder):
    """Copies a run's log and configuration to folder/<name>/; returns the paths within `folder`."""
    place = make_folder_within(folder, run.name)
    with open(run.path, "rb") as stream:
        write_atomically(os.path.join(place, "run.h5"), stream.read())
    write_atomically(os.path.join(place, "configuration.yaml"), read_run(run.path).configuration_text)
    return {"log": f"{run.name}/run.h5", "configuration": f"{run.name}/configuration.yaml"}


def main():
    """Reads all runs first, so that bad input leaves nothing half written."""
    options = arguments()
    if os.path.isdir(options.out) and os.listdir(options.out):
        raise BadInput(f"--out {options.out}: not empty; expected a new folder, so that the crate holds what it lists")
    found, _ = split_clocks(usable_digests(find_runs(options.results)))
    found = chosen(with_distinct_names(found), options.where)
    runs = [run for run in found if run.done]
    if not runs:
        raise BadInput(f"{options.results[0]}: none of {len(found)} runs is finished; expected at least one with DONE")
    make_folder(options.out)
    files = [copied_files(run, options.out) for run in runs]
    graph = crate_graph(options, runs, files)
    text = json.dumps({"@context": CONTEXT, "@graph": json_value(graph)}, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(os.path.join(options.out, METADATA), text + "\n")
    if len(runs) < len(found):
        complain("note", f"{len(found) - len(runs)} runs left out: not finished")
    say(f"{len(runs)} runs: {one_line(os.path.abspath(os.path.join(options.out, METADATA)))}")
    return 0


if __name__ == "__main__":
    run_main(main)
