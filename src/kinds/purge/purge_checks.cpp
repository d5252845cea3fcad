#include "kinds/purge/purge_checks.hpp"

#include "base/units.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/purge_step.hpp"
#include "lanes/statements/block_statements.hpp"
#include "ledger/purge/repetition.hpp"
#include "pg/identifier.hpp"
#include "table/backfill_facts.hpp"
#include "table/purge/archive_triggers.hpp"
#include "table/purge/where_reads.hpp"
#include "table/range_plan.hpp"
#include "table/self_reference.hpp"
#include "table/table_checks.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

void check_row_security(const PurgeStep& step, const pg::Table& table, Findings& findings) {
  if (!table.row_security_applies) return;
  findings.refuse("privileges",
                  "row security of table " + table.sql() + " applies to this role: step \"" + step.name +
                      "\" would leave rows out unnoticed",
                  "run as a role with BYPASSRLS, or as the table's owner", ExitCode::kPrivileges);
}

void check_triggers(pg::Session& session, const PurgeStep& step, const pg::Table& table, Findings& findings) {
  if (const auto triggers = pg::delete_triggers(session, table.oid); !triggers.empty())
    findings.warn("triggers",
                  "every row that step \"" + step.name + "\" deletes fires trigger " + listed(triggers),
                  "make sure that this is wanted: what they write is part of the batch");
  for (const auto& rule : pg::read_swallowers(session, table.oid, pg::RowEvent::kDelete).rules)
    findings.warn(
        "rules",
        "rule " + pg::Identifier(rule.name).sql() + " rewrites the DELETEs of step \"" + step.name + "\"",
        "disable it while the job runs, unless what it does is wanted");
}

void check_reach(const StepAt& at, const PurgeStep& step, const Removal& removal, std::int64_t matching,
                 Findings& findings) {
  for (const auto& reach : read_reach(at.session, removal, matching)) {
    const auto effect = effect_of(step, reach);
    if (effect.text.empty()) continue;
    if (!effect.is_refused) {
      findings.warn("foreign keys", "step \"" + step.name + "\": " + effect.text,
                    "make sure that this is wanted: what a foreign key changes is part of the batch");
      continue;
    }
    const auto hint = is_of_itself(reach.referrer)
                          ? refer_to_nothing(reach.referrer)
                          : "with = [\"" + reach.referrer.table.schema + "." + reach.referrer.table.name +
                                "\"] deletes these first; or leave such rows out by `where`";
    if (at.job.tunables.max_quarantined > 0)
      findings.warn("foreign keys", "step \"" + step.name + "\": " + effect.text, hint);
    else
      findings.refuse("foreign keys", "step \"" + step.name + "\": " + effect.text, hint);
  }
}

void check_archive(pg::Session& session, const PurgeStep& step, const Removal& removal, Findings& findings) {
  if (!removal.archive) return;
  if (const auto triggers = archive_triggers(session, removal); !triggers.empty())
    findings.warn("triggers",
                  "every row that step \"" + step.name + "\" archives fires trigger " + listed(triggers) +
                      " of " + removal.archive->table_sql,
                  "make sure that this is wanted: one that fails keeps the row from being purged");
  if (removal.archive->preparing.empty()) return;
  findings.inform("archive", "step \"" + step.name +
                                 "\" first prepares its archive: " + removal.archive->preparing.front());
}

void check_subqueries(pg::Session& session, const PurgeStep& step, const Removal& removal,
                      Findings& findings) {
  const auto others = read_where_reads(session, removal).others;
  if (others.empty()) return;
  std::string names;
  for (const auto& name : others) names += (names.empty() ? "" : ", ") + name;
  findings.warn(
      "expressions",
      "step \"" + step.name + "\": each batch asks a subquery of `where` anew, which reads " + names,
      "a row goes if it matches when its batch runs: see that what is read there stays as it is");
}

void examine(const StepAt& at, const PurgeStep& step, Findings& findings) {
  auto& session = at.session;
  const auto facts = read_facts(session, step.table);
  check_table(session, facts.table, facts.storage, findings);
  const auto as_of = ledger::read_as_of(session, at.record().step_id);
  const auto removal = read_removal(session, step, facts.table, as_of);
  const auto walked = walked_table(session, removal.selection, facts.table, pg::RowEvent::kDelete);
  findings.inform("walk",
                  "step \"" + step.name + "\": " + walk_in_words(walked) + ": " + walked.choice.reason);
  refuse_swallowers(step, walked.swallowers);
  check_row_security(step, facts.table, findings);
  check_triggers(session, step, facts.table, findings);
  check_archive(session, step, removal, findings);
  check_subqueries(session, step, removal, findings);
  if (!removal.archive || removal.archive->preparing.empty())
    steps::explain(session, delete_sql(removal, "false"));
  const auto volatiles = volatile_functions_of(session, removal.selection);
  if (!volatiles.empty())
    findings.refuse("volatile functions",
                    "`where` of step \"" + step.name + "\" calls " + listed(volatiles) +
                        ", which returns a different value each time",
                    "which rows go must not change while they go");
  const auto rows = facts.table.rows_estimate;
  const auto matching =
      std::min(estimate_matching(session, facts.table, removal.selection.where).value_or(rows), rows);
  check_reach(at, step, removal, matching, findings);
}

}  // namespace

Effect effect_of(const PurgeStep& step, const Reach& reach) {
  const auto words = reach.in_words();
  if (words.empty()) return {};
  const auto& referrer = reach.referrer;
  if (is_named(referrer.table, step.with)) return {words + ": they are deleted first", false};
  if (referrer.changes_rows()) return {words + ": deleting it " + referrer.effect() + " that table", false};
  return {words + ": the server refuses to delete it", true};
}

void check_purge(const StepAt& at, const PurgeStep& step, Findings& findings) {
  const auto sql = pg::Identifier(step.table.schema, step.table.name).sql();
  const auto maker = at.outlook.maker_of(step.table);
  if (!maker.empty() && !steps::is_existing_table(at.session, sql))
    return findings.inform("table", "step \"" + step.name + "\": step \"" + maker +
                                        "\" makes its table, which is checked after it");
  if (const auto dropper = at.outlook.dropper_of(step.table); !dropper.empty())
    return findings.refuse(
        "table", "step \"" + step.name + "\": an earlier step, \"" + dropper + "\", drops its table",
        "put the purge before it");
  try {
    examine(at, step, findings);
  } catch (const pg::Failure& f) {
    warn_of_locked(at.session, f, step.table, findings);
  } catch (const Error& e) {
    findings.refuse("table", "step \"" + step.name + "\": " + e.what(), e.hint(), e.code());
  }
}

}  // namespace pgsluice::engine
