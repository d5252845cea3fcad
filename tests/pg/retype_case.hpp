#pragma once

#include <set>
#include <string>
#include <vector>

#include "pg/conversion.hpp"
#include "pg/trial.hpp"
#include "pg/value_writes.hpp"

namespace pgsluice::test {

enum class Ending {
  kRefused,   // before the first write
  kUnmapped,  // a row could not be mapped, and the table was given back
  kCarried    // there and back
};

/// One column of one table that is changed by the program, beside a twin that is changed by ALTER TABLE.
/// Every act that breaks a promise throws; story() then says what had been done.
class RetypeCase {
 public:
  /// REQUIRES: create_pair_types on the trial's database; `number` was not used there before.
  RetypeCase(Trial& trial, CastPair pair, int number, Random& random);

  Ending play();

  /// The pair in one line.
  std::string title() const;
  /// What repeats it by hand: the pair, and every statement.
  std::string story() const;
  /// Why the program did not carry it through.
  const std::string& reason() const { return reason_; }

 private:
  void fill();
  void make_twin();
  Ending end_of_run(const Finished& run, const std::string& shape);
  void expect_untouched(const std::string& shape);
  Ending give_back(const std::string& shape);
  bool cut_over();
  void write_while_ready();
  void write_to_both(const ColumnType& type, const ColumnType& other, bool is_cut_over);
  void go_back(const std::string& shape);
  void sort_touched_rows();
  void delete_touched_rows();
  void expect_old_values();

  /// What becomes of all values of a table by ALTER TABLE, which stays as it is then.
  Fit convert(const std::string& table, const Conversion& away, const Conversion& home);
  Finished say(const std::string& verb);
  void prepare(const std::string& sql);
  std::optional<std::string> attempt(const std::string& sql);
  bool is_left_out(const Write& write, Fit fit, bool is_mild);

  std::string shape();
  std::string type_of(const std::string& table);
  void expect_same(const std::string& when);
  void expect_no_row(const std::string& query, const std::string& claim);
  void require(bool holds, const std::string& claim) const;

  Trial& trial_;
  CastPair pair_;
  Random& random_;
  std::string name_;
  std::string table_;
  std::string twin_;
  bool is_mild_;        // rows fit into the new type and back
  bool is_mild_later_;  // so does what is written after the cut-over, into the old one
  bool is_required_;    // the column is NOT NULL
  bool is_indexed_;
  Db application_;
  std::vector<std::string> story_;
  std::string reason_;
  Conversions conversions_;
  std::set<int> touched_;        // rows whose column was written since the cut-over
  Fit changed_ = Fit::kClean;    // how those that are not what they were then go back
  Fit rewritten_ = Fit::kClean;  // and those that are
  int last_id_ = 0;
};

}  // namespace pgsluice::test
