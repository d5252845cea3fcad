#include "kinds/copy/follow/remove_follow.hpp"

#include "kinds/copy/follow/at_source.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/follow/follow.hpp"
#include "pg/identifier.hpp"
#include "table/follow/follow_sql.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {
namespace {

/// Without the triggers where the table is gone: they went with it.
std::vector<SourceDdl> removal_here(pg::Session& source, const std::string& table, const FollowNames& names) {
  auto statements = removal_statements(table, names);
  const bool is_there = !source.exec("SELECT pg_catalog.to_regclass($1) IS NULL", {table}).boolean(0, 0);
  if (!is_there) std::erase_if(statements, [](const SourceDdl& s) { return !s.lock.empty(); });
  return statements;
}

}  // namespace

void remove_follow(OperatorAct& act, const CopyStep& copy, std::int64_t step_id) {
  const auto follow = ledger::read_follow(act.session(), step_id);
  if (!follow) return;
  const auto table = pg::Identifier(copy.from.schema, copy.from.name).sql();
  const FollowNames names(follow->queue);
  std::string holders;
  act.insist(
      failing_to_undo(copy.name),
      [&] {
        with_source(act.session(), copy, [&](pg::Session& source) {
          const auto statements = removal_here(source, table, names);
          for (const auto& s : statements) act.journal().write(event::Statement{copy.name, s.sql, s.lock});
          act.store_events();
          try {
            send_ddl_alone(source, table, statements);
          } catch (const pg::Failure&) {
            holders = source_holders(source, table);
            throw;
          }
        });
      },
      [&] { return holders; });
}

}  // namespace pgsluice::engine
