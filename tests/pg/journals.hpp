#pragma once

#include <string>
#include <vector>

#include "pg/trial.hpp"

namespace pgsluice::test {

/// The five tables of tests/fixtures/journals.sql in a database of their own, and the shipped job over them.
/// Confined to the test's thread.
class Journals {
 public:
  explicit Journals(int users);

  Trial& trial() { return trial_; }
  Db& db() { return trial_.db(); }

  /// The shipped job with `mapping = "embed"` replaced by these lines.
  void set_mapping(const std::string& lines);

  /// Says the verb to the job and fails the test unless it ends with this code.
  Finished expect(const std::string& verb, int code);
  /// Runs until the cut-over awaits the operator.
  void make_ready() { expect("run", 9); }
  /// Says the verb with a failpoint that ends it by SIGKILL.
  void die_at(const std::string& verb, const std::string& failpoint);

  /// What every row says, with references told by what they lead to: the same whatever type the keys have.
  std::vector<std::string> rows();
  /// "users 17" for every key, embedded ones as the number that they hold; others as they are.
  std::vector<std::string> keys();
  /// Rows whose parent is missing, over all foreign keys.
  std::int64_t orphans();
  /// The type that all fourteen columns have; empty if they differ.
  std::string key_type();

  /// What an application writes: rows and references come, change and go in all five tables. Once in a
  /// database. REQUIRES: integer keys, or uuid keys.
  void write_with_integers();
  /// Behind it: a reminder that comes before its journal, in one transaction.
  void import_with_integers();
  void write_with_uuids();

 private:
  Trial trial_;
};

/// The statements of pg_dump --schema-only without schema pgsluice, in order of their text; the columns of a
/// table are statements of their own.
std::vector<std::string> schema_of(const Trial& trial);

/// What is in `left` and not in `right`, as often.
std::vector<std::string> without(const std::vector<std::string>& left, const std::vector<std::string>& right);

/// Everything outside of schema pgsluice that has a name of ours, and what a retype puts into that schema.
std::vector<std::string> traces_of(Trial& trial);

}  // namespace pgsluice::test
