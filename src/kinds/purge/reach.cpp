#include "kinds/purge/reach.hpp"

#include <algorithm>
#include <cstdio>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr std::int64_t kSampledRows = 1'000;  // an index look each: some 10 ms
constexpr double kMargin = 2;                 // pages hold different numbers of rows
constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{300}, std::chrono::milliseconds{2'000},
                                            true};

std::string sample_clause(std::int64_t matching) {
  const double percent = 100 * kMargin * static_cast<double>(kSampledRows) /
                         static_cast<double>(std::max<std::int64_t>(1, matching));
  return percent >= 100 ? "" : " TABLESAMPLE SYSTEM (" + std::to_string(percent) + ")";
}

void count(pg::Session& session, const Removal& removal, std::int64_t matching, Reach& reach) try {
  pg::in_transaction(session, kLookLimits, [&] {
    const auto rows = session.exec(reach_sql(removal, reach.referrer, matching));
    reach.sampled = rows.integer(0, 0);
    reach.reached = rows.integer(0, 1);
    reach.is_counted = true;
    return true;
  });
} catch (const pg::Failure& f) {
  if (f.is_connection_lost()) throw;
}

}  // namespace

std::string Reach::in_words() const {
  if (!is_counted || reached == 0) return {};
  char each[32];
  std::snprintf(each, sizeof each, "%.2g", static_cast<double>(reached) / static_cast<double>(sampled));
  return std::string("about ") + each + " rows of " + referrer.table_sql +
         " refer to each deleted row (constraint " + pg::Identifier(referrer.constraint).sql() + ")";
}

std::string reach_sql(const Removal& removal, const Referrer& referrer, std::int64_t matching) {
  std::string joined;
  std::string names;
  for (std::size_t i = 0; i < referrer.columns.size(); ++i) {
    const auto name = "r" + std::to_string(i + 1);
    names += (i ? ", " : "") + name;
    joined += (i ? " AND " : "") + ("c." + pg::Identifier(referrer.columns[i]).sql()) + " = s." + name;
  }
  return "SELECT count(*), coalesce(sum(found.n), 0)\nFROM (SELECT " +
         pg::column_list(referrer.referenced_columns) + " FROM " + removal.table.sql() +
         sample_clause(matching) + "\n  WHERE (" + removal.selection.where + "\n) LIMIT " +
         std::to_string(kSampledRows) + ") AS s(" + names +
         ")\nCROSS JOIN LATERAL (SELECT count(*) AS n FROM " + referrer.table_sql + " AS c WHERE " + joined +
         ") AS found";
}

std::vector<Reach> read_reach(pg::Session& session, const Removal& removal, std::int64_t matching) {
  std::vector<Reach> out;
  for (const auto& referrer : removal.referrers) {
    if (referrer.referenced_sql != removal.table.sql()) continue;
    Reach reach{referrer};
    if (referrer.has_index || referrer.is_empty) count(session, removal, matching, reach);
    out.push_back(std::move(reach));
  }
  return out;
}

}  // namespace pgsluice::engine
