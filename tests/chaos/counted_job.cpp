#include "chaos/counted_job.hpp"

#include <gtest/gtest.h>

#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr const char* kBigintTable = R"sql(
CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO counted SELECT (i - 500) * 3000000000 FROM generate_series(1, $rows) i
)sql";

// Nine tenths of the rows in one tenant; the others sort before and behind it.
constexpr const char* kCompositeTable = R"sql(
CREATE TABLE counted (tenant text, id bigint, n int NOT NULL DEFAULT 0, PRIMARY KEY (tenant, id));
INSERT INTO counted SELECT CASE WHEN i % 10 = 0 THEN 'Small ' || chr(65 + i % 50) ELSE 'large' END, i
FROM generate_series(1, $rows) i
)sql";

std::string with_rows(std::string sql, int rows) {
  const std::string mark = "$rows";
  return sql.replace(sql.find(mark), mark.size(), std::to_string(rows));
}

std::string toml(const CountedJob::Options& o) {
  const auto rows = std::to_string(o.batch_rows);
  return "name = \"count\"\n" + o.settings + "\n[pool]\nlanes = " + std::to_string(o.lanes) +
         "\n[batch]\nrows = " + rows + "\nrows_min = " + std::to_string(o.batch_rows_min) +
         "\nrows_max = " + rows + "\ntarget = \"" + o.target + "\"" +
         "\n[[step]]\nkind = \"backfill\"\nname = \"count\"\ntable = \"counted\"\nset = { n = \"n + 1\" "
         "}\nwalk = \"" +
         o.walk + "\"\n" + (o.walk == "keyset" ? "" : "where = \"n = 0\"\n") + o.other_steps;
}

}  // namespace

std::vector<std::string> walks() {
  std::vector<std::string> all{"keyset", "interleaved"};
  if (long_run()) all.emplace_back("blocks");
  return all;
}

CountedJob::CountedJob(const Options& options) : CountedJob(SharedServer::get(), options) {}

CountedJob::CountedJob(PrivateServer& server, const Options& options)
    : options_(options), trial_(std::make_unique<Trial>(server)) {
  make_table();
  trial_->job(toml(options_));
}

void CountedJob::make_table() {
  db().exec(with_rows(options_.key == CountKey::kBigint ? kBigintTable : kCompositeTable, options_.rows));
  // Few rows a page: a batch by blocks is a page at least, and tests wait for many batches.
  if (options_.walk == "blocks") db().exec("ALTER TABLE counted SET (fillfactor = 10); VACUUM FULL counted");
  db().exec("ANALYZE counted");
}

std::unique_ptr<Process> CountedJob::start(const std::vector<std::string>& args) const {
  auto all = args;
  all.push_back("--log-batches");
  return std::make_unique<Process>(trial_->command("run", all));
}

Finished CountedJob::expect_run(int code, const std::vector<std::string>& args) const {
  const auto finished = trial_->run(args);
  EXPECT_EQ(finished.exit, (Exit{code, 0})) << finished.out << finished.err;
  return finished;
}

void CountedJob::slow_down(std::chrono::milliseconds batch) {
  db().exec("DROP TRIGGER IF EXISTS slow ON counted");
  if (batch.count() == 0) return;
  db().exec(
      "CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(" +
      std::to_string(static_cast<double>(batch.count()) / 1e3) + "); RETURN NULL; END'");
  db().exec("CREATE TRIGGER slow BEFORE UPDATE ON counted EXECUTE FUNCTION dawdle()");
}

std::int64_t CountedJob::batches() {
  if (!db().yes("SELECT to_regclass('pgsluice.range') IS NOT NULL")) return 0;
  return db().number("SELECT coalesce(sum(batches), 0) FROM pgsluice.range");
}

void CountedJob::await_batches(std::int64_t count) {
  wait_for([&] { return batches() >= count; }, 2 * kPatience, std::to_string(count) + " batches");
}

void CountedJob::expect_exact() {
  EXPECT_EQ(db().text("SELECT format('%s rows, n from %s to %s', count(*), min(n), max(n)) FROM counted"),
            "" + std::to_string(options_.rows) + " rows, n from 1 to 1");
  EXPECT_EQ(db().number("SELECT sum(rows_changed) FROM pgsluice.range r JOIN pgsluice.step s USING (step_id) "
                        "WHERE s.kind = 'backfill'"),
            options_.rows)
      << "the ledger counts as the table does";
}

std::string CountedJob::fingerprint() {
  return db().text("SELECT md5(string_agg(format('%s %s', t, xmin), ',' ORDER BY ctid)) FROM counted t");
}

void CountedJob::expect_finished() {
  expect_exact();
  const auto before = fingerprint();
  const auto again = expect_run(0, {"--log-batches"});
  EXPECT_EQ(events_of(again.out, "batch").size(), 0U);
  EXPECT_EQ(fingerprint(), before) << "a second run finds nothing to do";
  expect_nothing_left_behind(db());
}

void expect_nothing_left_behind(Db& db) {
  const auto gone = [&] {
    return db.number(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "starts_with(application_name, 'pgsluice')") == 0;
  };
  wait_for(gone, "the program's sessions to end");
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND database = "
                      "(SELECT oid FROM pg_database WHERE datname = current_database())"),
            0);
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname <> 'slow'"), 0);
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_class WHERE relpersistence = 't'"), 0);
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_prepared_xacts"), 0);
  EXPECT_EQ(db.number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done"), 0);
  EXPECT_EQ(db.number("SELECT count(*) FROM pgsluice.run WHERE ended_at IS NULL"), 0);
}

std::string lines_of(const Process& process) {
  auto text = process.out();
  text.resize(text.find_last_of('\n') == std::string::npos ? 0 : text.find_last_of('\n') + 1);
  return text;
}

}  // namespace pgsluice::test
