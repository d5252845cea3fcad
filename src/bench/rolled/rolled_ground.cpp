#include "bench/rolled/rolled_ground.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/units.hpp"
#include "bench/measure/figures.hpp"
#include "bench/rolled/rolled_notes.hpp"
#include "engine/preflight/preflight.hpp"
#include "lanes/batch/batch.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"
#include "table/walk_choice/walk_choice.hpp"

namespace pgsluice::bench {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kEndedMost{1'000};  // only bounds the wait: a lane notifies
constexpr int kSampleEvery = 8;  // batches of a lane; the first one is sampled, and warms the connection
// Dead row versions that all trials together may leave: vacuum frees the space, but until then they cost
// time.
constexpr double kGrowthShareMax = 0.25;               // of the table with its indexes
constexpr std::int64_t kGrowthMaxAtLeast = 1LL << 30;  // bytes; less would be over before anything is seen
constexpr double kPilotSeconds = 0.5;
constexpr double kSlowedShareMax = 0.05;  // of a trial; beyond it the figures show the throttle
constexpr TimeBudget kTime{0, 0.15, 1, 5};

std::int64_t middle(std::vector<std::int64_t> sizes) {
  std::sort(sizes.begin(), sizes.end());
  return sizes[sizes.size() / 2];
}

}  // namespace

/// The trial in progress.
struct RolledGround::InWork {
  BenchSetting setting;
  StripRing& ring;
  RolledTrial trial;
  SteadyClock::time_point end;
  std::exception_ptr error{};
  int working = 0;
  engine::Wakeup ended{};  // a lane has ended

