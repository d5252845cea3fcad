#include "kinds/retype/dependents/bound_remarks.hpp"

#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kRemarks = R"sql(
SELECT r.objoid, r.objsubid, a.attname, r.provider, r.text
FROM (SELECT objoid, objsubid, NULL AS provider, description AS text
      FROM pg_catalog.pg_description
      WHERE classoid = 'pg_catalog.pg_class'::regclass AND objoid = ANY ($1::oid[])
      UNION ALL
      SELECT objoid, objsubid, provider, label
      FROM pg_catalog.pg_seclabel
      WHERE classoid = 'pg_catalog.pg_class'::regclass AND objoid = ANY ($1::oid[])) r
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.objoid AND a.attnum = r.objsubid AND r.objsubid <> 0
ORDER BY r.objoid, r.objsubid, r.provider NULLS FIRST
)sql";

}  // namespace

std::vector<Remark> read_remarks(pg::Session& session, const Oids& relations) {
  const auto rows = session.exec(kRemarks, {oid_array(relations)});
  std::vector<Remark> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({oid_at(rows, i, 0), static_cast<int>(rows.integer(i, 1)), rows.text(i, 2), rows.at(i, 3),
                   rows.text(i, 4)});
  }
  return out;
}

std::string remark_sql(const Remark& remark, const std::string& object, const pg::Value& text) {
  const std::string kind =
      remark.provider ? "SECURITY LABEL FOR " + pg::Identifier(*remark.provider).sql() : "COMMENT";
  return kind + " ON " + object + " IS " + (text ? pg::literal(*text) : "NULL");
}

}  // namespace pgsluice::steps::retype
