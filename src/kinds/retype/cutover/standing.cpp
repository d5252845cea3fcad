#include "kinds/retype/cutover/standing.hpp"

#include "ledger/overview.hpp"

namespace pgsluice::engine {

std::string standing_in_words(pg::Session& session, const std::string& job, const std::string& step) {
  // An act's name says what it does, and to which table.
  const std::string expanding = step + ": add columns to ";
  std::string tables;
  for (const auto& known : ledger::read_overview(session, job)) {
    for (const auto& act : known.steps) {
      if (act.state != StepState::kDone || !act.name.starts_with(expanding)) continue;
      tables += (tables.empty() ? "" : ", ") + act.name.substr(expanding.size());
    }
  }
  return tables.empty() ? "" : "shadow columns and sync triggers are on " + tables;
}

}  // namespace pgsluice::engine
