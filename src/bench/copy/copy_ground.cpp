#include "bench/copy/copy_ground.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "bench/copy/copy_notes.hpp"
#include "bench/copy/table_copy.hpp"
#include "bench/copy/trial_jobs.hpp"
#include "engine/preflight/preflight.hpp"
#include "pg/activity/activity.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/error.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::bench {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kPoll{250};  // for waiters, and for new server processes
constexpr std::int64_t kPilotRows = 20'000;      // copied and changed once per walk, to learn what rows cost
constexpr std::int64_t kCopyRowsMin = 50'000;    // fewer do not show how a walk behaves
constexpr std::int64_t kCopyBytesMax = 1LL << 30;  // of a copy with its indexes
constexpr double kSlowerThanPilot = 1.5;           // small batches cost more per row
constexpr double kGraceFactor = 3;                 // times the expected duration before a trial is ended
constexpr std::chrono::seconds kGraceMin{20};
constexpr std::chrono::seconds kDrain{2};               // after a signal
constexpr std::chrono::milliseconds kReportMax{1'500};  // until ended sessions have reported their updates

double seconds_between(SteadyClock::time_point from, SteadyClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::int64_t middle(std::vector<std::int64_t> sizes) {
  std::sort(sizes.begin(), sizes.end());
  return sizes[sizes.size() / 2];
}

pg::Table look_at_table(pg::Session& session, const Job& job, const BackfillStep& step) {
  for (const auto& finding : engine::preflight(session, job, true)) {
    if (finding.level != Finding::Level::kRefuse) continue;
    throw Error(static_cast<ExitCode>(finding.exit_code), finding.message, finding.hint);
  }
  if (pg::is_behind_pooler(session)) {
    throw Error(ExitCode::kRefused,
                "--copy needs a separate session, but the connection goes through a pooler",
                "give the server's own address with --dsn");
  }
  auto table = engine::read_facts(session, step.table).table;
  if (table.rows_estimate == 0) {
    throw Error(ExitCode::kRefused, "table " + table.sql() + " is empty: there is nothing to measure",
                "choose a table with rows");
  }
  return table;
}

}  // namespace

CopyGround::CopyGround(Surroundings at)
    : at_(std::move(at)),
      guard_(at_.target, at_.prefix + " guard"),
      monitor_(at_.target, at_.prefix + " monitor") {}

asio::awaitable<void> CopyGround::take_schema() {
  std::function<bool(pg::Session&)> lock = [](pg::Session& s) { return take_copy_lock(s); };
  const bool is_ours = co_await guard_.run<bool>(std::move(lock));
  if (!is_ours) {
    throw Error(ExitCode::kRefused, "another bench is working on copies in this database",
                "wait until it ends");
  }
  std::function<bool(pg::Session&)> make = [](pg::Session& s) {
    drop_copies(s);
    forget_trial_jobs(s);
    make_copy_schema(s);
    return true;
  };
  is_schema_ours_ = co_await at_.control.run<bool>(std::move(make));
}

asio::awaitable<GroundFacts> CopyGround::prepare(BenchReport& report) {
  report_ = &report;
  std::function<pg::Table(pg::Session&)> look_at = [job = at_.job, step = at_.step](pg::Session& s) {
    return look_at_table(s, job, step);
  };
  auto table = co_await at_.control.run<pg::Table>(std::move(look_at));
  table_.emplace(std::move(table));
  std::function<int(pg::Session&)> read_sizes = [this](pg::Session& s) {
    const auto size = read_size(s, table_->oid);
    table_bytes_ = size.heap_bytes + size.index_bytes;
    return s.server_version();
  };
  report.server_version = co_await at_.control.run<int>(std::move(read_sizes));
  report.table = table_->sql();
  report.table_rows = table_->rows_estimate;
  report.table_bytes = table_bytes_;
  report.methods = copy_methods();
  report.notes = copy_notes();
  co_await take_schema();

  Cost cost;
  GroundFacts facts;
  facts.walks = co_await try_walks(cost);
  row_s_ = cost.row_s;
  const double row_bytes = static_cast<double>(table_bytes_) / static_cast<double>(table_->rows_estimate);
  const auto rows_most = std::min<std::int64_t>(
      table_->rows_estimate,
      static_cast<std::int64_t>(static_cast<double>(kCopyBytesMax) / std::max(1.0, row_bytes)));
  const auto rows_least = std::min(rows_most, kCopyRowsMin);
  facts.lanes_max = *std::max_element(at_.options.lanes.begin(), at_.options.lanes.end());
  facts.rows_max = rows_most;
  facts.time = {1e9, cost.around_s, row_s_ * static_cast<double>(rows_least),
                row_s_ * static_cast<double>(rows_most)};
  co_return facts;
}

asio::awaitable<std::vector<Walk>> CopyGround::try_walks(Cost& cost) {
  copy_rows_ = co_await copy_source(kPilotRows);
  auto wanted = at_.options.walks;
  if (wanted.empty()) wanted = {Walk::kKeyset, Walk::kBlocks, Walk::kInterleaved};
  std::vector<Walk> walks;
  std::optional<Error> refusal;
  for (const auto walk : wanted) {
    if (at_.stop.is_requested()) break;
    try {
      const auto one = co_await try_walk(walk);
      cost.row_s = std::max(cost.row_s, one.row_s);
      cost.around_s = std::max(cost.around_s, one.around_s);
      walks.push_back(walk);
    } catch (const Error& e) {
      if (e.code() != ExitCode::kRefused) throw;
      refusal = e;
      report_->left_out.push_back(std::string(walk_name(walk)) + ": " + e.what());
    }
  }
  if (walks.empty() && refusal) throw *refusal;
  co_return walks;
}

asio::awaitable<CopyGround::Cost> CopyGround::try_walk(Walk walk) {
  const BenchSetting setting{walk, 1, std::min<std::int64_t>(middle(at_.options.sizes), kPilotRows / 4)};
  const auto began = SteadyClock::now();
  co_await make_ready();
  const auto copied = SteadyClock::now();
  const auto seen = co_await run(setting, 0);
  const auto ended = SteadyClock::now();
  if (seen.rows_changed == 0 && !at_.stop.is_requested()) {
    throw Error(ExitCode::kFailed,
                "none of the rows copied from " + table_->sql() + " matches `where` of step \"" +
                    at_.step.name + "\": there is nothing to measure",
                "bench a job before it runs, or on a table that still has the work to do");
  }
  const auto rows = static_cast<double>(std::max<std::int64_t>(1, copy_rows_));
  const double copy_s = seconds_between(began, copied);
  co_return Cost{(copy_s + kSlowerThanPilot * seen.duration_s) / rows,
                 std::max(0.1, seconds_between(copied, ended) - seen.duration_s)};
}

asio::awaitable<std::int64_t> CopyGround::copy_source(std::int64_t rows) {
  engine::Over copied_all;
  beside_.start("the watch over waiters", watch_waiters(copied_all));
  std::function<std::int64_t(pg::Session&)> make = [this, rows](pg::Session& s) {
    return make_source(s, *table_, rows);
  };
  std::exception_ptr error;
  std::int64_t copied = 0;
  try {
    copied = co_await at_.control.run<std::int64_t>(std::move(make));
  } catch (...) {
    error = std::current_exception();
  }
  copied_all.set();
  co_await beside_.finish();
  if (error) std::rethrow_exception(error);
  co_return copied;
}

/// Everybody else queues behind a session that waits for the table itself: reading gives way at once.
asio::awaitable<void> CopyGround::watch_waiters(const engine::Over& copied) {
  while (!copied.is_set()) {
    std::function<std::vector<pg::Waiter>(pg::Session&)> ask = [prefix = at_.prefix](pg::Session& s) {
      return pg::read_waiters(s, prefix);
    };
    const auto waiters = co_await monitor_.run<std::vector<pg::Waiter>>(std::move(ask));
    const bool somebody_waits =
        std::any_of(waiters.begin(), waiters.end(), [](const pg::Waiter& w) { return w.waits_for_table; });
    if (somebody_waits && !copied.is_set()) {
      at_.stop.request(
          engine::StopCause::kHeldTooLong,
          "gave way while copying: pid " + std::to_string(waiters.front().pid) + " waits for the table");
      co_await at_.control.cancel();
    }
    co_await copied.wait(kPoll);
  }
}

asio::awaitable<void> CopyGround::begin(double trial_s) {
  const auto rows = static_cast<std::int64_t>(std::ceil(trial_s / row_s_));
  copy_rows_ = co_await copy_source(rows);
  report_->copy_rows = copy_rows_;
  const double share = static_cast<double>(copy_rows_) / static_cast<double>(table_->rows_estimate);
  report_->notes.push_back(copy_note(copy_rows_, share));
  at_.tell("each trial on a fresh copy of " + base::format_count(copy_rows_) + " rows");
}

asio::awaitable<void> CopyGround::make_ready() {
  std::function<std::uint32_t(pg::Session&)> make = [this](pg::Session& s) {
    make_copy(s, *table_);
    return pg::read_table(s, {kCopySchema, table_->name}).oid;
  };
  copy_oid_ = co_await at_.control.run<std::uint32_t>(std::move(make));
}

Job CopyGround::trial_job(const BenchSetting& setting) const {
  Job job = at_.job;
  job.name = trial_job_name();
  job.tunables.lanes = setting.lanes;
  job.tunables.batch.rows = job.tunables.batch.rows_min = job.tunables.batch.rows_max = setting.rows;
  auto& step = *job.steps.front().as<BackfillStep>();
  step.table = {kCopySchema, table_->name};
  step.walk = setting.walk;
  return job;
}

asio::awaitable<CopyGround::Look> CopyGround::look() {
  std::function<Look(pg::Session&)> ask = [oid = copy_oid_](pg::Session& s) {
    return Look{read_size(s, oid), wal_bytes_written(s), SteadyClock::now()};
  };
  co_return co_await at_.control.run<Look>(std::move(ask));
}

/// Sessions report their counts when they end, which the server may notice slightly later than we do.
asio::awaitable<CopyGround::Look> CopyGround::look_when_reported(std::int64_t rows_changed) {
  const auto first = co_await look();
  auto last = first;
  const auto give_up = SteadyClock::now() + kReportMax;
  while (last.size.updated < rows_changed && SteadyClock::now() < give_up) {
    co_await engine::sleep_for(kLook);
    last = co_await look();
  }
  last.wal_bytes = first.wal_bytes;
  last.at = first.at;
  co_return last;
}

asio::awaitable<TrialResult> CopyGround::run(BenchSetting setting, double others_wal_per_s) {
  if (copy_oid_ == 0) co_await make_ready();
  const auto before = co_await look();
  TrialSink sink(setting);
  ServerCpu cpu;
  engine::Over over;
  beside_.start("the watch over the server's processor time", watch_cpu(sink, cpu, over));

  const double expected_s = kGraceFactor * row_s_ * static_cast<double>(copy_rows_);
  RunOptions options;
  options.duration = kGraceMin + std::chrono::seconds{static_cast<int>(expected_s)};
  options.grace = kDrain;
  std::function<ExitCode()> run_it = [dsn = at_.dsn, job = trial_job(setting), options, &sink] {
    return Engine(dsn).run(job, options, sink);
  };
  std::exception_ptr error;
  ExitCode code = ExitCode::kFailed;
  try {
    code = co_await pg::hop<ExitCode>(engine_thread_, std::move(run_it));
  } catch (...) {
    error = std::current_exception();
  }
  over.set();
  co_await beside_.finish();
  std::function<bool(pg::Session&)> forget = [](pg::Session& s) {
    forget_trial_jobs(s);
    return true;
  };
  co_await at_.control.run<bool>(std::move(forget));
  if (error) std::rethrow_exception(error);

  auto result = sink.result();
  const auto after = co_await look_when_reported(result.rows_changed);
  copy_oid_ = 0;  // its rows are changed: the next trial needs a new one
  if (code != ExitCode::kDone && result.disturbance.empty())
    result.disturbance = "its run did not end in time";
  add_costs(after.size.heap_bytes - before.size.heap_bytes, after.size.index_bytes - before.size.index_bytes,
            cpu.seconds(), result);
  if (result.rows_changed > 0) {
    const double wal =
        after.wal_bytes - before.wal_bytes - others_wal_per_s * seconds_between(before.at, after.at);
    result.wal_bytes_per_row = std::max(0.0, wal) / static_cast<double>(result.rows_changed);
  }
  const auto updated = after.size.updated - before.size.updated;
  if (updated > 0)
    result.hot_percent =
        100 * static_cast<double>(after.size.hot - before.size.hot) / static_cast<double>(updated);
  co_return result;
}

asio::awaitable<void> CopyGround::watch_cpu(const TrialSink& sink, ServerCpu& cpu, const engine::Over& over) {
  while (!over.is_set()) {
    const auto run_id = sink.run_id();
    if (!run_id.empty()) {
      std::function<std::vector<Backend>(pg::Session&)> ask = [prefix = "pgsluice " + run_id.substr(0, 8) +
                                                                        " lane "](pg::Session& s) {
        return read_backends(s, prefix);
      };
      const auto backends = co_await monitor_.run<std::vector<Backend>>(std::move(ask));
      cpu.watch(backends, ServerCpu::From::kStart);
    }
    for (auto waited = kLook; !over.is_set() && waited < kPoll; waited += kLook) {
      cpu.look();  // a process that has ended no longer shows its figures
      co_await over.wait(kLook);
    }
  }
}

asio::awaitable<void> CopyGround::clean_up(BenchReport&) {
  co_await beside_.finish();
  if (!is_schema_ours_) co_return;
  std::function<bool(pg::Session&)> remove = [](pg::Session& s) {
    drop_copies(s);
    forget_trial_jobs(s);
    return true;
  };
  co_await at_.control.run<bool>(std::move(remove));
}

}  // namespace pgsluice::bench
