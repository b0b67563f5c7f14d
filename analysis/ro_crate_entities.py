"""The entities of an RO-Crate of training runs: flat JSON-LD objects that refer to each other by @id."""

import datetime
import hashlib
import os
import urllib.parse

from analysis.metrics import METRICS
from analysis.selection import SEED, value_of

METADATA = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
PAPER = "https://arxiv.org/abs/2107.13490"
HDF5 = "http://www.nationalarchives.gov.uk/pronom/fmt/807"
RESULTS = ("test_accuracy", "best_test_accuracy", "training_speedup", "inference_speedup", "model_size", "word_length",
           "training_seconds")  # fmt: skip
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def crate_graph(options, runs, files):
    """All entities. `options`: name, description, author, orcid, license, and out, where the files are; `files`: for each run
    {"log": path, "configuration": path} within it."""
    author = _author(options)
    software, data, actions, parts, results = {}, {}, [], [], []
    for run, paths in zip(runs, files):
        tool, data_set = _software(run), _data_set(run)
        software[tool["@id"]], data[data_set["@id"]] = tool, data_set
        numbers = _result_values(run)
        results += numbers
        parts += _files(run, paths, options.out)
        actions.append(_action(run, paths, tool, data_set, numbers, author))
    root = _root(options, runs, parts, actions, author)
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    license_entity = {"@id": options.license, "@type": "CreativeWork", "name": os.path.basename(options.license)}
    format_entity = {"@id": HDF5, "@type": "WebSite", "name": "Hierarchical Data Format 5"}
    people = [author] if author else []
    return [_descriptor(), root, profile, license_entity, format_entity, *people, *software.values(), *data.values(),
            *actions, *parts, *results]  # fmt: skip


def _reference(entity):
    return {"@id": entity["@id"]}


def _path_id(path):
    """A path within the crate, or a name, as a part of a relative URI."""
    return urllib.parse.quote(path, safe="/", errors="surrogateescape")


def _descriptor():
    return {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": SPECIFICATION}, "about": {"@id": "./"}}


def _root(options, runs, parts, actions, author):
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": options.name or f"Training runs of adapt ({len(runs)})",
        "description": options.description or f"Logs, configurations and models of {len(runs)} training runs of neural "
        "networks with adaptive fixed-point precision.",
        "datePublished": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "license": {"@id": options.license},
        "hasPart": [_reference(part) for part in parts],
        "mentions": [_reference(action) for action in actions],
    }
    return root | ({"author": _reference(author)} if author else {})


def _author(options):
    """The person of --author and --orcid; None without a name."""
    if not options.author:
        return None
    identity = f"https://orcid.org/{options.orcid}" if options.orcid else "#author"
    return {"@id": identity, "@type": "Person", "name": options.author}


def _software(run):
    """The program, one entity per commit: what was run is told by that, not by its version alone."""
    known = run.provenance
    version, commit = known.get("adapt_version", "unknown"), known.get("git_commit", "unknown")
    changed = known.get("git_dirty") == "true"
    return {
        "@id": f"#adapt-{commit}{'-changed' if changed else ''}",
        "@type": "SoftwareApplication",
        "name": "adapt",
        "description": f"Trainer for adaptive fixed-point precision; commit {commit}{', with changes' if changed else ''}",
        "softwareVersion": version,
        "url": PAPER,
    }


def _data_set(run):
    """The data set, one entity per content; it is not in the crate."""
    name, digest = value_of(run, "data.name"), run.provenance.get("dataset_train_sha256", "")
    return {
        "@id": f"#data-{_path_id(name)}" + (f"-{digest[:16]}" if digest else ""),
        "@type": "CreativeWork",
        "name": name,
        "description": f"Data set {name}, not part of this crate; SHA-256 of the training data: {digest or 'unknown'}, of the "
        f"test data: {run.provenance.get('dataset_test_sha256', 'unknown')}",
    }


def _files(run, paths, folder):
    log = {"name": f"Log and model of {run.name}", "encodingFormat": ["application/x-hdf5", {"@id": HDF5}],
           "description": "Time series of steps, epochs and layers, precision switches, provenance, final model"}  # fmt: skip
    configuration = {"name": f"Configuration of {run.name}", "encodingFormat": "application/yaml",
                     "description": "Every key of the experiment, resolved"}  # fmt: skip
    return [_file(paths["log"], folder, log), _file(paths["configuration"], folder, configuration)]


def _file(path, folder, properties):
    with open(os.path.join(folder, path), "rb") as stream:
        content = stream.read()
    return {"@id": _path_id(path), "@type": "File", "contentSize": str(len(content)),
            "sha256": hashlib.sha256(content).hexdigest(), **properties}  # fmt: skip


def _result_values(run):
    """The run's results as entities."""
    values = []
    for name in RESULTS:
        value = METRICS[name].value(run)
        if value is not None:
            values.append({"@id": f"#{_path_id(run.name)}-{name}", "@type": "PropertyValue",
                           "name": METRICS[name].header, "value": str(value)})  # fmt: skip
    return values


def _action(run, paths, tool, data_set, numbers, author):
    action = {
        "@id": f"#training-{_path_id(run.name)}",
        "@type": "CreateAction",
        "name": f"Training of {value_of(run, 'model.name')} on {value_of(run, 'data.name')}, policy "
        f"{value_of(run, 'precision.policy')}, seed {value_of(run, SEED)}",
        "description": run.provenance.get("command_line", "adapt train"),
        "instrument": _reference(tool),
        "object": [{"@id": _path_id(paths["configuration"])}, _reference(data_set)],
        "result": [{"@id": _path_id(paths["log"])}, *map(_reference, numbers)],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    if "start_time" in run.provenance:
        action["startTime"] = run.provenance["start_time"]
    end = os.path.join(os.path.dirname(os.path.abspath(run.path)), "DONE")
    if os.path.exists(end):  # a stripped copy has none, and does not know the time
        seconds = os.stat(end).st_mtime
        action["endTime"] = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(TIME_FORMAT)
    return action | ({"agent": _reference(author)} if author else {})
