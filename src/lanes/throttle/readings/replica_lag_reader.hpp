#pragma once

#include "governor/signals/replica_lag.hpp"
#include "lanes/throttle/readings/signal_reader.hpp"

namespace pgsluice::engine {

/// replica_lag and replica_lag_bytes, from pg_stat_replication.
class ReplicaLagReader final : public SignalReader {
 public:
  Judge read(pg::Session& session) override;

 private:
  governor::LsnClock clock_;
  governor::ReplicaLag lag_;
};

}  // namespace pgsluice::engine
