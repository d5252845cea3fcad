#include "kinds/retype/dependents/bound_script.hpp"

#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {

namespace {
constexpr int kServerWithSetPrivilege = 160'000;  // membership alone was enough before
}

pg::Value oid_array(const Oids& oids) {
  pg::Key texts;
  for (const auto oid : oids) texts.push_back(std::to_string(oid));
  return pg::to_array(texts);
}

Oids tables_of(const std::vector<ColumnPlace>& columns) {
  Oids out;
  for (const auto& column : columns) out.push_back(column.table_oid);
  return out;
}

pg::Params place_params(const std::vector<ColumnPlace>& columns) {
  pg::Key attnums;
  for (const auto& column : columns) attnums.push_back(std::to_string(column.attnum));
  return {oid_array(tables_of(columns)), pg::to_array(attnums)};
}

std::uint32_t oid_at(const pg::Rows& rows, std::size_t row, std::size_t column) {
  return static_cast<std::uint32_t>(rows.integer(row, column));
}

void add_comment(std::vector<std::string>& out, const std::string& object, const pg::Value& text) {
  if (text) out.push_back("COMMENT ON " + object + " IS " + pg::literal(*text));
}

std::string enabling_word(const std::string& state) {
  if (state == "D") return "DISABLE";
  if (state == "A") return "ENABLE ALWAYS";
  if (state == "R") return "ENABLE REPLICA";
  return {};
}

BoundObject refused_object(const std::string& kind, const std::string& name, const std::string& why,
                           const std::string& hint) {
  BoundObject object;
  object.kind = kind;
  object.name = name;
  object.refusal = why;
  object.hint = hint;
  return object;
}

const char* acting_privilege(const pg::Session& session) {
  return session.server_version() >= kServerWithSetPrivilege ? "SET" : "MEMBER";
}

}  // namespace pgsluice::steps::retype
