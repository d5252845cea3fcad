#include "lanes/batch/purge_step.hpp"

#include "job/condition/time_calls.hpp"
#include "ledger/purge/repetition.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/purge/where_reads.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// Makes or alters a table that only we use.
constexpr pg::TransactionLimits kArchiveLimits{std::chrono::milliseconds{1'000},
                                               std::chrono::milliseconds{10'000}, true};

void make_archive(pg::Session& session, const Archive& archive) {
  if (archive.preparing.empty()) return;
  pg::in_transaction(session, kArchiveLimits, [&] {
    for (const auto& sql : archive.preparing) session.exec(sql);
    return true;
  });
}

/// What was decided when the step began: statistics and indexes may have changed since then, but its ranges
/// are written in values of these columns.
void keep_to_key(pg::Session& session, std::int64_t act_id, const pg::Table& table, WalkedTable& walked) {
  if (!walked.keyset) return;
  std::vector<std::string> chosen;
  for (const auto& column : walked.keyset->key()) chosen.push_back(column.name);
  const auto fixed = ledger::fix_key(session, act_id, chosen);
  if (fixed == chosen) return;
  std::vector<pg::Column> key;
  for (const auto& name : fixed) {
    const auto* column = table.find(name);
    if (!column)
      throw Error(
          ExitCode::kRefused,
          "column \"" + name + "\", along which table " + table.sql() + " is walked, no longer exists",
          "the rows that are left can be purged by a job of another name");
    key.push_back(*column);
  }
  walked.boundary.reset();
  walked.keyset.emplace(table.sql(), std::move(key));
}

}  // namespace

void refuse_swallowers(const PurgeStep& step, const pg::Swallowers& swallowers) {
  if (step.with.empty() || !swallowers.is_any()) return;
  throw Error(ExitCode::kRefused,
              swallowers.in_words() + " may keep a row of step \"" + step.name +
                  "\" whose referring rows, by `with`, are gone already",
              "disable it while the job runs, or leave out `with`");
}

BackfillStep selection_of(const PurgeStep& step, const std::string& as_of) {
  BackfillStep selection;
  selection.name = step.name;
  selection.table = step.table;
  selection.key = step.key;
  selection.walk = step.walk;
  auto where = job::at_fixed_time(step.where, as_of);
  if (const auto* refusal = std::get_if<job::Refusal>(&where))
    throw Error(ExitCode::kRefused, "`where` of step \"" + step.name + "\" " + refusal->message,
                refusal->hint);
  selection.where = std::get<std::string>(std::move(where));
  return selection;
}

Removal read_removal(pg::Session& session, const PurgeStep& step, pg::Table table, const std::string& as_of) {
  Removal removal;
  removal.selection = selection_of(step, as_of);
  removal.with = step.with;
  removal.referrers = read_referrers(session, table.oid, step.with);
  for (const auto& problem : referrer_problems(step, removal.referrers))
    throw Error(ExitCode::kRefused, problem.message, problem.hint);
  if (step.archive_to) removal.archive = read_archive(session, table, *step.archive_to);
  removal.table = std::move(table);
  refuse_moving_where(removal, read_where_reads(session, removal));
  return removal;
}

PreparedBackfill prepare_purge(pg::Session& session, const PurgeStep& step, PurgeRecord record, int lanes) {
  const auto as_of = ledger::fix_as_of(session, record.step_id);
  auto removal = read_removal(session, step, read_facts(session, step.table).table, as_of);
  if (removal.archive) make_archive(session, *removal.archive);
  auto walked = walked_table(session, removal.selection, removal.table, pg::RowEvent::kDelete);
  refuse_swallowers(step, walked.swallowers);
  keep_to_key(session, record.act_id, removal.table, walked);
  steps::explain(session, delete_sql(removal, "false"));
  PreparedBackfill prepared;
  prepared.step_id = record.act_id;
  prepared.definition = removal.selection;
  prepared.is_delete = true;
  prepared.keyset = std::move(walked.keyset);
  prepared.heaps = std::move(walked.heaps);
  prepared.choice = std::move(walked.choice);
  prepared.ground = {walked.rows_per_page, pg::cache_pages(session), lanes, prepared.choice.is_horizon_held};
  prepared.swallowers = std::move(walked.swallowers);
  prepared.deadlock_timeout = std::chrono::milliseconds{pg::deadlock_timeout_ms(session)};
  prepared.sql = purging_sql(removal, prepared.swallowers);
  prepared.table = std::move(removal.table);
  prepared.boundary = std::move(walked.boundary);
  prepared.table.rows_estimate =
      prepared.boundary ? prepared.boundary->rows : count_rows(session, prepared.table);
  share_out(prepared.table, prepared.heaps);
  return prepared;
}

Prepare purging(PurgeStep step, std::int64_t step_id) {
  return [step = std::move(step), step_id](pg::Session& session, std::int64_t act_id, int lanes) {
    return prepare_purge(session, step, {step_id, act_id}, lanes);
  };
}

}  // namespace pgsluice::engine
