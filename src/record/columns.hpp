#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hdf5/group.hpp"

namespace adapt {

/// One column of a table whose rows are `Row` structs: its name in the file, and how rows become elements of
/// a dataset and back. Writing and reading share this description.
template <class Row>
struct Column {
  std::string name;
  std::string unit;  ///< "1" for a pure number, empty for text
  std::string description;
  std::function<hdf5::Dataset(hdf5::Group&, const std::string& name, std::size_t chunk_rows)> create;
  std::function<void(hdf5::Dataset&, std::span<const Row>)> append;
  /// Fills the field of each row from the dataset. The first column sets the number of rows, the others must
  /// have as many.
  std::function<void(const hdf5::Dataset&, std::vector<Row>& rows, bool first)> read;
  bool required = true;  ///< false: older files lack it, and the field keeps its default
};

/// Stores a read element in a field. Throws hdf5::Error when the field cannot hold it.
template <class Field, class Element>
void assign(Field& field, const Element& element, const std::string& path) {
  if constexpr (std::integral<Field>) {
    if (!std::in_range<Field>(element)) {
      throw hdf5::Error(concat(path, " holds ", +element, ", which is out of range"));
    }
    field = static_cast<Field>(element);
  } else if constexpr (std::floating_point<Field>) {
    field = static_cast<Field>(element);
  } else {
    field = element.text();
  }
}

/// The element of a column that holds `field`. Throws hdf5::Error when `Stored` cannot hold it.
template <class Stored, class Field>
Stored to_element(const Field& field) {
  if constexpr (std::integral<Stored>) {
    if (!std::in_range<Stored>(field)) {
      throw hdf5::Error(concat("a column of ", sizeof(Stored), "-byte integers cannot hold ", +field));
    }
  }
  return static_cast<Stored>(field);
}

/// A column stored as `Stored` (an integer or floating-point type, or hdf5::FixedText). `access` takes a row
/// and returns a reference to the field. Integers are read as 64 bits, so that none is cut on the way.
template <class Row, class Stored, class Access>
Column<Row> make_column(std::string name, std::string unit, std::string description, Access access) {
  using Element = std::conditional_t<std::integral<Stored>, std::int64_t, Stored>;
  return {std::move(name),
          std::move(unit),
          std::move(description),
          [](hdf5::Group& group, const std::string& dataset, std::size_t chunk_rows) {
            return group.create_series(dataset, hdf5::Datatype::of<Stored>(), chunk_rows);
          },
          [access](hdf5::Dataset& dataset, std::span<const Row> rows) {
            std::vector<Stored> elements;
            elements.reserve(rows.size());
            for (const Row& row : rows) {
              elements.push_back(to_element<Stored>(access(row)));
            }
            dataset.append(std::span<const Stored>(elements));
          },
          [access](const hdf5::Dataset& dataset, std::vector<Row>& rows, bool first) {
            const std::vector<Element> elements = dataset.read<Element>();
            if (first) {
              rows.resize(elements.size());
            }
            if (rows.size() != elements.size()) {
              throw hdf5::Error(concat(dataset.path(), " has ", elements.size(), " rows, expected ",
                                       rows.size(), " as the columns beside it"));
            }
            for (std::size_t i = 0; i < rows.size(); ++i) {
              assign(access(rows[i]), elements[i], dataset.path());
            }
          },
          true};
}

/// A table being written: one dataset for each column, in one group. Rows are kept until flush().
template <class Row>
class Table {
 public:
  Table(hdf5::Group& group, const std::vector<Column<Row>>& columns, std::size_t chunk_rows)
      : columns_(&columns) {
    for (const Column<Row>& column : columns) {
      datasets_.push_back(column.create(group, column.name, chunk_rows));
      datasets_.back().set_attribute("unit", column.unit);
      datasets_.back().set_attribute("description", column.description);
    }
  }

  void append(Row row) { pending_.push_back(std::move(row)); }
  /// Moves the kept rows into the datasets.
  void flush() {
    for (std::size_t i = 0; i < datasets_.size(); ++i) {
      (*columns_)[i].append(datasets_[i], pending_);
    }
    pending_.clear();
  }

 private:
  const std::vector<Column<Row>>* columns_;
  std::vector<hdf5::Dataset> datasets_;
  std::vector<Row> pending_;
};

/// Reads a table. Throws hdf5::Error when a required column is missing, or any is of another kind, or of
/// another length.
template <class Row>
std::vector<Row> read_table(const hdf5::Group& group, const std::vector<Column<Row>>& columns) {
  std::vector<Row> rows;
  for (const Column<Row>& column : columns) {
    if (column.required || group.has(column.name)) {
      column.read(group.dataset(column.name), rows, &column == &columns.front());
    }
  }
  return rows;
}

}  // namespace adapt
