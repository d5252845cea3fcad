#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/key.hpp"
#include "walk/fragment.hpp"

namespace pgsluice::walk {

/// How a batch is cut out of a range: rows with `lower < key <= upper`. An empty lower means "from the first
/// row".
struct KeySlice {
  std::optional<pg::Key> lower;
  pg::Key upper;
  /// How many leading key columns of lower and upper are equal to the server. Their texts cannot tell: 1.0
  /// and 1.00 are the same number. Meaningless without a lower.
  int equal_prefix = 0;
};

/// What the index of a walk has of its key.
enum class Lead {
  kWholeKey,
  kFirstColumn,  // the rest is sorted: few rows have one value of it
};

/// Walks a table along a unique key, in key order, for any orderable type. Writes SQL and reads its answers;
/// runs nothing. Immutable, so every lane of a step shares one.
class Keyset {
 public:
  Keyset(std::string table_sql, std::vector<pg::Column> key, Lead lead = Lead::kWholeKey);

  /// The last key of the next `rows` rows after `lower`, without the step's `where` (a filter here would read
  /// on through stretches without a match). Answer: read_bound(). No upper bound in the SQL: with a row
  /// comparison as upper bound PostgreSQL 15 reads to the end of the prefix (5,083 buffers against 35), so
  /// the answer says whether it is past the range. With Lead::kFirstColumn the rows that have the last one's
  /// first column come along, so that the index alone is read: at most three times as many in all, and just
  /// one if one is asked for.
  Fragment bound(const std::optional<pg::Key>& lower, const pg::Key& range_upper, std::int64_t rows) const;
  struct Bound {
    pg::Key key;
    bool is_past_range = false;  // the range ends before this key
    int equal_prefix = 0;
  };
  /// nullopt: the table has fewer rows left than requested.
  std::optional<Bound> read_bound(const pg::Rows& answer) const;

  /// Counts the rows of the range's last batch, reading at most `rows` index entries, and compares its ends:
  /// one row, (count, equal_prefix).
  Fragment remainder(const std::optional<pg::Key>& lower, const pg::Key& upper, std::int64_t rows) const;

  /// WHERE condition of a slice: index conditions only. One column: k > $1 AND k <= $2. Composite: equal
  /// columns by equality, then an OR of a first, a middle and a last piece.
  Fragment predicate(const KeySlice& slice) const;

  /// Up to `parts` - 1 keys that cut (lower, upper] into about equal parts, from a sample of whole pages; in
  /// order, each with the number of sampled rows after it. `percent` of the table's pages is read. An absent
  /// upper means "to the last row".
  Fragment sample(const std::optional<pg::Key>& lower, const std::optional<pg::Key>& upper, int parts,
                  double percent) const;

  /// At most `limit` rows of "FROM … WHERE …" in key order, each with the key before it in the table. One
  /// statement, one snapshot. Answer: read_slices().
  std::string slices_of(const std::string& from_where, int limit) const;
  /// Slices that contain these rows and no others: neighbours share one. Without equal_prefix.
  struct Slice {
    KeySlice slice;
    std::int64_t rows = 0;
  };
  std::vector<Slice> read_slices(const pg::Rows& answer) const;

  /// The table's highest key: no row if the table is empty.
  std::string highest() const;

  /// `position < $n` for a position that is a text[] column or NULL, for splits while the position moves.
  /// `first` is the number of the first parameter; the values are the key's.
  std::string is_before(const std::string& array_expression, int first) const;

  pg::Key read_key(const pg::Rows& answer, std::size_t row, std::size_t column = 0) const;
  const std::vector<pg::Column>& key() const { return key_; }
  const std::string& table_sql() const { return table_sql_; }

 private:
  Fragment bound_by_first(const std::optional<pg::Key>& lower, const pg::Key& range_upper,
                          std::int64_t rows) const;
  std::string columns(const char* suffix = "") const;          // t."a", t."b"
  std::string row(int first) const;                            // ($1::t, $2::u)
  std::string row_of_columns() const;                          // (t."a", t."b")
  std::string parameter(std::size_t column, int first) const;  // $2::"pg_catalog"."int8"
  std::string equal_prefix(const std::vector<std::string>& left, const std::vector<std::string>& right) const;
  std::string selected_texts(const char* alias) const;

  std::string table_sql_;
  std::vector<pg::Column> key_;
  Lead lead_ = Lead::kWholeKey;
};

}  // namespace pgsluice::walk
