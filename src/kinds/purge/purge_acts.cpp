#include "kinds/purge/purge_acts.hpp"

#include "lanes/batch/purge_step.hpp"

namespace pgsluice::engine {

std::vector<Act> purge_acts(const PurgeStep& step, std::int64_t step_id, const std::string& table_sql) {
  Act rows;
  rows.name = "delete rows of " + table_sql;
  rows.part = "purge";
  rows.kind = Act::Kind::kPurge;
  rows.prepare = purging(step, step_id);
  std::vector<Act> acts{std::move(rows)};
  if (!step.vacuum) return acts;
  Act vacuum;
  vacuum.name = "vacuum " + table_sql;
  vacuum.part = "vacuum";
  vacuum.kind = Act::Kind::kVacuum;
  vacuum.sql = {"VACUUM (ANALYZE) " + table_sql};
  acts.push_back(std::move(vacuum));
  return acts;
}

}  // namespace pgsluice::engine
