#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pg/catalog/heap.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/key.hpp"
#include "pgsluice/job.hpp"
#include "table/images/images.hpp"
#include "table/referrers.hpp"
#include "table/removal.hpp"
#include "walk/fragment.hpp"

namespace pgsluice::engine {

/// A row fault met by a batch of one row: the row is set aside instead of changed, if it is still the next
/// row.
struct SetAside {
  pg::Key key;
  std::string sqlstate;
  std::string message;
};

/// The statements of a fill's batches, each written around a walk's WHERE condition. `plan` prints them, a
/// batch sends them. Constant once made, so lanes share it.
struct BatchSql {
  /// Changes the rows of a slice of the key.
  std::function<std::string(const std::string& predicate)> update;
  /// Changes the rows of some blocks of a heap; a sampled one reports its WAL.
  std::function<std::string(const pg::HeapFacts& heap, const walk::Fragment& predicate, bool is_sampled)>
      block_update;
  /// Locks and counts the rows that the batch is about to change: of the table, or of one of its heaps. Empty
  /// if nothing can leave such a row unchanged: then the UPDATE itself gives the number.
  std::function<std::string(const pg::HeapFacts* heap, const std::string& predicate)> selected{};
  /// Statements that come first, about the same rows: of the table, or of one of its heaps.
  std::function<std::vector<std::string>(const pg::HeapFacts* heap, const std::string& predicate)> before{};
  int before_count = 0;  // how many these are
  /// Quarantines the rows of the batch that it visited and left as they were; with a fault, all its rows with
  /// that error. Empty unless each of these must be accounted for.
  std::function<std::string(const std::string& predicate, const SetAside* fault)> naming{};
  bool is_naming_always = false;  // triggers may alter rows after the statement has counted them
  bool is_sampling = true;        // `block_update` can report its WAL
  bool is_answering = false;      // `update` answers (rows changed, rows read first but not changed)
  std::string old_rows_node{};    // see read_sampled_answer()
  std::string settings{};         // SET LOCALs, after BEGIN
  /// The same with rows locked first: for a while after a batch that missed rows. Empty: these lock already,
  /// or miss none.
  std::shared_ptr<const BatchSql> locking{};

  /// Statements of a batch that may take long: its UPDATE, the count of what that selects, those before it.
  int long_statements() const { return (selected ? 2 : 1) + before_count; }
};

/// A backfill's. Pure. `images`: where it keeps before-images; nullopt: it keeps none.
BatchSql batch_sql(const pg::Table& table, const BackfillStep& step, const pg::Swallowers& swallowers,
                   const std::optional<Images>& images);

/// A purge's. Pure.
BatchSql purging_sql(const Removal& removal, const pg::Swallowers& swallowers);

/// Which rows get their old values back.
enum class Restore {
  kStillOurs,  // that hold what the job wrote; the others are named
  kForced,     // all
  kNamedOnly,  // all that an earlier restore has named
};

/// Puts old values back. Pure.
BatchSql restoring_sql(const Images& images, Restore restore);

/// Removes the rows that a copy has inserted. Pure.
BatchSql removing_sql(const Images& images, const std::vector<Referrer>& referrers, Restore restore);

}  // namespace pgsluice::engine
