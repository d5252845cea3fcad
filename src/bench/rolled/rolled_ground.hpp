#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "bench/measure/ground.hpp"
#include "bench/measure/server_cpu.hpp"
#include "bench/measure/surroundings.hpp"
#include "bench/measure/table_size.hpp"
#include "bench/rolled/block_strip.hpp"
#include "bench/rolled/hold_watch.hpp"
#include "bench/rolled/rolled_trial.hpp"
#include "bench/rolled/strip.hpp"
#include "pg/catalog/storage.hpp"

namespace pgsluice::bench {

/// Trials on the real table: every batch is rolled back, its locks are as short as in a run, and the throttle
/// holds as in a run. Dead row versions stay until vacuum; their growth is bounded. Confined to the io
/// thread.
class RolledGround final : public Ground {
 public:
  explicit RolledGround(Surroundings at);
  ~RolledGround() override = default;

  boost::asio::awaitable<GroundFacts> prepare(BenchReport& report) override;
  boost::asio::awaitable<void> begin(double trial_s) override;
  boost::asio::awaitable<void> make_ready() override;
  boost::asio::awaitable<TrialResult> run(BenchSetting setting, double others_wal_per_s) override;
  boost::asio::awaitable<void> clean_up(BenchReport& report) override;

 private:
  /// One connection and its current work. The connection lives as long as the bench.
  struct Crew {
    std::unique_ptr<pg::Connection> connection;
    int number = 0;
    bool is_in_batch = false;
    bool has_given_way = false;
  };
  struct InWork;  // the trial in progress
  struct Prepared {
    pg::Table table;
    pg::Storage storage;
    std::optional<walk::Keyset> keyset;  // empty: not wanted, or there is no key to walk
    std::vector<pg::HeapFacts> heaps;    // empty: no walk over blocks
    std::vector<std::string> left_out;   // walks that are not possible, and why
    pg::TransactionLimits limits;
    TableSize size;
    std::vector<std::string> triggers;
    int server_version = 0;
  };
  struct Look {
    TableSize size;
    std::vector<Backend> backends;
  };

  static Prepared look_at_table(pg::Session& session, const Job& job, const std::vector<Walk>& wanted);
  static void look_at_walks(pg::Session& session, BackfillStep step, const std::vector<Walk>& wanted,
                            Prepared& prepared);
  boost::asio::awaitable<void> cut(int lanes);
  boost::asio::awaitable<double> seconds_until_grown(BenchSetting pilot);
  boost::asio::awaitable<Look> look();
  boost::asio::awaitable<void> connect(int lanes);
  void start(Crew& crew, InWork& in_work);
  boost::asio::awaitable<void> work(Crew& crew, InWork& in_work);
  std::map<int, int> lane_of_pid() const;
  void give_way(int lane, const std::string& who);
  StripRing& ring_of(Walk walk) { return walk == Walk::kKeyset ? *by_key_ : *by_blocks_; }

  Surroundings at_;
  HoldWatch hold_;
  std::optional<Prepared> prepared_;
  std::optional<StripRing> by_key_;
  std::optional<StripRing> by_blocks_;
  std::vector<std::unique_ptr<Crew>> crews_;
  InWork* in_work_ = nullptr;
  std::int64_t growth_max_ = 0;  // bytes
  std::int64_t grown_ = 0;       // so far
  double trial_s_ = 1;
};

}  // namespace pgsluice::bench
