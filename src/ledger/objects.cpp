#include "ledger/objects.hpp"

#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kNote = R"sql(
INSERT INTO pgsluice.object (step_id, kind, name, table_oid)
SELECT $1::bigint, o.kind, o.name, o.table_oid FROM unnest($2::text[], $3::text[], $4::oid[]) AS o(kind, name, table_oid)
ON CONFLICT DO NOTHING
)sql";

constexpr const char* kRead = R"sql(
SELECT o.kind, o.name, o.table_oid FROM pgsluice.object o WHERE o.step_id = $1::bigint
ORDER BY array_position(ARRAY['trigger', 'constraint', 'index', 'column', 'old column', 'function', 'sequence', 'table', 'partition', 'default'], o.kind), o.table_oid, o.name
)sql";

constexpr const char* kForgetSome = R"sql(
DELETE FROM pgsluice.object AS o USING unnest($2::text[], $3::text[], $4::oid[]) AS f(kind, name, table_oid)
WHERE o.step_id = $1::bigint AND (o.kind, o.name, o.table_oid) = (f.kind, f.name, f.table_oid)
)sql";

constexpr const char* kForget = "DELETE FROM pgsluice.object WHERE step_id = $1::bigint";

// Up to format 4, every retype that had begun named its objects after its step.
constexpr const char* kOwner = R"sql(
SELECT j.name, s.name, coalesce(to_jsonb(s) ->> 'object_names', CASE WHEN s.detail = '' THEN 'job' ELSE 'step' END) = 'step'
FROM pgsluice.step s JOIN pgsluice.job j ON j.job_id = s.job_id WHERE s.step_id = $1::bigint
)sql";

void exec_for_each(pg::Session& session, const char* sql, std::int64_t step_id,
                   const std::vector<MadeObject>& objects) {
  std::vector<std::string> kinds, names, tables;
  for (const auto& object : objects) {
    kinds.push_back(object.kind);
    names.push_back(object.name);
    tables.push_back(std::to_string(object.table_oid));
  }
  session.exec(sql,
               {std::to_string(step_id), pg::to_array(kinds), pg::to_array(names), pg::to_array(tables)});
}

}  // namespace

void note_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects) {
  exec_for_each(session, kNote, step_id, objects);
}

std::vector<MadeObject> read_objects(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kRead, {std::to_string(step_id)});
  std::vector<MadeObject> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back({rows.text(i, 0), rows.text(i, 1), static_cast<std::uint32_t>(rows.integer(i, 2))});
  return out;
}

void forget_objects(pg::Session& session, std::int64_t step_id) {
  session.exec(kForget, {std::to_string(step_id)});
}

void forget_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects) {
  exec_for_each(session, kForgetSome, step_id, objects);
}

ObjectOwner read_owner(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kOwner, {std::to_string(step_id)});
  if (rows.empty()) return {};
  return {rows.text(0, 0), rows.text(0, 1), rows.boolean(0, 2)};
}

}  // namespace pgsluice::ledger
