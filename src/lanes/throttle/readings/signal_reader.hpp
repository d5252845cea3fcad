#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "governor/lsn.hpp"
#include "governor/signal.hpp"
#include "governor/signals/lock_waits.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a reading is judged by.
struct JudgedBy {
  governor::TimePoint taken_at;  // when it was asked for
  const ThrottleLimits& limits;
  const std::map<int, int>& lane_of_pid;  // the backends that run our batches; empty behind a pooler
};

/// The results of one poll of the signals.
struct Judged {
  std::vector<governor::Sample> samples;
  std::vector<governor::LaneInTheWay> to_cancel;
  std::optional<governor::Lsn> insert;  // where the primary's WAL ends
};

/// One signal. Reads on the thread of the sampler's connection, within the poll's transaction; the function
/// it returns judges the reading on the io thread, before the next one is read.
class SignalReader {
 public:
  using Judge = std::function<void(const JudgedBy&, Judged&)>;

  SignalReader() = default;
  virtual ~SignalReader() = default;
  SignalReader(const SignalReader&) = delete;
  SignalReader& operator=(const SignalReader&) = delete;

  /// Throws Failure.
  virtual Judge read(pg::Session& session) = 0;
};

}  // namespace pgsluice::engine
