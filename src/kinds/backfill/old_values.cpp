#include "kinds/backfill/old_values.hpp"

#include "base/units.hpp"
#include "lanes/batch/restore_step.hpp"
#include "pg/catalog/swallowers.hpp"
#include "table/backfill_facts.hpp"
#include "table/images/images.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

/// Lets the server plan what will be sent: a missing right, a policy or a collation shows before anything is
/// touched. Throws Error(kRefused or kPrivileges).
void try_statements(pg::Session& session, const Images& images) {
  const auto sql = restoring_sql(images, Restore::kStillOurs);
  steps::explain(session, sql.update("false"));
  steps::explain(session, sql.naming("false", nullptr));
}

void survey(pg::Session& session, const Images& images, std::int64_t bytes, RollbackAct& act,
            RollbackSurvey& survey) {
  try_statements(session, images);
  act.words = {"the old values of " + images.table.sql() + " are put back from " + images.table_sql() + " (" +
               base::format_bytes(static_cast<double>(bytes)) + ") where the new ones still stand"};
  const auto triggers = pg::fired_triggers(session, images.table.oid, names_of(images.changed));
  if (!triggers.empty())
    survey.remarks.push_back("putting old values back into " + images.table.sql() + " fires trigger " +
                             listed(triggers) + ": what they write stays");
}

}  // namespace

ImageUse old_values_of(const BackfillStep& step) {
  ImageUse use;
  use.step = step.name;
  use.subject = "backfill step \"" + step.name + "\"";
  use.act = "put old values back";
  use.act_if_named = "overwrite rows that were named";
  use.prepare = [](Images images, Restore restore) { return restoring(std::move(images), restore); };
  use.survey = survey;
  return use;
}

}  // namespace pgsluice::engine
