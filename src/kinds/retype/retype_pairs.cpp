#include "kinds/retype/retype_pairs.hpp"

#include <set>
#include <string>

#include "kinds/retype/graph/retype_facts.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

/// Everything whose name a cut-over exchanges, in words.
std::set<std::string> exchanged_by(const rt::Graph& graph) {
  std::set<std::string> out;
  const auto add = [&](const char* kind, const rt::GraphTable& table, const std::string& name) {
    out.insert(std::string(kind) + " " + pg::Identifier(name).sql() + " of table " + table.sql());
  };
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns) add("column", table, column.name);
    for (const auto& index : table.indexes) add("index", table, index.name);
    for (const auto& check : table.checks) add("constraint", table, check.name);
  }
  for (const auto& key : graph.foreign_keys)
    add("foreign key", graph.tables[static_cast<std::size_t>(key.table)], key.name);
  return out;
}

std::string first_in_common(const std::set<std::string>& some, const std::set<std::string>& others) {
  for (const auto& name : some) {
    if (others.count(name)) return name;
  }
  return {};
}

/// Empty where it cannot be read, which that step's own check reports.
std::set<std::string> changed_by(const StepAt& at, const RetypeStep& step) {
  try {
    return exchanged_by(read_retype(at.session, step, {at.job.name, step.name}).graph);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void check_beside_earlier(const StepAt& at, const RetypeStep& step, Findings& findings) {
  std::set<std::string> changed;
  for (std::size_t i = 0; i < at.place; ++i) {
    const auto* earlier = at.job.steps[i].as<RetypeStep>();
    const bool is_to_begin = earlier && at.records[i].state != StepState::kDone &&
                             at.records[i].detail.empty() && at.outlook.maker_of_any(earlier->tables).empty();
    if (!is_to_begin) continue;
    if (changed.empty()) changed = changed_by(at, step);
    const auto shared = first_in_common(changed_by(at, *earlier), changed);
    if (shared.empty()) continue;
    const auto message = "retype steps \"" + earlier->name + "\" and \"" + step.name + "\" both change " +
                         shared + ": \"" + step.name + "\" can begin once \"" + earlier->name +
                         "\" is contracted";
    if (earlier->is_cutover_auto)
      findings.refuse("retype", message,
                      "put \"" + step.name +
                          "\" into a separate job, to be run after that; or set cutover = "
                          "\"manual\" in step \"" +
                          earlier->name + "\", contract it, then run again");
    else
      findings.warn("retype", message, "after the cut-over: pgsluice contract, then run again");
  }
}

}  // namespace pgsluice::engine
