#include "lanes/throttle/sampler.hpp"

#include <algorithm>

#include "lanes/throttle/readings/commit_wait_reader.hpp"
#include "lanes/throttle/readings/lock_wait_reader.hpp"
#include "lanes/throttle/readings/replica_lag_reader.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

/// One visit to the primary.
struct Sampler::Poll {
  AtWork work;
  std::vector<SignalReader::Judge> judges;  // in the order of the signals
};

namespace {

// Far longer than a healthy reading, shorter than an operator's patience.
constexpr pg::TransactionLimits kReadLimits{std::chrono::milliseconds{500}, std::chrono::milliseconds{2'000},
                                            true};

// A replica a few bytes behind our first sample is unknown until it has passed it: poll again soon, so that a
// run starts within a second.
constexpr std::chrono::milliseconds kFirstPolls{30};
constexpr std::chrono::seconds kStart{2};

// Means need many observations. Each takes half a millisecond on both sides together, even with 100 sessions:
// one per cent of a core.
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kFirstLooks{10};

// While lanes wait for room below a limit: a replica replays all the time, and each reading lets them go on.
constexpr std::chrono::milliseconds kReadForRoom{50};

Sampler::OpenSince open_since(const AtWork& reading, governor::TimePoint asked) {
  if (!reading.open_s) return std::nullopt;
  const std::chrono::duration<double> open(*reading.open_s);
  return asked - std::chrono::duration_cast<governor::TimePoint::duration>(open);
}

AtWork look(pg::Session& session, const std::string& prefix) {
  return pg::in_transaction(session, kReadLimits, [&] { return read_work(session, prefix); });
}

}  // namespace

Sampler::Sampler(pg::Connection& connection, std::string application_prefix, const Tunables& tunables,
                 Listeners listeners)
    : connection_(connection),
      prefix_(std::move(application_prefix)),
      tunables_(tunables),
      gate_(listeners.gate),
      journal_(listeners.journal),
      tally_(listeners.tally),
      blockers_(listeners.blockers) {
  signals_.push_back(std::make_unique<ReplicaLagReader>());
  signals_.push_back(std::make_unique<LockWaitReader>(prefix_));
  signals_.push_back(std::make_unique<CommitWaitReader>(prefix_));
}

Sampler::Poll Sampler::read(pg::Session& session) {
  return pg::in_transaction(session, kReadLimits, [&] {
    Poll poll{read_work(session, prefix_), {}};
    for (const auto& signal : signals_) poll.judges.push_back(signal->read(session));
    return poll;
  });
}

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
  std::function<Poll(pg::Session&)> visit = [this](pg::Session& s) { return read(s); };
  const auto first = std::chrono::steady_clock::now();
  while (!over.is_set()) {
    const auto began = std::chrono::steady_clock::now();
    try {
      const auto poll = co_await connection_.run<Poll>(visit);
      take(poll, began);  // a reading is as old as its query
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
    } while (!over.is_set() && std::chrono::steady_clock::now() < due && !is_reading_wanted(began));
  }
}

bool Sampler::is_reading_wanted(governor::TimePoint last) const {
  return gate_.is_waiting_for_room() && std::chrono::steady_clock::now() - last >= kReadForRoom;
}

boost::asio::awaitable<void> Sampler::look_around(governor::TimePoint until, bool is_start,
                                                  const Over& over) {
  const auto pause = is_start ? kFirstLooks : kLook;
  std::function<AtWork(pg::Session&)> visit = [prefix = prefix_](pg::Session& s) { return look(s, prefix); };
  // A slow observation would delay the next poll.
  for (auto took = pause; took <= pause && !over.is_set();) {
    const auto began = std::chrono::steady_clock::now();
    if (until - began < 2 * pause || gate_.is_waiting_for_room()) co_return;
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
  gate_.make_room(slowdown_.wants_pause() && tunables_.throttle.slowdown < ThrottleLimits::kSlowdownMost);
}

void Sampler::take(const Poll& poll, governor::TimePoint taken_at) {
  const auto lane_of_pid = lane_pids_ ? lane_pids_() : std::map<int, int>{};
  Judged judged;
  for (const auto& judge : poll.judges) judge({taken_at, tunables_.throttle, lane_of_pid}, judged);
  observe(poll.work, taken_at);
  samples_ = std::move(judged.samples);
  insert_ = judged.insert;
  read_at_ = taken_at;
  samples_.push_back(slowdown_.sample(tunables_.throttle, tunables_.lanes, taken_at));
  for (const auto& s : samples_) {
    if (s.name == "replica_lag" && s.known) tally_.lag_max_s = std::max(tally_.lag_max_s, s.value);
  }
  if (!give_way_) return;
  for (const auto& in_the_way : judged.to_cancel) give_way_(in_the_way.lane, in_the_way.reason);
}

std::string Sampler::commit_wait(governor::TimePoint now) const {
  for (const auto& sample : samples_) {
    if (sample.name == "commit_wait" && governor::is_fresh(sample, now)) return sample.sentence;
  }
  return {};
}

void Sampler::decide(governor::TimePoint now) {
  auto decision = governor::decide(samples_, pace_, now, gate_.take_waited(now));
  pace_ = decision.next;
  gate_.read_room(read_at_, insert_, decision.room_bytes);
  gate_.decide(decision, now);
  const std::string signal =
      decision.flow == governor::Flow::kHold && decision.worst ? decision.worst->name : "";
  if (decision.flow == flow_ && signal == signal_) return;
  flow_ = decision.flow;
  signal_ = signal;
  event::Throttle told{
      governor::flow_text(flow_), "", 0, 0, "", decision.speed, decision.reason, decision.held_s};
  if (decision.worst) {
    told.signal = decision.worst->name;
    told.value = decision.worst->value;
    told.limit = decision.worst->limit;
    told.unit = decision.worst->unit;
  }
  journal_.write(std::move(told));
}

}  // namespace pgsluice::engine
