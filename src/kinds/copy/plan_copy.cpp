#include "kinds/copy/plan_copy.hpp"

#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/follow/foresee_follow.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "lanes/statements/copy_statements.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/copy/kept_rows.hpp"

namespace pgsluice::engine {
namespace {

void note_columns(const CopyFacts& facts, std::vector<std::string>& notes) {
  const auto& matched = facts.matched;
  if (!matched.left_out.empty())
    notes.push_back("not copied, the target has no such column: " + pg::column_list(matched.left_out));
  if (!matched.to_defaults.empty())
    notes.push_back("gets its default, the source has no such column: " +
                    pg::column_list(matched.to_defaults));
  if (!matched.other_types.empty()) notes.push_back("passes as text: " + listed(matched.other_types));
  if (!facts.triggers.empty())
    notes.push_back("fires for every row copied: trigger " + listed(facts.triggers));
  if (!facts.foreign_keys.empty())
    notes.push_back("checked for every row copied: foreign key " + listed(facts.foreign_keys));
  for (const auto& sequence : facts.copying.sequences)
    notes.push_back("sequence " + sequence.sequence_sql + " goes on behind the highest value copied");
}

void plan_known(const StepAt& at, pg::Session& source, const CopyStep& step, PlannedStep& planned) {
  auto facts = read_copy_facts(source, at.session, step);
  auto& copying = facts.copying;
  if (step.keep) copying.kept = kept_rows(at.session, copying.to, step, at.record().step_id);
  const auto& tunables = at.job.tunables;
  std::vector<std::string> key;
  for (const auto& column : copying.key) key.push_back(column.name);
  planned.walk = "keyset along (" + pg::column_list(key) + ") of the source";
  planned.walk_reason = "each batch is read in key order, so that its last key is the position";
  planned.rows_estimated = copying.from.rows_estimate;
  planned.notes.push_back("reads " + copying.source_in_words());
  note_columns(facts, planned.notes);
  const auto limits = batch_limits(tunables.batch.target, tunables.throttle.lock_wait,
                                   std::chrono::milliseconds{pg::deadlock_timeout_ms(at.session)});
  if (copying.kept)
    planned.notes.push_back("keeps the key and a hash of each row that it inserts, in schema pgsluice");
  planned.statements = copy_statements(copying, limits, tunables.batch.rows);
  if (step.follow) plan_follow({source, at.session, at.job.name, at.record().step_id}, step, planned);
}

}  // namespace

void plan_copy(const StepAt& at, const CopyStep& step, PlannedStep& planned) {
  if (const auto made = made_before(at, step); !made.empty())
    return planned.notes.push_back(made + ": key and statements are not known before that");
  try {
    with_source(at.session, step, [&](pg::Session& source) { plan_known(at, source, step, planned); });
  } catch (const SourceFailure& f) {
    planned.notes.push_back(std::string("run will wait, and give up: ") + f.what());
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
    planned.notes.push_back("a table of it is locked, plan again later: " + std::string(f.what()));
  } catch (const Error& e) {
    planned.notes.push_back(std::string("run will refuse: ") + e.what());
  }
}

}  // namespace pgsluice::engine
