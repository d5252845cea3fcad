#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/retype/graph/graph.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::steps::retype {

/// Renames the columns of one expression (job::rename_columns).
using RenameColumns = std::function<std::string(std::string_view, const std::map<std::string, std::string>&)>;

/// A retype step with the graph that it works on: what every piece of it is made from. Pure data; all SQL
/// that follows from it is written by acts.hpp and move_scripts.hpp. `graph` is a copy and need not outlive
/// anything.
struct Retype {
  RetypeStep step;
  Owner owner;
  Graph graph;
  RenameColumns rename;
  std::string search_path;  // for which the operator's own expressions were written

  const GraphTable& table(int index) const { return graph.tables[static_cast<std::size_t>(index)]; }
};

}  // namespace pgsluice::steps::retype
