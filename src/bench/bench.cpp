#include "bench/bench.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <random>

#include "base/units.hpp"
#include "base/uuid.hpp"
#include "bench/bench_options.hpp"
#include "bench/copy/copy_ground.hpp"
#include "bench/measure/figures.hpp"
#include "bench/measure/table_size.hpp"
#include "bench/measure/verdict.hpp"
#include "bench/rolled/rolled_ground.hpp"
#include "pgsluice/error.hpp"
#include "report/bench/bench_columns.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::bench {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

// A stop wakes its waiters: this only bounds the wait.
constexpr std::chrono::milliseconds kStopMost{1'000};
constexpr double kFastestSeconds = 3;   // to find out the traffic script's maximum rate
constexpr double kAloneSecondsMin = 2;  // less would hold too few transactions for a p99
// Half of its maximum rate alone: a real application has headroom, and a closed loop would only show that
// both share the cores.
constexpr double kTrafficShare = 0.5;
constexpr std::chrono::seconds kTrafficMax{600};  // per trial; it is stopped with the trial

std::string traffic_note(bool on_copy) {
  const std::string note = "the traffic's script ran for real: what it wrote stays in the database";
  return on_copy ? note + "; our row locks did not affect it, because they are on the copies" : note;
}

}  // namespace

Bench::Bench(const std::string& dsn, Job job, BenchOptions options, Tell tell)
    : dsn_(dsn),
      target_(dsn),
      prefix_("pgsluice bench " + base::random_uuid().substr(0, 8)),
      job_(std::move(job)),
      options_(std::move(options)),
      tell_(std::move(tell)),
      beside_(io_, failure_, stop_),
      signals_(io_, stop_, [] {}),
      end_(began_ + options_.duration),
      control_(target_, prefix_ + " control") {
  report_.job = job_.name;
  report_.step = chosen_step(job_, options_).name;
  report_.target = target_.display();
  report_.on_copy = options_.on_copy;
  report_.batch_target_ms = static_cast<double>(job_.tunables.batch.target.count());
  report_.seed = options_.seed ? *options_.seed : std::random_device{}();
  job_ = job_of_step(job_, options_);
  // A setting's cost to others is measured, not avoided: a trial slowed down for them would measure another
  // setting.
  job_.tunables.throttle.slowdown = ThrottleLimits::kSlowdownMost;
  if (!options_.traffic.empty()) traffic_ = std::make_unique<Traffic>(options_.traffic, target_);
}

Bench::~Bench() = default;

BenchReport Bench::execute() {
  signals_.heed();
  beside_.watch("the watch over signals", signals_.watch());
  beside_.start("the watch over the stop", cancel_once_stopped());
  asio::co_spawn(io_, story(), [this](const std::exception_ptr& error) {
    if (error) error_ = error;
    over_.set();
    signals_.leave();
  });
  io_.run();
  if (error_) std::rethrow_exception(error_);
  conclude();
  return report_;
}

asio::awaitable<void> Bench::cancel_once_stopped() {
  while (!over_.is_set() && !stop_.is_requested())
    co_await engine::Wakeup::wait_for_either(stop_.wakeup(), over_.wakeup(), kStopMost);
  if (stop_.is_requested()) co_await control_.cancel();  // making a copy may take long
}

asio::awaitable<void> Bench::story() {
  std::exception_ptr error;
  try {
    co_await measure();
  } catch (const pg::Failure& f) {
    error = std::make_exception_ptr(engine::error_of(f, engine::Asker::kOperator));
  } catch (...) {
    error = std::current_exception();
  }
  if (ground_) co_await clean_up();
  if (stop_.is_requested()) {
    report_.ended_early = stop_.reason();
    error = nullptr;  // what was cut short failed because of the signal
  }
  if (!error && trials_.empty()) {
    error = std::make_exception_ptr(Error(
        ExitCode::kWorkLeft,
        "nothing was measured: " + (stop_.is_requested() ? stop_.reason() : std::string("no trial fits")),
        "give it more time with --for, or fewer --sizes, --lanes and --walks"));
  }
  if (!error) co_return;
  if (trials_.empty()) std::rethrow_exception(error);
  try {
    std::rethrow_exception(error);  // what was measured before the error is worth reporting
  } catch (const std::exception& e) {
    if (report_.ended_early.empty()) report_.ended_early = e.what();
  }
}

