#include "kinds/copy/copied_rows.hpp"

#include "base/units.hpp"
#include "lanes/batch/restore_step.hpp"
#include "pg/catalog/privileges.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/identifier.hpp"
#include "table/backfill_facts.hpp"
#include "table/copy/kept_rows.hpp"
#include "table/copy/kept_sql.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// A row of heap with a bigint, a key of 8 bytes and a hash: measured with an integer key.
constexpr std::int64_t kBytesPerRow = 56;

/// Lets the server plan what will be sent: a missing right shows before anything is touched.
void try_statements(pg::Session& session, const Images& images, const std::vector<Referrer>& referrers) {
  const auto sql = removing_sql(images, referrers, Restore::kStillOurs);
  steps::explain(session, sql.update("false"));
  steps::explain(session, sql.naming("false", nullptr));
}

void tell_columns(const Images& images, RollbackSurvey& survey) {
  const auto since = columns_since(images);
  if (since.empty()) return;
  survey.remarks.push_back("table " + images.table.sql() + " has had column " + pg::column_list(since) +
                           " only since the copy: what it holds goes with the rows");
}

void tell_referrers(const Images& images, const std::vector<Referrer>& referrers, RollbackSurvey& survey) {
  for (const auto& referrer : referrers) {
    survey.remarks.push_back("rows of " + images.table.sql() + " that a row of " + referrer.table_sql +
                             " refers to are kept");
    if (!referrer.has_index && !referrer.is_empty)
      survey.remarks.push_back("each row removed makes the server read all of " + referrer.table_sql +
                               ": no index begins with its referring columns");
  }
}

void survey(pg::Session& session, const Images& images, std::int64_t bytes, RollbackAct& act,
            RollbackSurvey& survey) {
  const auto referrers = direct_referrers(session, images.table);
  try_statements(session, images, referrers);
  act.words = {"the rows that were copied into " + images.table.sql() + " are removed, by " +
               images.table_sql() + " (" + base::format_bytes(static_cast<double>(bytes)) +
               "), where they still are as copied"};
  tell_columns(images, survey);
  tell_referrers(images, referrers, survey);
  const auto triggers = pg::delete_triggers(session, images.table.oid);
  if (!triggers.empty())
    survey.remarks.push_back("removing rows from " + images.table.sql() + " fires trigger " +
                             listed(triggers) + ": what they write stays");
}

}  // namespace

ImageUse copied_rows_of(const CopyStep& step) {
  ImageUse use;
  use.step = step.name;
  use.subject = "copy step \"" + step.name + "\"";
  use.act = "remove copied rows";
  use.act_if_named = "remove rows that were named";
  use.prepare = [](Images images, Restore restore) { return removing(std::move(images), restore); };
  use.survey = survey;
  return use;
}

void check_kept(pg::Session& session, const pg::Table& to, const CopyStep& step, std::int64_t rows,
                Findings& findings) {
  if (!step.keep) return;
  kept_rows(session, to, step, 0);
  findings.inform("keep",
                  "step \"" + step.name + "\" keeps key and hash of about " + base::format_count(rows) +
                      " rows: " + base::format_bytes(static_cast<double>(rows * kBytesPerRow)) +
                      " in schema pgsluice",
                  "pgsluice drop-undo frees them once nobody wants to roll back");
  if (const auto grant = pg::missing_create_grant(session, "pgsluice"); !grant.empty())
    findings.refuse("keep",
                    "step \"" + step.name +
                        "\" keeps which rows it copies, and this role may not create their table in schema "
                        "pgsluice",
                    grant, ExitCode::kPrivileges);
}

}  // namespace pgsluice::engine
