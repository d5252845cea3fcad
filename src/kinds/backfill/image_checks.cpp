#include "kinds/backfill/image_checks.hpp"

#include "base/units.hpp"
#include "pg/catalog/privileges.hpp"
#include "table/images/image_size.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kOfAllTables =
    "SELECT coalesce(string_agg(pubname, ', ' ORDER BY pubname), '') FROM pg_catalog.pg_publication WHERE "
    "puballtables AND pubinsert";

}  // namespace

void check_images(pg::Session& session, const pg::Table& table, const BackfillStep& step, std::int64_t rows,
                  Findings& findings) {
  if (!step.keep) return;
  const auto images = images_of(session, table, step, 0);
  const auto bytes = static_cast<double>(rows * bytes_per_image(session, images));
  findings.inform("before-images",
                  "step \"" + step.name + "\" keeps before-images of about " + base::format_count(rows) +
                      " rows: " + base::format_bytes(bytes) + " in schema pgsluice",
                  "pgsluice drop-undo frees them once nobody wants to roll back");
  if (const auto grant = pg::missing_create_grant(session, "pgsluice"); !grant.empty())
    findings.refuse("before-images",
                    "step \"" + step.name +
                        "\" keeps before-images, and this role may not create their table in schema pgsluice",
                    grant, ExitCode::kPrivileges);
  const auto publications = session.exec(kOfAllTables, pg::Params{}).text(0, 0);
  if (!publications.empty())
    findings.warn(
        "before-images",
        "step \"" + step.name + "\": publication " + publications +
            " sends all tables, so also the before-images, whose table no subscriber has: its apply "
            "would stop",
        "publish the application's tables by name or schema, or leave keep out");
}

}  // namespace pgsluice::engine
