#include "lanes/pace/sampler.hpp"

#include <algorithm>

#include "governor/commit_wait.hpp"
#include "pg/activity/activity.hpp"
#include "pg/transaction.hpp"

namespace pgsluice::engine {

/// Who does what at one moment.
struct AtWork {
  governor::WorkReading work;
  std::optional<double> open_s;  // the oldest transaction of others that may hold back the xmin horizon
  std::vector<pg::Blocker> blockers;
};

/// One visit to the primary.
struct Readings {
  AtWork work;
  pg::ReplicationView replication;
  std::vector<pg::Waiter> waiters;
  double commit_wait_s = 0;
};

namespace {

// Far longer than a healthy reading, shorter than an operator's patience.
constexpr pg::TransactionLimits kReadLimits{std::chrono::milliseconds{500}, std::chrono::milliseconds{2'000},
                                            true};

// A replica a few bytes behind our first sample is unknown until it passes it: poll again soon, so that a run
// starts within a second.
constexpr std::chrono::milliseconds kFirstPolls{30};
constexpr std::chrono::seconds kStart{2};

// Means need many observations. Each takes half a millisecond on both sides together, even with 100 sessions:
// one per cent of a core.
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kFirstLooks{10};

// A session that waits for a row or for its client takes no resources from others. Lanes are those of every
// run. Transactions in other databases keep no row versions of this one, nor do VACUUM and CREATE INDEX
// CONCURRENTLY.
constexpr const char* kWork = R"sql(
SELECT count(*) FILTER (WHERE state = 'active' AND NOT starts_with(application_name, 'pgsluice ')
                          AND coalesce(wait_event_type, 'IO') IN ('IO', 'LWLock')),
       count(*) FILTER (WHERE state <> 'idle' AND application_name LIKE 'pgsluice % lane %'),
       extract(epoch FROM clock_timestamp()
         - min(xact_start) FILTER (WHERE NOT starts_with(application_name, 'pgsluice ')
                                     AND coalesce(backend_xmin, backend_xid) IS NOT NULL
                                     AND datname = current_database() AND query NOT ILIKE 'vacuum%'
                                     AND query NOT ILIKE 'create%index%concurrently%'))::float8,
       count(*) FILTER (WHERE wait_event_type = 'Lock' AND starts_with(application_name, $1))
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
)sql";

AtWork read_work(pg::Session& session, const std::string& prefix) {
  const auto row = session.exec(kWork, {prefix});
  AtWork reading{{static_cast<int>(row.integer(0, 0)), static_cast<int>(row.integer(0, 1))}, {}, {}};
  if (row.integer(0, 3) > 0) reading.blockers = pg::read_blockers(session, prefix);
  if (!row.is_null(0, 2)) reading.open_s = row.real(0, 2);
  return reading;
}

Sampler::OpenSince open_since(const AtWork& reading, governor::TimePoint asked) {
  if (!reading.open_s) return std::nullopt;
  const std::chrono::duration<double> open(*reading.open_s);
  return asked - std::chrono::duration_cast<governor::TimePoint::duration>(open);
}

AtWork look(pg::Session& session, const std::string& prefix) {
  return pg::in_transaction(session, kReadLimits, [&] { return read_work(session, prefix); });
}

Readings read(pg::Session& session, const std::string& prefix) {
  return pg::in_transaction(session, kReadLimits, [&] {
    return Readings{read_work(session, prefix), pg::read_replication(session),
                    pg::read_waiters(session, prefix), pg::read_commit_wait(session, prefix)};
  });
}

governor::ReplicaReading replica_reading(const pg::Walsender& w) {
  return {w.application_name,
          w.client_addr,
          w.state,
          w.replay ? governor::parse_lsn(*w.replay) : std::nullopt,
          w.is_logical,
          w.state == "backup"};
}

governor::WaiterReading waiter_reading(const pg::Waiter& w) {
  return {w.pid, w.waited_s, w.waits_for_table, w.blockers, w.application_name, w.query};
}

}  // namespace

void Sampler::attach(LanePids lane_pids, GiveWay give_way, NoteTransaction note_transaction) {
  lane_pids_ = std::move(lane_pids);
  give_way_ = std::move(give_way);
  note_transaction_ = std::move(note_transaction);
}

void Sampler::detach() {
  attach(nullptr, nullptr);
  gate_.make_room(false);
}

boost::asio::awaitable<void> Sampler::run(const Over& over) {
  std::function<Readings(pg::Session&)> visit = [prefix = prefix_](pg::Session& s) {
    return read(s, prefix);
  };
  const auto first = std::chrono::steady_clock::now();
  while (!over.is_set()) {
    const auto began = std::chrono::steady_clock::now();
    try {
      const auto readings = co_await connection_.run<Readings>(visit);
      take(readings, began);  // a reading is as old as its query
      refused_.clear();
    } catch (const pg::Failure& f) {
      // No sample: the ones we have grow stale, and the governor says so in the hold's reason. Why the server
      // refuses is reported here.
      if (f.disposition() == pg::Disposition::kFatal && refused_ != f.what()) {
        refused_ = f.what();
        journal_.warn("signals cannot be read: " + refused_ + " (SQLSTATE " + f.sqlstate() + ")",
                      "lanes are held until they can be read");
      }
    }
    decide(std::chrono::steady_clock::now());
    const bool is_starting = began - first < kStart && gate_.decision().flow == governor::Flow::kHold;
    const auto due = began + (is_starting ? kFirstPolls : governor::kPoll);
    co_await look_around(due, began - first < kStart, over);
    do {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
      co_await over.wait(std::clamp(left, std::chrono::milliseconds{1}, kLook));
    } while (!over.is_set() && std::chrono::steady_clock::now() < due);
  }
}

boost::asio::awaitable<void> Sampler::look_around(governor::TimePoint until, bool is_start,
                                                  const Over& over) {
  const auto pause = is_start ? kFirstLooks : kLook;
  std::function<AtWork(pg::Session&)> visit = [prefix = prefix_](pg::Session& s) { return look(s, prefix); };
  // A slow observation would delay the next poll.
  for (auto took = pause; took <= pause && !over.is_set();) {
    const auto began = std::chrono::steady_clock::now();
    if (until - began < 2 * pause) co_return;
    co_await over.wait(pause);
    try {
      const auto asked = std::chrono::steady_clock::now();
      const auto reading = co_await connection_.run<AtWork>(visit);
      observe(reading, asked);
      took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - asked);
    } catch (const pg::Failure&) {
      co_return;  // the next poll reports it
    }
  }
}

