#include "kinds/copy/copy_checks.hpp"

#include "kinds/copy/copied_rows.hpp"
#include "kinds/copy/follow/foresee_follow.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/table_checks.hpp"
#include "table/table_facts.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {
namespace {

bool is_there(pg::Session& session, const TableName& table) {
  return steps::is_existing_table(session, pg::Identifier(table.schema, table.name).sql());
}

void check_columns(const CopyStep& step, const CopyFacts& facts, Findings& findings) {
  const auto& matched = facts.matched;
  const auto subject = "step \"" + step.name + "\": ";
  if (!matched.left_out.empty())
    findings.warn("columns",
                  subject + "column " + pg::column_list(matched.left_out) + " of " +
                      facts.copying.source_in_words() + " is not copied: table " + facts.copying.to.sql() +
                      " has no column of that name",
                  "add the column, or name another one for it in `columns`, if its values are still needed");
  if (!matched.to_defaults.empty())
    findings.inform("columns", subject + "column " + pg::column_list(matched.to_defaults) + " of table " +
                                   facts.copying.to.sql() + " gets its default: the source has none");
  if (!matched.other_types.empty())
    findings.inform("columns",
                    subject + "types differ, and values pass as text: " + listed(matched.other_types));
}

void check_surprises(const CopyStep& step, const CopyFacts& facts, Findings& findings) {
  const auto each = "every row that step \"" + step.name + "\" copies ";
  if (!facts.triggers.empty())
    findings.warn("triggers", each + "fires trigger " + listed(facts.triggers),
                  "make sure that this is wanted: what they write is part of the batch");
  if (!facts.foreign_keys.empty())
    findings.warn("foreign keys", each + "is checked against foreign key " + listed(facts.foreign_keys),
                  "copy the referenced table first; adding the foreign keys after the copy takes a third of "
                  "the time");
}

void examine(const StepAt& at, pg::Session& source, const CopyStep& step, Findings& findings) {
  const auto facts = read_copy_facts(source, at.session, step);
  const auto table = read_facts(at.session, step.to);
  check_table(at.session, table.table, table.storage, findings);
  findings.inform("source", "step \"" + step.name + "\" copies about " +
                                std::to_string(facts.copying.from.rows_estimate) + " rows from " +
                                facts.copying.source_in_words());
  check_columns(step, facts, findings);
  check_surprises(step, facts, findings);
  if (step.follow) check_follow({source, at.session, at.job.name, at.record().step_id}, step, findings);
  check_kept(at.session, facts.copying.to, step, facts.copying.from.rows_estimate, findings);
  try_copy(source, at.session, facts.copying);
}

}  // namespace

std::string made_before(const StepAt& at, const CopyStep& step) {
  std::vector<TableName> tables{step.to};
  if (step.from_dsn.empty()) tables.push_back(step.from);
  for (const auto& table : tables) {
    const auto maker = at.outlook.maker_of(table);
    if (!maker.empty() && (!is_there(at.session, table) || !at.outlook.dropper_of(table).empty()))
      return "step \"" + maker + "\" makes " + pg::Identifier(table.schema, table.name).sql();
    for (const auto& column : step.columns) {
      const auto adder = at.outlook.adder_of(table, column.column);
      if (!adder.empty()) return "step \"" + adder + "\" adds column \"" + column.column + "\"";
    }
  }
  return {};
}

void check_copy_step(const StepAt& at, const CopyStep& step, Findings& findings) {
  if (const auto made = made_before(at, step); !made.empty())
    return findings.inform("table", "step \"" + step.name + "\": " + made + ", so it is checked after it");
  try {
    with_source(at.session, step, [&](pg::Session& source) { examine(at, source, step, findings); });
  } catch (const SourceFailure& f) {
    findings.refuse("source", error_of(f, Asker::kRun));
  } catch (const pg::Failure& f) {
    warn_of_locked(at.session, f, step.to, findings);
  } catch (const Error& e) {
    findings.refuse("copy", "step \"" + step.name + "\": " + e.what(), e.hint(), e.code());
  }
}

}  // namespace pgsluice::engine
