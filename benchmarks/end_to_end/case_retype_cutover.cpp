// How long a cut-over and a way back lock the application out of five tables, and what it notices.

#include <iostream>
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

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::system_clock;

constexpr std::int64_t kUsers = 1'000'000;
constexpr std::int64_t kUsersQuick = 20'000;
constexpr double kRate = 200;  // transactions a second: some are due while 50 ms pass
constexpr double kLockedMaxMs = 100;
constexpr double kP99MaxMs = 300;
constexpr std::chrono::seconds kQuiet{3};   // before the cut-over, to compare with
constexpr std::chrono::seconds kAround{1};  // before and after each lock

/// One verb that exchanges the names, over all trials.
struct Measured {
  Figures told_ms, seen_ms, retries, command_s;
  Latencies during, around;

  void add(const Said& said, const std::vector<LockedOut>& locked, const std::vector<test::Served>& served) {
    const LockedOut* last = nullptr;
    for (const auto& one : locked) {
      if (one.to < said.from || one.from > said.to) continue;
      during.add(served, one.from, one.to);
      last = &one;
    }
    if (last == nullptr) throw std::runtime_error("the watch saw no lock");
    told_ms.add(said.locked_ms());
    seen_ms.add(last->ms());
    retries.add(static_cast<double>(said.retries().size()));
    for (const auto& why : said.retries()) std::cerr << "tried again: " << why << "\n";
    command_s.add(said.seconds());
    around.add(served, last->from - kAround, last->to + kAround);
  }

  std::vector<std::string> row(const std::string& name) const {
    return {name,
            told_ms.text(0),
            seen_ms.text(1),
            retries.text(0),
            command_s.text(1),
            number_text(during.p99(), 1),
            number_text(during.longest(), 1),
            number_text(around.p99(), 1)};
  }
};

struct AllMeasured {
  Measured cutover, way_back;
  Latencies quiet;
  Figures look_ms;
  std::int64_t transactions = 0;
  std::int64_t failed = 0;
};

void require_type(test::Db& db, const std::string& type) {
  if (db.text(
          "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'journals'::regclass AND "
          "attname = 'user_id'") != type)
    throw std::runtime_error("journals.user_id is no " + type);
}

void trial_of(BenchServer& server, std::int64_t users, AllMeasured& measured) {
  auto trial = server.trial("ready");
  test::Pgbench traffic(journal_traffic(trial.dsn(), users, kRate));
  std::this_thread::sleep_for(kQuiet);
  LockWatch watch(trial.dsn(), kJournalRelations);
  const auto quiet_from = Clock::now();
  std::this_thread::sleep_for(kQuiet);
  const auto there = say({"cutover", kIntegerToUuid}, trial.dsn());
  require_type(trial.db(), "uuid");
  std::this_thread::sleep_for(2 * kAround);
  const auto back = say({"rollback", integer_to_uuid_job().string()}, trial.dsn());
  require_type(trial.db(), "integer");
  std::this_thread::sleep_for(2 * kAround);
  const auto noticed = traffic.stop();
  const auto locked = watch.stop();
  measured.cutover.add(there, locked, noticed.served);
  measured.way_back.add(back, locked, noticed.served);
  measured.quiet.add(noticed.served, quiet_from, there.from);
  measured.look_ms.add(watch.interval_ms());
  measured.transactions += noticed.transactions;
  measured.failed += noticed.failed;
  if (noticed.exit.code != 0 || noticed.failed != 0) std::cerr << noticed.report;
  if (noticed.exit.code != 0) ++measured.failed;  // a client gave up after an error
  std::cerr << "cut-over " << there.locked_ms() << " ms, way back " << back.locked_ms() << " ms\n";
}

std::string section(const AllMeasured& m, std::int64_t users, int trials) {
  MarkdownTable table({"", "locked, by its own event, ms", "seen from outside, at most, ms",
                       "attempts given up", "whole command s", "p99 during ms", "longest during ms",
                       "p99 a second around ms"});
  table.add(m.cutover.row("cut-over"));
  table.add(m.way_back.row("way back"));
  const double locked = m.cutover.seen_ms.median();
  const double p99 = m.cutover.during.p99();
  return "## retype-cutover: five tables, " + std::to_string(users) + " users, " + std::to_string(5 * users) +
         " journals, pgbench at " + number_text(kRate, 0) + " transactions/s\n\n" + table.text() +
         "\nMedian (lowest to highest) of " + std::to_string(trials) +
         " copies of one database that is ready for cut-over, each cut over and rolled back. From outside it "
         "is "
         "pg_locks that tells, looked at every " +
         m.look_ms.text(1) +
         " ms: from the last look before the lock to the first one after it. The event's time ends with the "
         "answer to COMMIT, which comes after the server has given the locks back and removed the files of "
         "what "
         "was dropped. During: transactions that were due or at work while somebody held or awaited ACCESS "
         "EXCLUSIVE, attempts given up included, of all trials together (" +
         std::to_string(m.cutover.during.count()) + " and " + std::to_string(m.way_back.during.count()) +
         "). Latency counts from the moment a transaction was due; outside of both its p99 is " +
         number_text(m.quiet.p99(), 1) + " ms, its longest " + number_text(m.quiet.longest(), 1) +
         " ms. The way back adds and proves the old foreign keys before it locks the tables.\n\n"
         "- locked at most 100 ms, from outside: " +
         verdict(locked <= kLockedMaxMs) + " (" + number_text(locked, 0) +
         ")\n- p99 during the cut-over below 300 ms: " + verdict(p99 < kP99MaxMs) + " (" +
         number_text(p99, 0) + ")\n- failed transactions 0: " + verdict(m.failed == 0) + " (" +
         std::to_string(m.failed) + " of " + std::to_string(m.transactions) + ")\n";
}

}  // namespace

std::string case_retype_cutover(const Options& options, std::mt19937_64&) {
  const auto users = options.quick ? kUsersQuick : kUsers;
  BenchServer server(options);
  make_journals(server.server(), "ready", users);
  say({"run", integer_to_uuid_job().string()}, server.server().dsn("ready"), 9);
  const int trials = options.trials(20, 3);
  AllMeasured measured;
  for (int i = 0; i < trials; ++i) trial_of(server, users, measured);
  return section(measured, users, trials);
}

}  // namespace pgsluice::bench
