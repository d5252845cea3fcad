#include "kinds/backfill/backfill_checks.hpp"

#include "base/units.hpp"
#include "kinds/backfill/image_checks.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/statements/block_statements.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/identifier.hpp"
#include "table/backfill_facts.hpp"
#include "table/estimate.hpp"
#include "table/range_plan.hpp"
#include "table/table_checks.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// A table below this many pages (8 MB) is read whole as fast as by its index, so the server may well do that.
constexpr std::int64_t kPagesWorthAnIndex = 1'000;

/// A backfill step being checked. A value that lives for one call.
struct Examined {
  const BackfillStep& step;
  const Outlook& outlook;
  pg::Table table;                  // with the columns that earlier steps will add
  std::vector<std::string> coming;  // those columns
};

void add_coming_columns(Examined& at) {
  for (const auto& name : changed_columns(at.step)) {
    if (at.table.find(name)) continue;
    const bool is_coming =
        !at.outlook.adder_of(at.step.table, name).empty() || !at.outlook.opaque_step().empty();
    if (!is_coming) continue;
    at.table.columns.push_back({name, "", "", false, false});
    at.coming.push_back(name);
  }
}

/// Lets the server parse the statement, which it cannot while columns are still to come.
void check_statement(pg::Session& session, const Examined& at, Findings& findings) {
  if (!at.coming.empty()) {
    findings.inform("expressions",
                    "step \"" + at.step.name + "\": column " + listed(at.coming) +
                        " is added by an earlier step; expressions and privileges are checked after it");
    return;
  }
  try {
    steps::explain(session, steps::update_sql(at.table, at.step, "false"));
  } catch (const Error& e) {
    findings.refuse(e.code() == ExitCode::kPrivileges ? "privileges" : "expressions", e);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost()) throw;
    findings.warn("expressions",
                  "step \"" + at.step.name + "\": expressions and privileges could not be checked, table \"" +
                      at.table.schema + "." + at.table.name + "\" is locked: " + f.what(),
                  "the run waits for the lock and checks them before its first batch");
  }
}

void check_row_security(const Examined& at, Findings& findings) {
  if (!at.table.row_security_applies) return;
  findings.refuse("privileges",
                  "row security of table \"" + at.table.schema + "." + at.table.name +
                      "\" applies to this role: rows would be left out unnoticed",
                  "run as a role with BYPASSRLS, or as the table's owner", ExitCode::kPrivileges);
}

void check_surprises(pg::Session& session, const Examined& at, const pg::Storage& storage,
                     Findings& findings) {
  const auto changed = changed_columns(at.step);
  if (const auto triggers = pg::fired_triggers(session, at.table.oid, changed); !triggers.empty()) {
    findings.warn(
        "triggers", "every row that step \"" + at.step.name + "\" changes fires trigger " + listed(triggers),
        "make sure that this is wanted: what they write is part of the batch, and rollback does not undo it");
  }
  for (const auto& rule : pg::read_swallowers(session, at.table.oid, changed).rules) {
    const auto does =
        "rule " + pg::Identifier(rule.name).sql() + " rewrites the UPDATEs of step \"" + at.step.name + "\"";
    if (rule.is_instead && rule.is_of_table) {
      findings.warn("rules",
                    does + ": " + (rule.is_conditional ? "some rows stay" : "every row stays") + " as it is",
                    "ALTER TABLE " + at.table.sql() + " DISABLE RULE " + pg::Identifier(rule.name).sql() +
                        " while the job runs: rows that it leaves unchanged end the job with exit code 4");
    } else {
      findings.warn(
          "rules", does + ": it acts in every batch",
          "make sure that this is wanted: what it does is part of the batch, and rollback does not undo it");
    }
  }
  if (const auto names = volatile_functions_of(session, at.step); !names.empty()) {
    findings.warn("volatile functions",
                  "step \"" + at.step.name + "\" calls " + listed(names) +
                      ", which returns a different value each time",
                  "fine for keys and timestamps; a batch that is tried again gets different values");
  }
  if (const auto indexes = indexes_changed(storage, at.step); !indexes.empty()) {
    findings.inform("indexes", "step \"" + at.step.name + "\" changes a column of index " + listed(indexes) +
                                   ": no update is HOT");
  }
}

