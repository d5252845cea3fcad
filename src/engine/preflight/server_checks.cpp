#include "engine/preflight/server_checks.hpp"

#include "base/units.hpp"
#include "engine/preflight/standby_checks.hpp"
#include "governor/lsn.hpp"
#include "ledger/schema.hpp"
#include "pg/activity/activity.hpp"
#include "pg/activity/health.hpp"
#include "pg/catalog/privileges.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kServerMin = 120'000;  // PostgreSQL 12: the oldest version whose catalog we read correctly
constexpr std::int64_t kLongTransaction = 300;     // seconds; by then it holds vacuum back
constexpr std::int64_t kRetainedWarn = 1LL << 30;  // bytes of WAL kept for an unread slot
constexpr const char* kLongTransactions = "long transactions";
constexpr const char* kOurApplication = "pgsluice ";  // how application_name of every session of ours begins
constexpr const char* kLedgerSchema = "pgsluice";

std::string age_text(std::int64_t seconds) {
  return base::format_duration(std::chrono::seconds{seconds});
}
std::string size_text(std::int64_t bytes) {
  return base::format_bytes(static_cast<double>(bytes));
}

void check_ledger(pg::Session& session, Findings& findings) {
  const auto state = pg::schema_state(session, kLedgerSchema);
  const auto role = pg::Identifier(pg::current_role(session)).sql();
  if (state == pg::SchemaState::kMissing && !pg::may_create_schema(session)) {
    const auto database = pg::current_database(session);
    findings.refuse("ledger", "role " + role + " cannot create the ledger, schema \"pgsluice\"",
                    "GRANT CREATE ON DATABASE " + pg::Identifier(database).sql() + " TO " + role,
                    ExitCode::kPrivileges);
  }
  if (state == pg::SchemaState::kMissing) return;
  if (const auto grant = pg::missing_schema_grant(session, kLedgerSchema); !grant.empty()) {
    findings.refuse("ledger", "role " + role + " cannot use the ledger in schema \"pgsluice\"", grant,
                    ExitCode::kPrivileges);
    return;
  }
  const bool is_installed = ledger::is_installed(session);
  if (is_installed && ledger::installed_version(session) > ledger::kSchemaVersion) {
    findings.refuse("ledger", "the ledger in schema \"pgsluice\" was written by a newer version of pgsluice",
                    "use that version");
  }
  if (!is_installed && state == pg::SchemaState::kForeign) {
    findings.refuse("ledger", "schema \"pgsluice\" exists without a ledger and belongs to another role",
                    "drop it, or ALTER SCHEMA \"pgsluice\" OWNER TO " + role, ExitCode::kPrivileges);
  }
}

void check_transactions(pg::Session& session, Findings& findings) {
  for (const auto& t : pg::long_transactions(session, kLongTransaction)) {
    const auto message = "pid " + std::to_string(t.pid) + " (" + t.user + ", " + t.application + ", " +
                         t.state + ") has had a transaction open for " + age_text(t.age_s);
    const auto* hint =
        "until it ends, vacuum cannot remove the job's dead row versions, and an index build waits for it";
    // A run's own index build or statement is wanted, and must not warn off the next run.
    if (t.application.starts_with(kOurApplication)) {
      findings.inform(kLongTransactions, message, hint);
    } else {
      findings.warn(kLongTransactions, message, hint);
    }
  }
  for (const auto& p : pg::prepared_transactions(session)) {
    findings.warn("prepared transactions",
                  "transaction \"" + p.name + "\" of " + p.owner + " was prepared " + age_text(p.age_s) +
                      " ago and keeps its locks",
                  "COMMIT PREPARED or ROLLBACK PREPARED " + pg::literal(p.name));
  }
}

void check_replication(pg::Session& session, Findings& findings) {
  const auto view = pg::read_replication(session);
  const auto flushed = governor::parse_lsn(view.flush_lsn);
  for (const auto& w : view.walsenders) {
    if (w.is_logical || w.state == "backup" || !w.replay || !flushed) continue;
    const auto replayed = governor::parse_lsn(*w.replay).value_or(*flushed);
    const auto behind = static_cast<std::int64_t>(*flushed > replayed ? *flushed - replayed : 0);
    findings.inform("replicas", "replica \"" + w.application_name + "\" is " + w.state + ", " +
                                    size_text(behind) + " behind");
  }
  check_standbys(session, view, findings);
  for (const auto& slot : pg::idle_slots(session)) {
    if (slot.retained_bytes < kRetainedWarn) continue;
    findings.warn("slots",
                  "nobody reads from replication slot \"" + slot.name + "\", which keeps " +
                      size_text(slot.retained_bytes) + " of WAL",
                  "start its reader, or SELECT pg_drop_replication_slot(" + pg::literal(slot.name) +
                      "): the job adds to it");
  }
}

}  // namespace

void check_server(pg::Session& session, Findings& findings) {
  if (session.server_version() < kServerMin) {
    findings.refuse("server",
                    "the server is PostgreSQL " + std::to_string(session.server_version() / 10'000) +
                        ", but at least 12 is needed",
                    "upgrade it");
  }
  if (pg::is_in_recovery(session)) {
    findings.refuse(
        "standby", "the server is a standby, which is read-only",
        "connect to the primary; a connection string with target_session_attrs=read-write finds it");
  }
}

void check_privileges(pg::Session& session, bool is_ledger_needed, Findings& findings) {
  if (!pg::can_see_activity(session)) {
    const auto role = pg::Identifier(pg::current_role(session)).sql();
    findings.refuse(
        "privileges",
        "role " + role + " cannot see replicas and other sessions, so the job could not hold for them",
        "GRANT pg_monitor TO " + role, ExitCode::kPrivileges);
  }
  if (const auto remedy = pg::read_only_remedy(session); !remedy.empty())
    findings.refuse("read only",
                    "transactions of this role are read-only here: default_transaction_read_only is on",
                    remedy + ", or connect with options='-c default_transaction_read_only=off'");
  if (is_ledger_needed) check_ledger(session, findings);
}

void check_health(pg::Session& session, Findings& findings) {
  check_transactions(session, findings);
  check_replication(session, findings);
  if (const auto age = pg::wraparound_age(session); age > pg::kWraparoundWarn) {
    findings.warn("wraparound",
                  "the database's oldest row is " + base::format_count(age) + " transactions old",
                  "let VACUUM (FREEZE) finish first: at 2,000,000,000 the server stops accepting writes");
  }
}

}  // namespace pgsluice::engine