asio::awaitable<void> Bench::clean_up() {
  try {
    co_await ground_->clean_up(report_);
  } catch (const std::exception& e) {
    report_.notes.push_back(std::string("not everything could be removed: ") + e.what() +
                            "; the next bench will remove it");
    tell_(report_.notes.back());
  }
}

asio::awaitable<void> Bench::measure() {
  const auto& step = *job_.steps.front().as<BackfillStep>();
  Surroundings at{io_, dsn_, target_, job_, step, options_, stop_, control_, tell_, prefix_};
  if (options_.on_copy) {
    ground_ = std::make_unique<CopyGround>(std::move(at));
  } else {
    ground_ = std::make_unique<RolledGround>(std::move(at));
  }
  const auto facts = co_await ground_->prepare(report_);
  if (stop_.is_requested()) co_return;
  settings_ = settings_for(facts);
  if (settings_.empty()) {
    throw Error(ExitCode::kUsage, "no setting can be tried on " + report_.table,
                "the table is too small for these --sizes and --lanes");
  }
  co_await measure_traffic();
  auto planned = plan(facts);
  report_.trial_s = planned.trial_s;
  report_.trials_planned = static_cast<int>(planned.order.size());
  co_await ground_->begin(planned.trial_s);
  co_await run_trials(std::move(planned));
}

std::vector<BenchSetting> Bench::settings_for(const GroundFacts& facts) {
  auto all = settings_of(facts.walks, options_.lanes, options_.sizes);
  const auto is_too_much = [&](const BenchSetting& s) {
    return s.lanes > facts.lanes_max || s.rows > facts.rows_max;
  };
  for (const auto& s : all) {
    if (is_too_much(s))
      report_.left_out.push_back(report::setting_in_words(s) + ": the table has too few rows for it");
  }
  std::erase_if(all, is_too_much);
  return all;
}

TrialPlan Bench::plan(const GroundFacts& facts) {
  auto time = facts.time;
  if (time.all_s < seconds_left()) what_ends_it_ = "the table would have grown too much";
  time.all_s = std::min(time.all_s, seconds_left());
  end_ = SteadyClock::now() +
         std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(time.all_s));
  auto planned = plan_trials({settings_, options_.repeat, traffic_ != nullptr}, time, report_.seed);
  report_.left_out.insert(report_.left_out.end(), planned.left_out.begin(), planned.left_out.end());
  tell_("up to " + std::to_string(planned.order.size()) + " trials of about " +
        base::format_duration(std::chrono::milliseconds{static_cast<std::int64_t>(1e3 * planned.trial_s)}) +
        ", seed " + std::to_string(report_.seed));
  return planned;
}

asio::awaitable<void> Bench::measure_traffic() {
  if (traffic_) {
    tell_("measuring the traffic's maximum rate alone");
    co_await start_traffic(0);
    co_await engine::sleep_unless_stopped(std::chrono::milliseconds{static_cast<int>(1e3 * kFastestSeconds)},
                                          stop_);
    const auto seen = co_await stop_traffic();
    report_.others_rate = kTrafficShare * seen.per_second;
    report_.notes.push_back(traffic_note(options_.on_copy));
    if (report_.others_rate <= 0) {
      throw Error(ExitCode::kFailed,
                  "the traffic's script finished no transaction in " +
                      std::to_string(static_cast<int>(kFastestSeconds)) + " s",
                  "its transactions must be short");
    }
  }
  co_await run_alone(kAloneSecondsMin);
}

asio::awaitable<double> Bench::wal_written() {
  std::function<double(pg::Session&)> ask = [](pg::Session& s) { return wal_bytes_written(s); };
  co_return co_await control_.run<double>(std::move(ask));
}

asio::awaitable<void> Bench::run_alone(double trial_s) {
  if (!traffic_ && !options_.on_copy) co_return;
  const double before = co_await wal_written();
  const auto began = SteadyClock::now();
  const std::chrono::milliseconds length{static_cast<int>(1e3 * std::max(trial_s, kAloneSecondsMin))};
  if (traffic_) co_await start_traffic(report_.others_rate);
  co_await engine::sleep_unless_stopped(length, stop_);
  if (traffic_) {
    const auto seen = co_await stop_traffic();
    alone_.push_back(seen.latency);
  }
  const double after = co_await wal_written();
  others_wal_per_s_ = (after - before) / std::chrono::duration<double>(SteadyClock::now() - began).count();
}

