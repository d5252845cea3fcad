#include "pg/held_work.hpp"

#include <gtest/gtest.h>

#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

// Not by waiting for a lock, which the program's own timeouts would end: it looks again and again, and is as
// busy as a statement that reads a large table.
constexpr const char* kGate = R"sql(
CREATE TABLE t (id int PRIMARY KEY, s text NOT NULL, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT g, 'x' || g FROM generate_series(1, 200) g;
ANALYZE t;
CREATE TABLE held (pattern text NOT NULL);
CREATE FUNCTION pass(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_setting('application_name') LIKE 'pgsluice%' THEN
    WHILE NOT pg_try_advisory_lock_shared(7) LOOP PERFORM pg_sleep(0.005); END LOOP;
    PERFORM pg_advisory_unlock_shared(7);
  END IF;
  RETURN v;
END $$;
CREATE FUNCTION pass_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM held WHERE current_query() ~ pattern) THEN PERFORM pass(1); END IF;
END $$;
CREATE FUNCTION pass_analyze(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_query() LIKE '%ANALYZE%' AND EXISTS (SELECT FROM public.held WHERE current_query() ~ pattern) THEN
    PERFORM public.pass(1);
  END IF;
  RETURN v;
END $$;
CREATE EVENT TRIGGER held_ddl ON ddl_command_start EXECUTE FUNCTION pass_ddl()
)sql";

const char* step_of(Work work) {
  switch (work) {
    case Work::kSql:
      return "kind = \"sql\"\nname = \"work\"\nup = \"ALTER TABLE t ALTER s TYPE text USING s || "
             "substr(pass(id)::text, 1, 0)\"";
    case Work::kVerify:
      return "kind = \"verify\"\nname = \"work\"\nquery = \"SELECT sum(pass(id)) > 0 FROM t\"\nexpect = "
             "\"t\"";
    case Work::kFill:
      return "kind = \"backfill\"\nname = \"work\"\ntable = \"t\"\nset = { n = \"n + 1 + pass(id) - id\" }";
    case Work::kIndex:
      return "kind = \"index\"\nname = \"work\"\nsql = \"CREATE INDEX CONCURRENTLY IF NOT EXISTS t_pass ON t "
             "(pass(id))\"";
    case Work::kRetypeCutOver:
      return "kind = \"retype\"\nname = \"work\"\ntables = [\"t\"]\nto = \"bigint\"\ncutover = \"auto\"";
    default:
      return "kind = \"retype\"\nname = \"work\"\ntables = [\"t\"]\nto = \"bigint\"";
  }
}

/// Which statement of a retype is held.
const char* pattern_of(Work work) {
  switch (work) {
    case Work::kRetypeColumn:
      return "^ALTER TABLE.*ADD COLUMN";
    case Work::kRetypeIndex:
      return "^CREATE UNIQUE INDEX CONCURRENTLY";
    case Work::kRetypeVacuum:
      return "^VACUUM";
    case Work::kRetypeProof:
      return "^ALTER TABLE.*VALIDATE";
    case Work::kRetypeCutOver:
      return "RENAME COLUMN";
    default:
      return "";
  }
}

bool is_retype(Work work) {
  return work >= Work::kRetypeColumn;
}

constexpr const char* kOurs =
    "FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%' AND backend_type = 'client backend' AND "
    "datname = current_database()";

}  // namespace

std::vector<Work> all_works() {
  return {Work::kSql,          Work::kVerify,       Work::kFill,
          Work::kIndex,        Work::kRetypeColumn, Work::kRetypeIndex,
          Work::kRetypeVacuum, Work::kRetypeProof,  Work::kRetypeCutOver};
}

std::string name_of(Work work) {
  switch (work) {
    case Work::kSql:
      return "Sql";
    case Work::kVerify:
      return "Verify";
    case Work::kFill:
      return "Fill";
    case Work::kIndex:
      return "Index";
    case Work::kRetypeColumn:
      return "RetypeColumn";
    case Work::kRetypeIndex:
      return "RetypeIndex";
    case Work::kRetypeVacuum:
      return "RetypeVacuum";
    case Work::kRetypeProof:
      return "RetypeProof";
    case Work::kRetypeCutOver:
      return "RetypeCutOver";
  }
  return "";
}

