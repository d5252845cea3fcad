// What the whole change of five tables costs, part by part, while an application goes on.

#include <algorithm>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "end_to_end/cases.hpp"
#include "end_to_end/journals_database.hpp"
#include "end_to_end/lock_watch.hpp"
#include "end_to_end/retype_verb.hpp"
#include "measure/bench_server.hpp"
#include "measure/figures.hpp"
#include "measure/latencies.hpp"
#include "measure/markdown.hpp"
#include "measure/process_cost.hpp"
#include "support/environment.hpp"

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::system_clock;

constexpr std::int64_t kUsers = 1'000'000;
constexpr std::int64_t kUsersQuick = 20'000;
constexpr double kRate = 100;  // transactions a second
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kQuiet{5};
constexpr std::chrono::hours kPatience{6};

// The traffic's role, so that the server can tell its statements from ours.
constexpr const char* kApplication = "application";

constexpr const char* kParts = R"sql(
SELECT part, count(*), extract(epoch FROM min(started_at)), extract(epoch FROM max(ended_at)),
       coalesce(sum((SELECT sum(r.rows_changed) FROM pgsluice.range r WHERE r.step_id = s.step_id)), 0)
FROM pgsluice.step s WHERE parent_id IS NOT NULL GROUP BY part ORDER BY min(number)
)sql";

constexpr const char* kSizes = R"sql(
SELECT sum(pg_table_size(oid)) / 1e6, sum(pg_indexes_size(oid)) / 1e6
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
)sql";

constexpr const char* kApplicationWal = R"sql(
SELECT coalesce(sum(wal_bytes), 0) / 1e6 FROM pg_stat_statements
WHERE userid = 'application'::regrole AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)sql";

struct Sample {
  Clock::time_point at;
  double wal_mb = 0;
  double cpu_s = 0;
};

/// Looks at the server until the program ends.
class Course {
 public:
  Course(BenchServer& server, test::Db& db) : server_(server), db_(db) {}

  void look() {
    samples_.push_back(
        {Clock::now(), wal_position(db_) / 1e6, cpu_seconds_of_family(server_.server().postmaster_pid())});
  }

  /// The last look until then; the first of all if there is none.
  const Sample& at(Clock::time_point when) const {
    const Sample* found = &samples_.front();
    for (const auto& sample : samples_) {
      if (sample.at <= when) found = &sample;
    }
    return *found;
  }

 private:
  BenchServer& server_;
  test::Db& db_;
  std::vector<Sample> samples_;
};

struct Size {
  double heap_mb = 0;
  double indexes_mb = 0;
};

Size size_of(test::Db& db) {
  const auto row = db.rows(kSizes).at(0);
  return {std::stod(row.at(0)), std::stod(row.at(1))};
}

Clock::time_point from_epoch(const std::string& seconds) {
  return Clock::time_point(
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::stod(seconds))));
}

/// A part of the change, as the ledger tells it, or a verb.
struct Part {
  std::string name;
  std::string acts;
  Clock::time_point from, to;
  double rows = 0;
  std::string locked = "–";

  double seconds() const { return std::chrono::duration<double>(to - from).count(); }
};

std::vector<Part> parts_of(test::Db& db) {
  std::vector<Part> parts;
  for (const auto& row : db.rows(kParts)) {
    parts.push_back(
        {row.at(0), row.at(1), from_epoch(row.at(2)), from_epoch(row.at(3)), std::stod(row.at(4))});
  }
  return parts;
}

Part say_part(const std::string& verb, const std::string& dsn) {
  LockWatch watch(dsn, kJournalRelations);
  std::vector<std::string> words{verb, kIntegerToUuid, "--yes"};
  if (verb == "contract") words.emplace_back("--unproven");  // the proofs would read every row
  const auto said = say(words, dsn);
  const auto locked = watch.stop();
  return {verb, "1", said.from, said.to, 0, locked.empty() ? "–" : number_text(locked.back().ms(), 0)};
}

struct Measured {
  std::vector<Part> parts;
  Size before, ready, contracted;
  double application_wal_mb = 0;
  double wal_mb = 0;
  Latencies quiet;
  test::TrafficResult noticed;
  std::int64_t failed = 0;
  std::int64_t orphans = 0;
};

void make_ready(const std::string& dsn, Course& course) {
  test::Process program(
      test::pgsluice({"run", integer_to_uuid_job(), "--lanes", "2", "--dsn", dsn, "--json"}));
  while (program.running()) {
    course.look();
    std::this_thread::sleep_for(kLook);
  }
  if (program.wait().code != 9)
    throw std::runtime_error("pgsluice run failed:\n" + program.out() + program.err());
}

