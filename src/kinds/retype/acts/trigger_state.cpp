#include "kinds/retype/acts/trigger_state.hpp"

#include <algorithm>

#include "kinds/retype/acts/sync_triggers.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// A partition has a copy of each, which can be switched off separately.
constexpr const char* kState = R"sql(
SELECT t.tgname, n.nspname, c.relname, c.oid = $1::oid, t.tgenabled
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (c.oid = $1::oid OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) p))
  AND t.tgname = ANY ($2::text[])
ORDER BY c.oid <> $1::oid, n.nspname, c.relname, t.tgname
)sql";

// ALTER TABLE writes a new version of the trigger's row even where it changes nothing. Each partition tree is
// walked once: this runs while the tables are locked.
constexpr const char* kMarks = R"sql(
SELECT coalesce(string_agg(concat_ws(' ', t.oid, t.tgenabled, t.xmin), ',' ORDER BY t.oid), '')
FROM pg_catalog.pg_trigger t
WHERE t.tgname = ANY ($2::text[])
  AND t.tgrelid IN (SELECT root.oid FROM unnest($1::oid[]) AS root(oid)
                    UNION
                    SELECT p.relid::oid FROM unnest($1::oid[]) AS root(oid), pg_catalog.pg_partition_tree(root.oid::regclass) AS p)
)sql";

std::vector<std::string> names_of(const Retype& retype) {
  return {insert_trigger(retype.owner), update_trigger(retype.owner), late_trigger(retype.owner)};
}

std::string in_words(char enabled) {
  if (enabled == 'D') return "switched off";
  return enabled == 'R' ? "enabled for replicas only" : "not fired by replication and restores";
}

std::string trigger_of(const std::string& name, const std::string& table_sql) {
  return "trigger " + pg::Identifier(name).sql() + " of " + table_sql;
}

void look_at(pg::Session& session, const Retype& retype, const GraphTable& table, SyncStage stage,
             std::vector<std::string>& out) {
  const auto rows = session.exec(kState, {std::to_string(table.oid), pg::to_array(names_of(retype))});
  std::vector<std::string> there;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.boolean(i, 3)) there.push_back(rows.text(i, 0));
    if (const auto enabled = rows.text(i, 4); enabled != "A")
      out.push_back(trigger_of(rows.text(i, 0), pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql()) +
                    " is " + in_words(enabled.front()));
  }
  if (stage == SyncStage::kExpanding) return;
  for (const auto& name : sync_trigger_names(retype, table, stage == SyncStage::kCutOver)) {
    if (std::find(there.begin(), there.end(), name) == there.end())
      out.push_back(trigger_of(name, table.sql()) + " is gone");
  }
}

}  // namespace

std::vector<std::string> triggers_not_as_made(pg::Session& session, const Retype& retype, SyncStage stage,
                                              const std::set<std::uint32_t>& made_on) {
  std::vector<std::string> out;
  for (const auto& table : retype.graph.tables) {
    if (made_on.count(table.oid)) look_at(session, retype, table, stage, out);
  }
  return out;
}

std::string trigger_marks(pg::Session& session, const Retype& retype) {
  std::vector<std::string> tables;
  for (const auto& table : retype.graph.tables) tables.push_back(std::to_string(table.oid));
  return session.exec(kMarks, {pg::to_array(tables), pg::to_array(names_of(retype))}).text(0, 0);
}

}  // namespace pgsluice::steps::retype