HeldWork::HeldWork(PrivateServer& server, Work work)
    : work_(work), trial_(server), watcher_(trial_.dsn()), gate_(trial_.dsn()), locker_(trial_.dsn()) {
  // An observer waits for no standby.
  for (auto* db : {&watcher_, &gate_, &locker_, &trial_.db()}) db->exec("SET synchronous_commit = local");
  watcher_.exec(kGate);
  // ANALYZE evaluates the expressions of indexes.
  if (work_ == Work::kRetypeVacuum) watcher_.exec("CREATE INDEX t_analyze ON t (pass_analyze(n))");
  trial_.job("name = \"held\"\n[[step]]\n" + std::string(step_of(work)) + "\n");
}

void HeldWork::hold(const std::string& pattern) {
  gate_.exec("SELECT pg_advisory_lock(7)");
  if (!pattern.empty()) watcher_.exec("INSERT INTO held VALUES ('" + pattern + "')");
}

void HeldWork::release() {
  gate_.exec("SELECT pg_advisory_unlock_all()");
  watcher_.exec("DELETE FROM held");
}

std::unique_ptr<Process> HeldWork::start_released(const std::vector<std::string>& args) {
  return std::make_unique<Process>(trial_.command("run", args));
}

std::unique_ptr<Process> HeldWork::start_rehearsed(const std::vector<std::string>& args) {
  auto process = start_released(args);
  wait_for([&] { return process->out().find("rehearsed") != std::string::npos; }, "the rehearsal");
  return process;
}

std::unique_ptr<Process> HeldWork::start_at_fence(const std::vector<std::string>& args) {
  trial_.job(
      "name = \"held\"\n[[step]]\nkind = \"retype\"\nname = \"work\"\ntables = [\"t\"]\nto = "
      "\"uuid\"\nmapping = \"random\"\n");
  watcher_.exec("CREATE TABLE child (id int PRIMARY KEY REFERENCES t); INSERT INTO child SELECT id FROM t");
  locker_.exec("BEGIN; SELECT pg_current_xact_id()");
  auto process = start_released(args);
  wait_for([&] { return process->out().find("waiting for transactions") != std::string::npos; }, "the fence");
  return process;
}

std::unique_ptr<Process> HeldWork::start(const std::vector<std::string>& args) {
  // What the rehearsal does with the same statements is not what is to be held.
  if (!is_retype(work_)) hold("");
  auto process = is_retype(work_) ? start_rehearsed(args) : start_released(args);
  if (is_retype(work_)) hold(pattern_of(work_));
  wait_for([&] { return at_work() > 0; }, name_of(work_) + " in flight");
  return process;
}

std::unique_ptr<Process> HeldWork::start_verb(const std::string& verb, const std::string& pattern,
                                              const std::vector<std::string>& args) {
  hold(pattern);
  auto process = std::make_unique<Process>(trial_.command(verb, args));
  wait_for([&] { return at_work() > 0; }, verb + " in flight");
  return process;
}

void HeldWork::lock() {
  // Each waits for something else; nothing here keeps the preflight from reading.
  const char* sql = "BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE";
  if (work_ == Work::kFill) sql = "BEGIN; SELECT FROM t FOR UPDATE";
  if (work_ == Work::kVerify) sql = "BEGIN; LOCK TABLE t";
  locker_.exec(sql);
}

void HeldWork::unlock() {
  locker_.exec("ROLLBACK");
}

std::int64_t HeldWork::backends() {
  return watcher_.number(std::string("SELECT count(*) ") + kOurs);
}

std::int64_t HeldWork::at_work() {
  return watcher_.number(std::string("SELECT count(*) ") + kOurs +
                         " AND state = 'active' AND wait_event = 'PgSleep'");
}

bool HeldWork::is_waiting_for(const std::string& wait) {
  return watcher_.yes(std::string("SELECT count(*) > 0 ") + kOurs + " AND '" + wait +
                      "' IN (wait_event_type, wait_event)");
}

void HeldWork::await_no_backend(std::chrono::milliseconds deadline) {
  wait_for([&] { return backends() == 0; }, deadline, "the end of every backend of ours");
}

std::int64_t HeldWork::cancel_at_work() {
  return watcher_.number(std::string("SELECT count(pg_cancel_backend(pid)) ") + kOurs +
                         " AND state = 'active' AND wait_event = 'PgSleep'");
}

bool HeldWork::are_runs_closed() {
  return watcher_.yes("SELECT count(*) > 0 AND count(*) = count(ended_at) FROM pgsluice.run");
}

void HeldWork::expect_rest() {
  release();
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), is_retype(work_) && work_ != Work::kRetypeCutOver ? 9 : 0)
      << finished.out << finished.err;
  if (work_ != Work::kFill) return;
  EXPECT_TRUE(watcher_.yes("SELECT min(n) = 1 AND max(n) = 1 FROM t"));
}

}  // namespace pgsluice::test
