#include "kinds/copy/follow/remove_follow.hpp"

#include "kinds/copy/follow/at_source.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/follow/follow.hpp"
#include "table/follow/follow_facts.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {
namespace {

/// Without the triggers where a table is gone: they went with it.
std::vector<SourceDdl> removal_here(pg::Session& source, const std::vector<FollowedSource>& sources) {
  auto statements = removal_statements(sources);
  std::erase_if(statements, [&](const SourceDdl& s) {
    return !s.lock.empty() &&
           source.exec("SELECT pg_catalog.to_regclass($1) IS NULL", {s.table_sql}).boolean(0, 0);
  });
  return statements;
}

}  // namespace

void remove_follow(OperatorAct& act, const CopyStep& copy, std::int64_t step_id) {
  const auto follow = ledger::read_follow(act.session(), step_id);
  if (!follow) return;
  const auto sources = followed_sources(copy, follow->queue);
  std::string holders;
  act.insist(
      failing_to_undo(copy.name),
      [&] {
        with_source(act.session(), copy, [&](pg::Session& source) {
          const auto statements = removal_here(source, sources);
          for (const auto& s : statements) act.journal().write(event::Statement{copy.name, s.sql, s.lock});
          act.store_events();
          try {
            send_ddl_alone(source, statements);
          } catch (const pg::Failure&) {
            holders = source_holders(source, statements);
            throw;
          }
        });
      },
      [&] { return holders; });
}

}  // namespace pgsluice::engine
