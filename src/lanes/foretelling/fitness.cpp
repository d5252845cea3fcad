#include "lanes/foretelling/fitness.hpp"

#include <algorithm>
#include <set>

#include "pg/catalog/storage.hpp"
#include "table/backfill_facts.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionOfTidRanges = 140000;

constexpr const char* kMayWrite = R"sql(
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')::boolean,
       pg_catalog.has_table_privilege($1::oid, 'UPDATE') AND pg_catalog.has_table_privilege($1::oid, 'SELECT')
)sql";

// Volatile, and without any effect that a rollback would not undo.
const std::set<std::string> kHarmless{"random",          "gen_random_uuid", "uuid_generate_v4",
                                      "clock_timestamp", "timeofday",       "statement_timestamp"};

std::string last_part(const std::string& name) {
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

std::string why_not_of_server(pg::Session& session, const PreparedBackfill& step) {
  if (session.server_version() < kVersionOfTidRanges) return "the server is older than version 14";
  const auto may = session.exec(kMayWrite, {std::to_string(step.table.oid)});
  if (may.boolean(0, 0)) return "this server is a replica";
  if (may.boolean(0, 1)) return "this session is read-only";
  if (!may.boolean(0, 2)) return "this role may not change the table";
  return {};
}

std::string why_not_of_effects(pg::Session& session, const PreparedBackfill& step) {
  const auto columns = changed_columns(step.definition);
  auto triggers = pg::fired_triggers(session, step.table.oid, columns);
  for (const auto& heap : step.heaps) {
    const auto own = pg::fired_triggers(session, static_cast<std::uint32_t>(heap.oid), columns);
    triggers.insert(triggers.end(), own.begin(), own.end());
  }
  std::sort(triggers.begin(), triggers.end());
  triggers.erase(std::unique(triggers.begin(), triggers.end()), triggers.end());
  if (!triggers.empty())
    return "trigger " + listed(triggers) + " fires for each row, and what it does elsewhere cannot be undone";
  if (step.swallowers.is_any() || !step.swallowers.rules.empty())
    return "a rule or trigger rewrites its UPDATEs";
  for (const auto& name : volatile_functions_of(session, step.definition)) {
    if (kHarmless.count(last_part(name)) == 0)
      return "function " + name + " is volatile, and what it does elsewhere cannot be undone";
  }
  return {};
}

}  // namespace

std::string why_not_sampled(pg::Session& session, const PreparedBackfill& step) {
  std::int64_t pages = 0;
  for (const auto& heap : step.heaps) pages += heap.pages;
  if (pages < kPagesWorthSampling) return "the table is small";
  if (step.table.row_security_applies) return "row security hides rows from this role";
  if (std::any_of(step.heaps.begin(), step.heaps.end(),
                  [](const pg::HeapFacts& heap) { return heap.access_method != "heap"; }))
    return "not all of the table is stored as heaps";
  auto why = why_not_of_server(session, step);
  return why.empty() ? why_not_of_effects(session, step) : why;
}

}  // namespace pgsluice::engine
