"""Typed, checked reading of the small tables of a run.h5: named columns of equal length.

Raises Damage, whose text names the place inside the file; the caller adds the path.
"""

import h5py
import numpy as np

from analysis.configuration import resolved_values
from analysis.errors import BadInput

MAX_ROWS = 50_000_000  # a damaged size field must not make us allocate the machine's memory
HARMLESS = 1 << 20  # bytes that any dataset may claim
LARGEST_EXPANSION = 1032  # deflate makes at most so many bytes out of one
OUR_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)


class Damage(Exception):
    """The file is not what a run.h5 should be; the text says where and how."""


def has(group, name):
    """Whether the group has a member of that name, wherever it leads."""
    return _link_type(group, name) is not None


def _link_type(group, name):
    """One of h5py.h5l.TYPE_*; None where there is no such link."""
    links, key = group.id.links, name.encode("utf-8", "surrogateescape")
    return links.get_info(key).type if links.exists(key) else None


def child(group, name):
    """The group's member `name`: the only way to open one. Damage when there is none, or when reading it would read other
    files, need a plug-in, or take memory that nothing in the file stands for."""
    place = f"{group.name.rstrip('/')}/{name}"
    link = _link_type(group, name)
    if link is None:
        raise Damage(f"no {place}")
    if link != h5py.h5l.TYPE_HARD:
        what = "a link to another file" if link == h5py.h5l.TYPE_EXTERNAL else "a soft link"
        raise Damage(f"{place} is {what}, not an object of this file")
    item = group[name]
    if isinstance(item, h5py.Dataset):
        _check_storage(item)
    return item


def member(group, name, kind):
    """The same for a member that must be an h5py `kind` (h5py.Group or h5py.Dataset)."""
    item = child(group, name)
    if not isinstance(item, kind):
        raise Damage(f"{item.name} is a {type(item).__name__.lower()}, not a {kind.__name__.lower()}")
    return item


def _check_storage(dataset):
    storage = dataset.id.get_create_plist()
    if storage.get_external_count() or storage.get_layout() == h5py.h5d.VIRTUAL:
        raise Damage(f"{dataset.name} is stored in other files, not in this one")
    for index in range(storage.get_nfilters()):
        number = storage.get_filter(index)[0]
        if number not in OUR_FILTERS:
            raise Damage(f"{dataset.name} is stored with filter {number}, not with shuffle and deflate only")
    claimed = dataset.id.get_space().get_simple_extent_npoints() * dataset.id.get_type().get_size()
    if claimed <= HARMLESS:
        return
    stored = min(dataset.id.get_storage_size(), dataset.file.id.get_filesize())
    if claimed > stored * LARGEST_EXPANSION:
        raise Damage(f"{dataset.name} claims more elements than its {stored} bytes can hold")


def text_of(value):
    """Python text of an HDF5 string (fixed, variable or one-element), number or byte array."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "ui" and value.ndim == 1:
            value = value.astype(np.uint8).tobytes()
        elif value.size == 1:
            value = value.reshape(-1)[0]
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode("utf-8", "replace").rstrip("\0")
    return str(value)


def attribute(item, name, convert):
    """Attribute `name` of an item, converted by int, float or text_of."""
    if name not in item.attrs:
        raise Damage(f"no attribute '{name}' at {item.name}")
    value = item.attrs[name]
    try:
        return convert(value)
    except (TypeError, ValueError):
        raise Damage(f"attribute '{name}' at {item.name} is {text_of(value)!r}, not a number") from None


def columns(item):
    """{name: array} of a group of one-dimensional datasets or of one compound dataset."""
    if isinstance(item, h5py.Dataset):
        if item.dtype.names is None:
            raise Damage(f"{item.name} is a dataset without named columns")
        _check_shape(item)
        rows = item[()]
        return {name: _typed(rows[name]) for name in rows.dtype.names}
    table = {}
    for name in item:
        dataset = member(item, name, h5py.Dataset)
        _check_shape(dataset)
        table[name] = _typed(dataset[()])
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise Damage(f"columns of {item.name} differ in length ({lengths})")
    return table


def require_columns(table, place, names):
    """Damage unless each of `names` is there and numeric."""
    for name in names:
        if name not in table:
            raise Damage(f"no column '{name}' in {place}")
        if table[name].dtype.kind not in "if":
            raise Damage(f"column '{name}' of {place} does not hold numbers")


def _check_shape(dataset):
    if dataset.ndim != 1:
        raise Damage(f"{dataset.name} has {dataset.ndim} dimensions, not 1")
    if dataset.shape[0] > MAX_ROWS:
        raise Damage(f"{dataset.name} claims {dataset.shape[0]} rows")


def _typed(column):
    """int64, float64, or an object array of Python text."""
    if column.dtype.kind in "iub":
        return column.astype(np.int64)
    if column.dtype.kind == "f":
        return column.astype(np.float64)
    return np.array([text_of(value) for value in column], dtype=object)


def read_configuration(file):
    """The text of /config, and resolved_values of it."""
    text = text_of(member(file, "config", h5py.Dataset)[()])
    try:
        return text, resolved_values(text)
    except BadInput as problem:
        raise Damage(f"/config is {problem}") from None
