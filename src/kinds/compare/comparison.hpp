#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pg/key.hpp"
#include "pgsluice/job.hpp"
#include "table/copy/copying.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// Rows by key, with the hash of what they hold.
using RowHashes = std::map<pg::Key, std::string>;

/// What a comparison of two tables found.
struct Differences {
  std::int64_t rows = 0;            // of the source, that were to be compared
  std::int64_t missing = 0;         // at the target
  std::int64_t different = 0;       // there, with other values
  std::int64_t surplus = 0;         // only at the target, where these count
  std::vector<std::string> named;   // the first of these rows, in words
  std::int64_t mended = 0;          // were missing or different, and are right now
  std::vector<std::string> healed;  // the first of those, in words
  bool is_given_up = false;         // too many: there may be more

  std::int64_t wrong() const { return missing + different + surplus; }
  /// "2 of 5,000 rows missing or different: row 17 is different; row 40 is missing; 1 mended: row 9 was
  /// missing".
  std::string in_words() const;
};

/// The wrong rows of one slice.
struct WrongRows {
  RowHashes theirs;  // as the source has them
  RowHashes ours;    // as the target had those that it has
};

/// Of these keys, those whose rows are known to be on their way: they do not count.
using OnTheirWay = std::function<std::set<pg::Key>(const std::vector<pg::Key>& keys)>;

class Comparison;

/// Makes wrong rows of the target what the source has.
class Mender {
 public:
  virtual ~Mender() = default;
  /// Rows that it cannot mend stay wrong: it answers with the reason by key. Throws Error, Failure.
  virtual std::map<pg::Key, std::string> mend(const WrongRows& wrong) = 0;
};

/// Compares every row of the source that is to be copied with the target's row of its key: slice by slice, by
/// count and sum of hashes, and where these differ row by row. A row is looked at twice before it counts,
/// since the application may be changing it. With kSkip a row that is there is right whatever it holds.
/// Confined to the thread of its sessions, of which it keeps none.
class Comparison {
 public:
  enum class Surplus { kIgnored, kCounted };
  struct Sides {
    pg::Session& source;
    pg::Session& target;
  };

  /// Surplus: rows that only the target has. In a copy they may be its own. Throws Error(kRefused) if the
  /// rows cannot be found by key, Failure.
  Comparison(Sides sides, const CopyStep& step, Surplus surplus);

  /// The next slice, in short transactions. False: nothing is left. May be called again after a Failure.
  /// Throws Failure.
  bool next(Sides sides, Mender* mender = nullptr);
  const Differences& found() const { return found_; }

  void leave_out(OnTheirWay on_their_way) { on_their_way_ = std::move(on_their_way); }

  const Copying& copying() const { return copying_; }
  /// The hash of a row at the target, in SQL.
  const std::string& target_hash() const { return target_hash_; }

 private:
  enum class Part { kSource, kBehind, kCount, kOver };

  bool go_on(Sides sides, Mender* mender);
  bool next_of_source(Sides sides, Mender* mender);
  bool next_behind(Sides sides);
  void compare(Sides sides, const walk::KeySlice& slice, Mender* mender);
  void narrow(Sides sides, const walk::KeySlice& slice, Mender* mender);
  /// Rows of a slice that only the target has.
  void note_surplus(Sides sides, const walk::KeySlice& slice, const RowHashes& theirs);
  void count_surplus(Sides sides);
  RowHashes look(Sides sides, bool is_source, const RowHashes& keys);
  pg::Rows ask(Sides sides, bool is_source, const std::string& sql, const pg::Params& params);
  RowHashes hashes(const pg::Rows& rows) const;
  /// Those of the rows that the target has not, or not so; with what it has.
  WrongRows wrong_among(Sides sides, const RowHashes& theirs);
  void mend(Sides sides, WrongRows& wrong, Mender& mender, std::map<pg::Key, std::string>& reasons);
  void leave_out_coming(WrongRows& wrong);
  void note(const WrongRows& wrong, const std::map<pg::Key, std::string>& reasons);
  void name(const std::string& words);
  void go_on_behind();

  Copying copying_;
  walk::Keyset keyset_;
  std::optional<walk::Keyset> target_keyset_;  // nullopt: it may order keys in another way
  Surplus surplus_;
  OnTheirWay on_their_way_;
  std::string source_hash_;
  std::string target_hash_;
  Part part_ = Part::kSource;
  std::optional<pg::Key> upper_;  // the highest key when the part began
  std::optional<pg::Key> from_;
  Differences found_;
  Differences so_far_;  // without the slice in work
};

/// All of it at once. Blocks. Throws Error, Failure.
Differences compare_all(Comparison::Sides sides, const CopyStep& step, Comparison::Surplus surplus,
                        const std::function<std::unique_ptr<Mender>(Comparison&)>& mender = {},
                        const OnTheirWay& on_their_way = {});

}  // namespace pgsluice::engine
