#pragma once

#include <string>
#include <vector>

#include "pg/trial.hpp"

namespace pgsluice::test {

/// A job of one copy between two databases: the trial's own is the target. Confined to the test's thread.
class CopyTrial {
 public:
  /// Both on the shared server.
  CopyTrial();
  /// REQUIRES: both outlive it.
  CopyTrial(PrivateServer& source, PrivateServer& target);

  Trial& trial() { return trial_; }
  Db& target() { return trial_.db(); }
  Db& source() { return source_; }
  const std::string& source_dsn() const { return source_dsn_; }
  void read_from(const std::string& dsn) { source_dsn_ = dsn; }

  /// The same statements on both sides.
  void both(const std::string& sql);

  /// The job: `from` holds more keys of `from`, `rest` more lines of the step, `settings` lines before it.
  void job(const std::string& table, const std::string& from = {}, const std::string& rest = {},
           const std::string& settings = kSmallBatches);
  static constexpr const char* kSmallBatches =
      "[batch]\nrows = 50\nrows_min = 50\nrows_max = 50\n[pool]\nlanes = 2";

  void expect(const std::string& verb, int code, const std::vector<std::string>& args = {});

  /// Rows as text, in order: equal on both sides only if they are the same to the last digit.
  std::vector<std::string> rows(Db& db, const std::string& query);
  /// Rows of the source that the target has not as often, and the other way round: both must be empty.
  void expect_same(const std::string& query) { expect_same(query, query); }
  void expect_same(const std::string& at_source, const std::string& at_target);

 private:
  Trial trial_;
  std::string source_dsn_;
  Db source_;
};

}  // namespace pgsluice::test
