#include "pg/catalog/privileges.hpp"

#include "pg/identifier.hpp"

namespace pgsluice::pg {
namespace {

constexpr const char* kMayCreate = "SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE')";

constexpr const char* kMayCreateIn = R"sql(
SELECT pg_catalog.has_schema_privilege(oid, 'CREATE'), pg_catalog.quote_ident(current_user)
FROM pg_catalog.pg_namespace WHERE nspname = $1
)sql";

constexpr const char* kSchemaState = R"sql(
SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = $1
)sql";

// Partitions and sequences of the schema need no grant: only its tables are used directly.
constexpr const char* kUsable = R"sql(
SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       coalesce(bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
                         AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
                         AND pg_catalog.has_table_privilege(c.oid, 'DELETE')), true)
FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
WHERE n.nspname = $1 GROUP BY n.oid
)sql";

constexpr const char* kOwns = R"sql(
SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = $1::oid
)sql";

constexpr const char* kReadOnly = R"sql(
SELECT s.source, pg_catalog.quote_ident(current_database()), pg_catalog.quote_ident(session_user)
FROM pg_catalog.pg_settings s WHERE s.name = 'default_transaction_read_only' AND s.setting = 'on'
)sql";

}  // namespace

bool may_create_schema(Session& session) {
  return session.exec(kMayCreate, Params{}).boolean(0, 0);
}

std::string missing_create_grant(Session& session, const std::string& schema) {
  const auto rows = session.exec(kMayCreateIn, {schema});
  if (rows.empty() || rows.boolean(0, 0)) return {};
  return "GRANT CREATE ON SCHEMA " + Identifier(schema).sql() + " TO " + rows.text(0, 1);
}

SchemaState schema_state(Session& session, const std::string& schema) {
  const auto rows = session.exec(kSchemaState, {schema});
  if (rows.empty()) return SchemaState::kMissing;
  return rows.boolean(0, 0) ? SchemaState::kOwned : SchemaState::kForeign;
}

std::string missing_schema_grant(Session& session, const std::string& schema) {
  const auto rows = session.exec(kUsable, {schema});
  if (rows.empty()) return {};
  const std::string name = Identifier(schema).sql();
  const std::string role = Identifier(session.exec("SELECT current_user", Params{}).text(0, 0)).sql();
  std::string grant;
  if (!rows.boolean(0, 0)) grant = "GRANT USAGE ON SCHEMA " + name + " TO " + role;
  if (!rows.boolean(0, 1)) {
    grant += std::string(grant.empty() ? "" : "; ") +
             "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + name + " TO " + role;
  }
  return grant;
}

std::string read_only_remedy(Session& session) {
  const auto rows = session.exec(kReadOnly, Params{});
  if (rows.empty()) return {};
  const auto source = rows.text(0, 0);
  const auto of_role = "ALTER ROLE " + rows.text(0, 2);
  const std::string reset = " RESET default_transaction_read_only";
  if (source == "user") return of_role + reset;
  if (source == "database") return "ALTER DATABASE " + rows.text(0, 1) + reset;
  if (source == "database user") return of_role + " IN DATABASE " + rows.text(0, 1) + reset;
  if (source == "client") return "remove default_transaction_read_only from the connection's options";
  return of_role + " SET default_transaction_read_only = off";  // it is the server's own setting
}

bool owns_table(Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(kOwns, {std::to_string(table_oid)});
  return !rows.empty() && rows.boolean(0, 0);
}

}  // namespace pgsluice::pg