  bool is_over(const engine::Stop& stop) const {
    return stop.is_requested() || error || trial.is_disturbed() || SteadyClock::now() >= end;
  }
};

RolledGround::RolledGround(Surroundings at) : at_(std::move(at)), hold_(at_) {}

void RolledGround::look_at_walks(pg::Session& session, BackfillStep step, const std::vector<Walk>& wanted,
                                 Prepared& p) {
  std::optional<Error> refusal;
  for (const auto walk : wanted) {
    step.walk = walk;
    try {
      auto walked = engine::walked_table(session, step, p.table);
      const auto key = walked.keyset ? walked.keyset->key() : std::vector<pg::Column>{};
      steps::check_columns(p.table, walk == Walk::kKeyset ? key : std::vector<pg::Column>{}, step);
      if (walk == Walk::kKeyset) p.keyset = std::move(walked.keyset);
      if (walk == Walk::kBlocks) p.heaps = std::move(walked.heaps);
    } catch (const Error& e) {
      refusal = e;
      p.left_out.push_back(std::string(walk_name(walk)) + ": " + e.what());
    }
  }
  if (!p.keyset && p.heaps.empty() && refusal) throw *refusal;
}

RolledGround::Prepared RolledGround::look_at_table(pg::Session& session, const Job& job,
                                                   const std::vector<Walk>& wanted) {
  for (const auto& finding : engine::preflight(session, job, false)) {
    if (finding.level != Finding::Level::kRefuse) continue;
    throw Error(static_cast<ExitCode>(finding.exit_code), finding.message, finding.hint);
  }
  const auto& step = *job.steps.front().as<BackfillStep>();
  Prepared p;
  auto facts = engine::read_facts(session, step.table);
  p.table = std::move(facts.table);
  p.storage = std::move(facts.storage);
  p.size = read_size(session, p.table.oid);
  if (p.size.heap_bytes == 0) {
    throw Error(ExitCode::kRefused, "table " + p.table.sql() + " is empty: there is nothing to measure",
                "choose a table with rows");
  }
  look_at_walks(session, step, wanted, p);
  steps::explain(session, steps::update_sql(p.table, step, "false"));
  p.limits = engine::batch_limits(job.tunables.batch.target, job.tunables.throttle.lock_wait,
                                  std::chrono::milliseconds{pg::deadlock_timeout_ms(session)});
  p.triggers = pg::fired_triggers(session, p.table.oid, engine::changed_columns(step));
  p.server_version = session.server_version();
  return p;
}

asio::awaitable<GroundFacts> RolledGround::prepare(BenchReport& report) {
  const auto wanted = rolled_walks(at_.options.walks, report.left_out);
  std::function<Prepared(pg::Session&)> look = [job = at_.job, wanted](pg::Session& s) {
    return look_at_table(s, job, wanted);
  };
  auto looked = co_await at_.control.run<Prepared>(std::move(look));
  prepared_.emplace(std::move(looked));
  const auto total = prepared_->size.heap_bytes + prepared_->size.index_bytes;
  growth_max_ =
      std::max(kGrowthMaxAtLeast, static_cast<std::int64_t>(kGrowthShareMax * static_cast<double>(total)));
  report.table = prepared_->table.sql();
  report.server_version = prepared_->server_version;
  report.table_rows = prepared_->table.rows_estimate;
  report.table_bytes = total;
  report.methods = rolled_methods();
  report.notes = rolled_notes(prepared_->triggers, growth_max_);
  report.left_out.insert(report.left_out.end(), prepared_->left_out.begin(), prepared_->left_out.end());
  at_.tell("on the real table, each batch rolled back: up to " +
           base::format_bytes(static_cast<double>(growth_max_)) + " of dead row versions stay until vacuum");

  const int lanes = *std::max_element(at_.options.lanes.begin(), at_.options.lanes.end());
  co_await cut(lanes);
  GroundFacts facts;
  facts.lanes_max = lanes;
  for (auto* ring : {&by_key_, &by_blocks_}) {
    if (!*ring) continue;
    facts.walks.push_back(ring == &by_key_ ? Walk::kKeyset : Walk::kBlocks);
    facts.lanes_max = std::min(facts.lanes_max, static_cast<int>((*ring)->size()));
  }
  facts.rows_max = prepared_->table.rows_estimate;
  hold_.begin();
  facts.time = kTime;
  const BenchSetting pilot{facts.walks.front(), facts.lanes_max, middle(at_.options.sizes)};
  facts.time.all_s = co_await seconds_until_grown(pilot);
  co_return facts;
}

asio::awaitable<void> RolledGround::cut(int lanes) {
  const auto rows_max = *std::max_element(at_.options.sizes.begin(), at_.options.sizes.end());
  const int count = strip_count(prepared_->table.rows_estimate, rows_max, lanes);
  if (prepared_->keyset) {
    using Strips = std::shared_ptr<std::vector<std::unique_ptr<Strip>>>;
    std::function<Strips(pg::Session&)> by_key = [this, count](pg::Session& s) {
      return std::make_shared<std::vector<std::unique_ptr<Strip>>>(
          cut_by_key(s, *prepared_->keyset, prepared_->table, at_.step, count));
    };
    const auto strips = co_await at_.control.run<Strips>(std::move(by_key));
    by_key_.emplace(std::move(*strips));
  }
  if (!prepared_->heaps.empty())
    by_blocks_.emplace(cut_by_blocks(prepared_->heaps, prepared_->table, at_.step, count));
}

asio::awaitable<double> RolledGround::seconds_until_grown(BenchSetting pilot) {
  constexpr double kNever = 1e9;
  trial_s_ = kPilotSeconds;
  const auto seen = co_await run(pilot, 0);
  if (at_.stop.is_requested() || seen.duration_s <= 0 || !seen.disturbance.empty()) co_return kNever;
  if (seen.rows_changed == 0) {
    throw Error(ExitCode::kRefused,
                "none of the rows visited in " + prepared_->table.sql() + " matches `where` of step \"" +
                    at_.step.name + "\": there is nothing to measure",
                "bench a job before it runs, or on a table that still has the work to do");
  }
  co_return grown_ > 0
      ? static_cast<double>(growth_max_ - grown_) * seen.duration_s / static_cast<double>(grown_)
      : kNever;
}

asio::awaitable<void> RolledGround::begin(double trial_s) {
  trial_s_ = trial_s;
  co_return;
}

asio::awaitable<void> RolledGround::make_ready() {
  co_return;
}

asio::awaitable<void> RolledGround::connect(int lanes) {
  while (static_cast<int>(crews_.size()) < lanes) {
    auto crew = std::make_unique<Crew>();
    crew->number = static_cast<int>(crews_.size()) + 1;
    crew->connection =
        std::make_unique<pg::Connection>(at_.target, at_.prefix + " lane " + std::to_string(crew->number));
    crews_.push_back(std::move(crew));
  }
  std::function<bool(pg::Session&)> nothing = [](pg::Session&) { return true; };
  for (int i = 0; i < lanes; ++i)
    co_await crews_[static_cast<std::size_t>(i)]->connection->run<bool>(nothing);
}

asio::awaitable<RolledGround::Look> RolledGround::look() {
  std::function<Look(pg::Session&)> ask = [oid = prepared_->table.oid, prefix = at_.prefix](pg::Session& s) {
    return Look{read_size(s, oid), read_backends(s, prefix + " lane ")};
  };
  co_return co_await at_.control.run<Look>(std::move(ask));
}

asio::awaitable<TrialResult> RolledGround::run(BenchSetting setting, double) {
  co_await connect(setting.lanes);
  co_await hold_.await_full_pace();
  const auto before = co_await look();
  ServerCpu cpu;
  cpu.watch(before.backends, ServerCpu::From::kNow);
  const double slowed_before = hold_.slowed_s();

  const auto began = SteadyClock::now();
  const auto length =
      std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(trial_s_));
  InWork in_work{setting, ring_of(setting.walk), RolledTrial(setting, began), began + length};
  in_work_ = &in_work;
  hold_.sampler().attach([this] { return lane_of_pid(); },
                         [this](int lane, const std::string& who) { give_way(lane, who); });
  for (int i = 0; i < setting.lanes; ++i) start(*crews_[static_cast<std::size_t>(i)], in_work);
  while (in_work.working > 0) co_await in_work.ended.wait(kEndedMost);
  hold_.sampler().detach();
  in_work_ = nullptr;
  if (in_work.error) std::rethrow_exception(in_work.error);