asio::awaitable<void> Bench::start_traffic(double rate) {
  std::function<bool()> start = [this, rate] {
    traffic_->start(rate, kTrafficMax);
    return true;
  };
  co_await pg::hop<bool>(traffic_thread_, std::move(start));
}

asio::awaitable<TrafficSeen> Bench::stop_traffic() {
  std::function<TrafficSeen()> stop = [this] { return traffic_->stop(); };
  co_return co_await pg::hop<TrafficSeen>(traffic_thread_, std::move(stop));
}

asio::awaitable<TrialResult> Bench::run_beside_traffic(BenchSetting setting) {
  if (!traffic_) co_return co_await ground_->run(setting, others_wal_per_s_);
  co_await ground_->make_ready();
  co_await start_traffic(report_.others_rate);
  auto result = co_await ground_->run(setting, others_wal_per_s_);
  const auto seen = co_await stop_traffic();
  if (seen.latency.count > 0) result.others = seen.latency;
  co_return result;
}

asio::awaitable<void> Bench::run_trials(TrialPlan plan) {
  const auto first = SteadyClock::now();
  std::size_t done = 0;
  for (const auto& setting : plan.order) {
    if (stop_.is_requested()) break;
    const double spent = std::chrono::duration<double>(SteadyClock::now() - first).count();
    const double each = done > 0 ? spent / static_cast<double>(done) : plan.trial_s;
    if (seconds_left() < each) {
      report_.left_out.push_back(std::to_string(plan.order.size() - done) + " of " +
                                 std::to_string(plan.order.size()) + " trials: " + what_ends_it_);
      break;
    }
    ++done;
    if (!setting) {
      co_await run_alone(plan.trial_s);
      continue;
    }
    if (const auto reason = patience_.why_not(*setting); !reason.empty()) {
      report_.left_out.push_back(report::setting_in_words(*setting) + ", once: " + reason);
      continue;
    }
    const auto trial = co_await run_beside_traffic(*setting);
    if (stop_.is_requested() && stop_.cause() == engine::StopCause::kSignal) break;  // cut short
    trials_.push_back(trial);
    patience_.note(trial);
    tell_of(trial);
  }
  // The traffic ran alone once before the plan began.
  report_.trials_done = static_cast<int>(trials_.size() + (alone_.empty() ? 0 : alone_.size() - 1));
}

void Bench::tell_of(const TrialResult& trial) const {
  std::string line = std::to_string(trials_.size()) + ": " + report::setting_in_words(trial.setting) + ": ";
  if (!trial.disturbance.empty()) return tell_(line + "not counted, " + trial.disturbance);
  const auto rate = static_cast<std::int64_t>(static_cast<double>(trial.rows_changed) / trial.duration_s);
  line += base::format_count(rate) + " rows/s";
  if (trial.batch_p95_ms)
    line += ", batch p95 " + std::to_string(static_cast<int>(*trial.batch_p95_ms)) + " ms";
  if (trial.others) line += ", traffic p99 " + std::to_string(static_cast<int>(trial.others->p99_ms)) + " ms";
  tell_(line);
}

void Bench::conclude() {
  for (const auto& setting : settings_) {
    auto figures = figures_of(setting, trials_);
    if (figures.trials > 0 || !figures.remarks.empty()) report_.figures.push_back(std::move(figures));
  }
  std::vector<double> p50;
  std::vector<double> p99;
  for (const auto& latency : alone_) {
    p50.push_back(latency.p50_ms);
    p99.push_back(latency.p99_ms);
  }
  report_.others_alone_p50_ms = spread_of(std::move(p50));
  report_.others_alone_p99_ms = spread_of(std::move(p99));
  const auto verdict = judge(report_.figures, report_.others_alone_p99_ms, job_.tunables.batch, report_.step);
  report_.winner = verdict.winner;
  report_.verdict = verdict.reason;
  report_.advice = verdict.advice;
  report_.elapsed_s = std::chrono::duration<double>(SteadyClock::now() - began_).count();
}

double Bench::seconds_left() const {
  const std::chrono::duration<double> left = end_ - SteadyClock::now();
  return left.count();
}

}  // namespace pgsluice::bench

namespace pgsluice {

BenchReport run_bench(const std::string& dsn, const Job& job, const BenchOptions& options,
                      const std::function<void(const std::string&)>& tell) {
  return bench::Bench(dsn, job, options, tell).execute();
}

}  // namespace pgsluice
