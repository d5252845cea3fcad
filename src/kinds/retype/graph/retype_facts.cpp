#include "kinds/retype/graph/retype_facts.hpp"

#include "job/sql/column_rename.hpp"
#include "ledger/objects.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

/// As SET takes it. An empty path is shown as "", which SET does not take.
std::string search_path_of(pg::Session& session) {
  const auto path = session.exec("SHOW search_path").text(0, 0);
  return path.empty() || path == "\"\"" ? "''" : path;
}

}  // namespace

rt::Owner owner_of(pg::Session& session, std::int64_t step_id) {
  const auto owner = ledger::read_owner(session, step_id);
  return {owner.job, owner.step, owner.is_named_by_step};
}

rt::Retype read_retype_inside(pg::Session& session, const RetypeStep& step, const rt::Owner& owner) {
  rt::Retype retype;
  retype.step = step;
  retype.owner = owner;
  retype.rename = [](std::string_view sql, const std::map<std::string, std::string>& names) {
    return job::rename_columns(sql, names);
  };
  retype.search_path = search_path_of(session);
  retype.graph = rt::read_graph(session, step);
  return retype;
}

rt::Retype read_retype(pg::Session& session, const RetypeStep& step, const rt::Owner& owner) {
  auto limits = kCatalogLimits;
  limits.is_one_snapshot = true;  // a cut-over may be committed between two of the questions
  return pg::in_transaction(session, limits, [&] { return read_retype_inside(session, step, owner); });
}

}  // namespace pgsluice::engine