void Sampler::observe(const AtWork& reading, governor::TimePoint asked) {
  blockers_.seen(reading.blockers, asked);
  if (note_transaction_) note_transaction_(open_since(reading, asked));
  if (!lane_pids_) return slowdown_.observe_before(reading.work);
  slowdown_.observe(reading.work);
  gate_.make_room(slowdown_.wants_pause() && job_.throttle.slowdown < ThrottleLimits::kSlowdownMost);
}

void Sampler::take(const Readings& readings, governor::TimePoint taken_at) {
  if (const auto flush = governor::parse_lsn(readings.replication.flush_lsn)) clock_.record(taken_at, *flush);
  std::vector<governor::ReplicaReading> replicas;
  for (const auto& w : readings.replication.walsenders) replicas.push_back(replica_reading(w));
  samples_ = replica_lag_.observe(replicas, clock_, job_.throttle, taken_at);
  for (const auto& s : samples_) {
    if (s.name == "replica_lag" && s.known) tally_.lag_max_s = std::max(tally_.lag_max_s, s.value);
  }

  std::vector<governor::WaiterReading> waiters;
  for (const auto& w : readings.waiters) waiters.push_back(waiter_reading(w));
  const auto lane_of_pid = lane_pids_ ? lane_pids_() : std::map<int, int>{};
  auto waits = governor::judge_lock_waits(waiters, lane_of_pid, job_.throttle, taken_at);
  samples_.push_back(std::move(waits.sample));
  observe(readings.work, taken_at);
  if (readings.commit_wait_s > 0) samples_.push_back(governor::commit_wait(readings.commit_wait_s, taken_at));
  samples_.push_back(slowdown_.sample(job_.throttle, job_.lanes, taken_at));
  if (!give_way_) return;
  for (const auto& in_the_way : waits.to_cancel) give_way_(in_the_way.lane, in_the_way.reason);
}

std::string Sampler::commit_wait(governor::TimePoint now) const {
  for (const auto& sample : samples_) {
    if (sample.name == "commit_wait" && governor::is_fresh(sample, now)) return sample.sentence;
  }
  return {};
}

void Sampler::decide(governor::TimePoint now) {
  auto decision = governor::decide(samples_, pace_, now);
  pace_ = decision.next;
  gate_.decide(decision, now);
  const std::string signal =
      decision.flow == governor::Flow::kHold && decision.worst ? decision.worst->name : "";
  if (decision.flow == flow_ && signal == signal_) return;
  flow_ = decision.flow;
  signal_ = signal;
  event::Throttle told{
      governor::flow_text(flow_), "", 0, 0, "", decision.pace, decision.reason, decision.held_s};
  if (decision.worst) {
    told.signal = decision.worst->name;
    told.value = decision.worst->value;
    told.limit = decision.worst->limit;
    told.unit = decision.worst->unit;
  }
  journal_.write(std::move(told));
}

}  // namespace pgsluice::engine
