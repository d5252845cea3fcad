#include "lanes/throttle/readings/replica_lag_reader.hpp"

#include "pg/activity/activity.hpp"

namespace pgsluice::engine {
namespace {

governor::ReplicaReading reading_of(const pg::Walsender& w) {
  return {w.application_name,
          w.client_addr,
          w.state,
          w.replay ? governor::parse_lsn(*w.replay) : std::nullopt,
          w.is_logical,
          w.state == "backup"};
}

}  // namespace

SignalReader::Judge ReplicaLagReader::read(pg::Session& session) {
  return [this, view = pg::read_replication(session)](const JudgedBy& by, Judged& judged) {
    if (const auto flush = governor::parse_lsn(view.flush_lsn)) clock_.record(by.taken_at, *flush);
    if (const auto insert = governor::parse_lsn(view.insert_lsn)) clock_.note_insert(*insert);
    judged.insert = clock_.insert();
    std::vector<governor::ReplicaReading> replicas;
    for (const auto& w : view.walsenders) replicas.push_back(reading_of(w));
    for (auto& sample : lag_.observe(replicas, clock_, by.limits, by.taken_at))
      judged.samples.push_back(std::move(sample));
  };
}

}  // namespace pgsluice::engine