Measured measure(BenchServer& server, TrialDatabase& trial, std::int64_t users, Course& course) {
  auto& db = trial.db();
  Measured m;
  m.before = size_of(db);
  test::Pgbench traffic(journal_traffic(server.server().dsn(trial.name(), kApplication), users, kRate));
  const auto began = Clock::now();
  course.look();
  std::this_thread::sleep_for(kQuiet);
  const auto quiet_until = Clock::now();
  make_ready(trial.dsn(), course);
  m.parts = parts_of(db);
  m.ready = size_of(db);
  for (const std::string verb : {"cutover", "contract"}) {
    std::this_thread::sleep_for(kQuiet);
    course.look();
    m.parts.push_back(say_part(verb, trial.dsn()));
    course.look();
  }
  std::this_thread::sleep_for(kQuiet);
  m.noticed = traffic.stop();
  m.quiet.add(m.noticed.served, began, quiet_until);
  m.failed = m.noticed.failed + (m.noticed.exit.code == 0 ? 0 : 1);  // not 0: a client gave up after an error
  if (m.failed != 0) std::cerr << m.noticed.report;
  m.contracted = size_of(db);
  course.look();
  m.wal_mb = course.at(Clock::now()).wal_mb - course.at(began).wal_mb;
  m.application_wal_mb = std::stod(db.text(kApplicationWal));
  m.orphans = orphans(db);
  return m;
}

std::string part_table(const Measured& m, const Course& course) {
  MarkdownTable table({"part", "acts", "seconds", "rows a second", "locked ms", "WAL MB", "server's CPU s",
                       "p99 ms", "longest ms"});
  for (const auto& part : m.parts) {
    const auto before = course.at(part.from);
    const auto after = course.at(part.to);
    Latencies noticed;
    noticed.add(m.noticed.served, part.from, part.to);
    table.add({part.name, part.acts, number_text(part.seconds(), 1),
               part.rows > 0 ? number_text(part.rows / part.seconds(), 0) : "–", part.locked,
               number_text(after.wal_mb - before.wal_mb, 0), number_text(after.cpu_s - before.cpu_s, 1),
               number_text(noticed.p99(), 1), number_text(noticed.longest(), 0)});
  }
  return table.text();
}

std::string size_table(const Measured& m) {
  MarkdownTable table({"five tables", "heap MB", "indexes MB", "together, to before"});
  const auto add = [&](const std::string& name, const Size& size) {
    table.add({name, number_text(size.heap_mb, 0), number_text(size.indexes_mb, 0),
               number_text((size.heap_mb + size.indexes_mb) / (m.before.heap_mb + m.before.indexes_mb), 2)});
  };
  add("before", m.before);
  add("ready for cut-over", m.ready);
  add("contracted", m.contracted);
  return table.text();
}

std::string section(const Measured& m, const Course& course, std::int64_t users) {
  const auto ready =
      std::find_if(m.parts.begin(), m.parts.end(), [](const Part& p) { return p.name == "cutover"; });
  const auto seconds = std::chrono::duration<double>(std::prev(ready)->to - m.parts.front().from).count();
  return "## retype-graph: five tables, " + std::to_string(users) + " users, " + std::to_string(5 * users) +
         " journals, two lanes, pgbench at " + number_text(kRate, 0) + " transactions/s\n\n" +
         part_table(m, course) + "\n" + size_table(m) + "\nReady for cut-over after " +
         number_text(seconds, 0) +
         " s. Parts from the ledger, WAL and CPU of the whole server, the traffic's too: its statements "
         "wrote " +
         number_text(m.application_wal_mb, 0) + " of " + number_text(m.wal_mb, 0) +
         " MB. Locked: by pg_locks, ACCESS EXCLUSIVE of the cut-over at most. No autovacuum, so that nothing "
         "but "
         "the retype's own VACUUM makes room. Latency counts from "
         "the moment "
         "a transaction was due; before the change its p99 is " +
         number_text(m.quiet.p99(), 1) + " ms, its longest " + number_text(m.quiet.longest(), 0) +
         " ms.\n\n- failed transactions 0: " + verdict(m.failed == 0) + " (" + std::to_string(m.failed) +
         " of " + std::to_string(m.noticed.transactions) + ")\n- orphans 0: " + verdict(m.orphans == 0) +
         " (" + std::to_string(m.orphans) + ")\n";
}

}  // namespace

std::string case_retype_graph(const Options& options, std::mt19937_64&) {
  const auto users = options.quick ? kUsersQuick : kUsers;
  BenchServer server(options, {{"shared_preload_libraries", "pg_stat_statements"}});
  make_journals(server.server(), "journals", users);
  auto trial = server.trial("journals");
  trial.db().exec("CREATE EXTENSION pg_stat_statements");
  trial.db().exec(std::string("CREATE ROLE ") + kApplication + " SUPERUSER LOGIN");
  Course course(server, trial.db());
  const auto measured = measure(server, trial, users, course);
  return section(measured, course, users);
}

}  // namespace pgsluice::bench
