#include "table/copy/kept_rows.hpp"

#include <algorithm>

#include "ledger/images.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

[[noreturn]] void refuse(const CopyStep& step, const std::string& why, const std::string& hint) {
  throw Error(ExitCode::kRefused, "step \"" + step.name + "\" cannot keep which rows it copies: " + why,
              hint);
}

void refuse_rules(pg::Session& session, const pg::Table& to, const CopyStep& step) {
  for (const auto event : {pg::RowEvent::kInsert, pg::RowEvent::kDelete}) {
    const auto rules = pg::read_swallowers(session, to.oid, event).rules;
    if (!rules.empty())
      refuse(step,
             "rule " + pg::Identifier(rules.front().name).sql() + " rewrites statements on table " + to.sql(),
             "drop the rule, or leave keep out");
  }
}

void refuse_self_reference(pg::Session& session, const pg::Table& to, const CopyStep& step) {
  for (const auto& referrer : direct_referrers(session, to)) {
    if (referrer.table_sql == to.sql())
      refuse(step,
             "foreign key " + pg::Identifier(referrer.constraint).sql() + " of table " + to.sql() +
                 " refers to the table itself, so its rows could not be removed in batches",
             "leave keep out, or add that foreign key after the copy");
  }
}

std::vector<pg::Column> key_of(const pg::Table& to, const CopyStep& step) try {
  return pg::choose_key(to, {});
} catch (const Error& e) {
  refuse(step, e.what(), "add a primary key or a unique index on NOT NULL columns, or leave keep out");
}

}  // namespace

Images kept_rows(pg::Session& session, const pg::Table& to, const CopyStep& step, std::int64_t step_id) {
  refuse_rules(session, to, step);
  refuse_self_reference(session, to, step);
  if (step_id != 0 && stored_images(session, step_id).is_there) {
    auto known = images_to_restore(session, step_id);
    if (known.table.oid != to.oid)
      refuse(step, "it has begun with another table of the name " + to.sql(),
             "roll the job back first, or free what it keeps with drop-undo");
    return known;
  }
  Images images;
  images.step_id = step_id;
  images.table = to;
  images.key = key_of(to, step);
  std::copy_if(to.columns.begin(), to.columns.end(), std::back_inserter(images.changed),
               [](const pg::Column& column) { return !column.is_generated; });
  return images;
}

std::vector<Referrer> direct_referrers(pg::Session& session, const pg::Table& table) {
  auto all = read_referrers(session, table.oid, {});
  std::erase_if(all, [&](const Referrer& referrer) { return referrer.referenced_sql != table.sql(); });
  return all;
}

std::vector<std::string> columns_since(const Images& images) {
  std::vector<std::string> names;
  for (const auto& column : images.table.columns) {
    const bool is_known = std::any_of(images.changed.begin(), images.changed.end(),
                                      [&](const pg::Column& known) { return known.name == column.name; });
    if (!is_known && !column.is_generated) names.push_back(column.name);
  }
  return names;
}

}  // namespace pgsluice::engine