void check_range_plan(pg::Session& session, const Job& job, const Examined& at, const WalkedTable& walked,
                      Findings& findings) {
  findings.inform("walk",
                  "step \"" + at.step.name + "\": " + walk_in_words(walked) + ": " + walked.choice.reason);
  if (walked.choice.walk != Walk::kKeyset) return;
  const auto& key = key_behind(at.table, walked.keyset->key());
  findings.inform("key", "step \"" + at.step.name + "\" walks along (" + pg::column_list(key.columns) +
                             "): " + key_reason(at.table, key, at.step));
  if (!at.coming.empty()) return;
  std::optional<RangePlan> plan;
  try {
    plan = explain_range(session, at.table, at.step, *walked.keyset, key, job.tunables.batch.rows);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost()) throw;
    return;  // check_statement has said why
  }
  if (!plan) {
    findings.inform("plan", "step \"" + at.step.name +
                                "\": the server's plan for a batch is not known until the table is analysed");
  } else if (plan->uses_key_index) {
    findings.inform(
        "plan", "step \"" + at.step.name + "\": a batch finds its rows by index \"" + key.index_name + "\"");
  } else if (at.table.pages >= kPagesWorthAnIndex && at.table.kind != "p") {
    findings.warn(
        "plan",
        "step \"" + at.step.name + "\": a batch would not use index \"" + key.index_name +
            "\"; the server plans\n" + plan->text,
        "ANALYZE " + at.table.sql() + ", and see whether enable_indexscan or the cost settings prevent it");
  }
}

/// Returns how many rows are expected to be changed.
std::int64_t check_room(pg::Session& session, const Job& job, const Examined& at, const pg::Storage& storage,
                        Findings& findings) {
  const auto rows = at.table.rows_estimate;
  const auto changed = std::min(estimate_matching(session, at.table, at.step.where).value_or(rows), rows);
  const auto estimate = estimate_backfill(storage, rows, changed, job.tunables.lanes);
  findings.inform("disk",
                  "step \"" + at.step.name + "\" changes about " + base::format_count(changed) +
                      " rows: table and indexes may grow by " +
                      base::format_bytes(static_cast<double>(estimate.room_bytes)) +
                      ", and it writes about " + base::format_bytes(static_cast<double>(estimate.wal_bytes)) +
                      " of WAL",
                  "the server does not report its free disk space: check it there");
  return changed;
}

void examine(pg::Session& session, const Job& job, Examined& at, const pg::Storage& storage,
             Findings& findings) {
  check_table(session, at.table, storage, findings);
  add_coming_columns(at);
  const auto walked = walked_table(session, at.step, at.table);
  steps::check_columns(at.table, walked.keyset ? walked.keyset->key() : std::vector<pg::Column>{}, at.step);
  check_row_security(at, findings);
  if (!at.table.row_security_applies) check_statement(session, at, findings);
  check_surprises(session, at, storage, findings);
  check_range_plan(session, job, at, walked, findings);
  check_images(session, at.table, at.step, check_room(session, job, at, storage, findings), findings);
}

}  // namespace

void check_backfill_step(pg::Session& session, const Job& job, const BackfillStep& step,
                         const Outlook& outlook, Findings& findings) {
  const auto maker = outlook.maker_of(step.table);
  const auto dropper = outlook.dropper_of(step.table);
  const bool is_there =
      steps::is_existing_table(session, pg::Identifier(step.table.schema, step.table.name).sql());
  if (!maker.empty() && (!is_there || !dropper.empty())) {
    findings.inform("table", "step \"" + step.name + "\": step \"" + maker +
                                 "\" makes its table, which is checked after it");
    return;
  }
  if (!dropper.empty()) {
    findings.refuse("table",
                    "step \"" + step.name + "\": an earlier step, \"" + dropper + "\", drops its table",
                    "put the backfill before it");
    return;
  }
  try {
    const auto facts = read_facts(session, step.table);
    Examined at{step, outlook, facts.table, {}};
    examine(session, job, at, facts.storage, findings);
  } catch (const pg::Failure& f) {
    warn_of_locked(session, f, step.table, findings);
  } catch (const Error& e) {
    const bool may_come = !is_there && !outlook.opaque_step().empty();
    if (may_come) {
      findings.warn("table", std::string(e.what()) + " yet",
                    "step \"" + outlook.opaque_step() + "\" must make it");
    } else {
      findings.refuse("table", "step \"" + step.name + "\": " + e.what(), e.hint(), e.code());
    }
  }
}

}  // namespace pgsluice::engine
