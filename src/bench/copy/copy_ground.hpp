#pragma once

#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <string>

#include "bench/measure/ground.hpp"
#include "bench/measure/server_cpu.hpp"
#include "bench/measure/surroundings.hpp"
#include "bench/measure/table_size.hpp"
#include "bench/measure/trial_sink.hpp"
#include "engine/run/beside.hpp"
#include "pg/catalog/catalog.hpp"

namespace pgsluice::bench {

/// Trials on fresh copies of all or part of the table: real runs of the engine with the job's step pointed at
/// the copy. Confined to the io thread.
class CopyGround final : public Ground {
 public:
  explicit CopyGround(Surroundings at);

  boost::asio::awaitable<GroundFacts> prepare(BenchReport& report) override;
  boost::asio::awaitable<void> begin(double trial_s) override;
  boost::asio::awaitable<void> make_ready() override;
  boost::asio::awaitable<TrialResult> run(BenchSetting setting, double others_wal_per_s) override;
  boost::asio::awaitable<void> clean_up(BenchReport& report) override;

 private:
  /// What making and changing a copy costs, measured on a small first one.
  struct Cost {
    double row_s = 0;     // per row, copying and changing
    double around_s = 0;  // fixed part of each trial
  };
  struct Look {
    TableSize size;
    double wal_bytes = 0;
    std::chrono::steady_clock::time_point at;
  };

  boost::asio::awaitable<void> take_schema();
  boost::asio::awaitable<std::int64_t> copy_source(std::int64_t rows);
  boost::asio::awaitable<Cost> try_walk(Walk walk);
  boost::asio::awaitable<std::vector<Walk>> try_walks(Cost& cost);
  boost::asio::awaitable<Look> look();
  boost::asio::awaitable<Look> look_when_reported(std::int64_t rows_changed);
  boost::asio::awaitable<void> watch_waiters(const engine::Over& copied);
  boost::asio::awaitable<void> watch_cpu(const TrialSink& sink, ServerCpu& cpu, const engine::Over& over);
  Job trial_job(const BenchSetting& setting) const;

  Surroundings at_;
  BenchReport* report_ = nullptr;
  std::optional<pg::Table> table_;
  std::int64_t table_bytes_ = 0;
  std::uint32_t copy_oid_ = 0;  // of the copy that is ready; 0: none
  std::int64_t copy_rows_ = 0;
  bool is_schema_ours_ = false;
  double row_s_ = 0;
  engine::FirstFailure failure_;
  engine::Beside beside_{at_.io, failure_, at_.stop};
  pg::Connection guard_;  // holds the copies' lock and does nothing else
  pg::Connection monitor_;
  boost::asio::thread_pool engine_thread_{1};  // a run has its own io thread
};

}  // namespace pgsluice::bench
