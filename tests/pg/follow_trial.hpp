#pragma once

#include <memory>
#include <string>

#include "pg/copy_trial.hpp"
#include "support/process.hpp"

namespace pgsluice::test {

/// A copy that follows its source. Confined to the test's thread.
class FollowTrial {
 public:
  FollowTrial() = default;
  FollowTrial(PrivateServer& source, PrivateServer& target) : copy_(source, target) {}

  CopyTrial& copy() { return copy_; }
  Db& source() { return copy_.source(); }
  Db& target() { return copy_.target(); }

  /// Table t on both sides, `rows` of them at the source, and a job that follows it.
  void make(int rows = 2'000, const std::string& rest = {});
  void job(const std::string& rest = {}, const std::string& from = {},
           const std::string& settings = CopyTrial::kSmallBatches);

  /// A run in the background.
  std::unique_ptr<Process> start(const std::string& failpoint = {});
  /// Until the run has brought everything that is committed now, or has ended.
  void await_caught_up(Process& run);
  /// Until the ledger says that it follows.
  void await_following(Process& run);

  /// As a scheduler would: with work left.
  void stop(Process& run);

  Finished ask_switch(const std::string& pause = "5s");
  /// Switches, and expects it and the run to end well.
  void expect_switch(Process& run);

  /// Entries in all queues; -1: there is none.
  std::int64_t queued();
  /// Names of our triggers at the source.
  std::vector<std::string> triggers();
  /// Nothing of the follow is left at the source; `refusal`: but what refuses writes.
  void expect_removed(bool with_refusal);

 private:
  std::vector<std::string> queues();

  CopyTrial copy_;
};

/// Changes of every sort on t, for pgbench: :rows is how many there were. Updates of the key and of a unique
/// column among them.
extern const char* const kFollowTraffic;

}  // namespace pgsluice::test
