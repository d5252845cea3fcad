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

}  // namespace

void check_retypes_together(pg::Session& session, const Job& job, const std::vector<RetypeStep>& steps,
                            Findings& findings) {
  if (steps.size() < 2) return;
  std::vector<std::set<std::string>> exchanged;
  for (const auto& step : steps) {
    try {
      exchanged.push_back(exchanged_by(read_retype(session, step, {job.name, step.name}).graph));
    } catch (const Error&) {
      exchanged.emplace_back();  // reported by the check of that step
    }
    for (std::size_t i = 0; i + 1 < exchanged.size(); ++i) {
      const auto shared = first_in_common(exchanged[i], exchanged.back());
      if (shared.empty()) continue;
      const auto message = "retype steps \"" + steps[i].name + "\" and \"" + step.name + "\" both change " +
                           shared + ": \"" + step.name + "\" can begin once \"" + steps[i].name +
                           "\" is contracted";
      if (steps[i].is_cutover_auto)
        findings.refuse(
            "retype", message,
            "put \"" + step.name +
                "\" into a job of its own, to be run after that; or set cutover = \"manual\" in step \"" +
                steps[i].name + "\", contract it, then run again");
      else
        findings.warn("retype", message, "after the cut-over: pgsluice contract, then run again");
    }
  }
}

}  // namespace pgsluice::engine