  cpu.look();
  const auto after = co_await look();
  const double slowed = hold_.slowed_s() - slowed_before;
  if (slowed > kSlowedShareMax * trial_s_) in_work.trial.disturb("the throttle slowed it: " + hold_.reason());
  auto result = in_work.trial.result();
  add_costs(after.size.heap_bytes - before.size.heap_bytes, after.size.index_bytes - before.size.index_bytes,
            cpu.seconds(), result);
  grown_ = after.size.heap_bytes + after.size.index_bytes - prepared_->size.heap_bytes -
           prepared_->size.index_bytes;
  if (grown_ > growth_max_) {
    at_.stop.request(engine::StopCause::kDuration, "table and indexes grew by " +
                                                       base::format_bytes(static_cast<double>(grown_)) +
                                                       ": vacuum before trying more");
  }
  co_return result;
}

void RolledGround::start(Crew& crew, InWork& in_work) {
  crew.has_given_way = false;
  ++in_work.working;
  asio::co_spawn(at_.io, work(crew, in_work), [&in_work](const std::exception_ptr& error) {
    --in_work.working;
    in_work.ended.notify();
    if (error && !in_work.error) in_work.error = error;
  });
}

asio::awaitable<void> RolledGround::work(Crew& crew, InWork& in_work) {
  auto strip = in_work.ring.take();
  std::chrono::milliseconds last{0};
  for (int n = 0; strip && !in_work.is_over(at_.stop); ++n) {
    if (strip->is_over()) {
      in_work.ring.give_back(strip);
      strip = in_work.ring.take();
    }
    auto turn = co_await hold_.gate().pass(last, in_work.setting.lanes, at_.stop);
    if (in_work.is_over(at_.stop)) break;
    std::function<RolledOutcome(pg::Session&)> batch =
        [work = RolledWork{strip, in_work.setting.rows, prepared_->limits, prepared_->table.oid,
                           n % kSampleEvery == 0}](pg::Session& s) { return run_rolled_batch(s, work); };
    crew.is_in_batch = true;
    RolledOutcome outcome;
    try {
      outcome = co_await crew.connection->run<RolledOutcome>(std::move(batch));
    } catch (const pg::Failure& f) {  // could not connect
      outcome.sqlstate = f.sqlstate();
      outcome.message = f.what();
      outcome.disposition = f.disposition();
    }
    crew.is_in_batch = false;
    last = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.duration);
    if (outcome.sqlstate.empty()) turn.worked(outcome.duration);
    in_work.trial.take(outcome, crew.has_given_way, SteadyClock::now());
  }
  if (strip) in_work.ring.give_back(strip);
}

std::map<int, int> RolledGround::lane_of_pid() const {
  std::map<int, int> out;
  for (const auto& crew : crews_) {
    if (const int pid = crew->connection->backend_pid(); pid != 0) out[pid] = crew->number;
  }
  return out;
}

void RolledGround::give_way(int lane, const std::string& who) {
  if (!in_work_) return;
  if (!in_work_->trial.is_disturbed()) at_.tell("giving way, so this trial is not counted: " + who);
  in_work_->trial.give_way();
  for (const auto& crew : crews_) {
    if (crew->number != lane || !crew->is_in_batch || crew->has_given_way) continue;
    crew->has_given_way = true;
    asio::co_spawn(at_.io, crew->connection->cancel(), asio::detached);
  }
}

asio::awaitable<void> RolledGround::clean_up(BenchReport& report) {
  co_await hold_.end();
  if (grown_ > 0) {
    report.notes.push_back("the trials left " + base::format_bytes(static_cast<double>(grown_)) +
                           " of dead row versions in the table and its indexes; VACUUM reclaims the space");
  }
  const int restarts = (by_key_ ? by_key_->restarts() : 0) + (by_blocks_ ? by_blocks_->restarts() : 0);
  if (restarts > 0) {
    report.notes.push_back("the table was too small for all trials: parts of it were used again " +
                           std::to_string(restarts) +
                           " times, with dead row versions from earlier trials in them");
  }
}

}  // namespace pgsluice::bench
