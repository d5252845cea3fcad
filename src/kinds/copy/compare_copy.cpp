#include "kinds/copy/compare_copy.hpp"

#include <map>
#include <optional>

#include "base/units.hpp"
#include "lanes/batch/key_cut.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/compare_sql.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/copy/copy_sql.hpp"

namespace pgsluice::engine {
namespace {

// Rows whose sums are compared at a time: a slice that differs is fetched whole, with its keys.
constexpr std::int64_t kSliceRows = 10'000;
// Rows named in the answer, and rows after which the comparison ends: more say nothing new.
constexpr std::size_t kNamedMost = 20;
constexpr std::int64_t kDifferencesMost = 1'000;

using Hashes = std::map<pg::Key, std::string>;

class Comparing {
 private:
  static std::string encoding_of(pg::Session& session) {
    return session.exec("SHOW server_encoding").text(0, 0);
  }

  /// Each question in a transaction of its own: none is held open for long.
  template <class Ask>
  auto reading(pg::Session& session, Ask ask) {
    session.exec(begin_reading_sql(&session == &source_ ? copying_.is_source_without_encoding
                                                        : copying_.is_target_without_encoding));
    try {
      auto answer = ask();
      session.exec("COMMIT");
      return answer;
    } catch (...) {
      pg::rollback(session);
      throw;
    }
  }

 public:
  Comparing(pg::Session& source, pg::Session& target, const CopyStep& step, const OnTheirWay& on_their_way)
      : source_(source),
        target_(target),
        copying_(read_copy_facts(source, target, step).copying),
        keyset_(copying_.from.sql(), copying_.key),
        on_their_way_(on_their_way) {
    const bool is_converted = encoding_of(source) != encoding_of(target);
    source_hash_ = row_hash_sql(copying_, CopySide::kSource, is_converted);
    target_hash_ = row_hash_sql(copying_, CopySide::kTarget, is_converted);
    if (!is_key_copied(copying_))
      throw Error(ExitCode::kRefused,
                  "the rows of table " + copying_.to.sql() + " cannot be compared with " +
                      copying_.source_in_words() + ": the source's key is not copied under its own name",
                  "compare them with a verify step of your own");
  }

  CopyComparison run() {
    const auto last = reading(source_, [&] { return source_.exec(keyset_.highest(), pg::Params{}); });
    if (last.empty()) return found_;
    const auto upper = keyset_.read_key(last, 0);
    std::optional<pg::Key> from;
    for (bool is_last = false; !is_last && !found_.is_given_up;) {
      const auto cut = reading(source_, [&] { return find_cut(source_, keyset_, from, upper, kSliceRows); });
      compare(cut.slice);
      from = cut.slice.upper;
      is_last = cut.is_last;
    }
    return found_;
  }

 private:
  pg::Rows ask(pg::Session& session, const std::string& sql, const pg::Params& params) {
    return reading(session, [&] { return session.exec(sql, params); });
  }

  void compare(const walk::KeySlice& slice) {
    const auto at = keyset_.predicate(slice);
    const auto theirs = ask(source_, sums_sql(copying_, CopySide::kSource, source_hash_, at.sql), at.params);
    found_.rows += theirs.integer(0, 0);
    if (theirs.integer(0, 0) == 0) return;
    if (!copying_.target_key.empty()) {
      const walk::Keyset keyset(copying_.to.sql(), copying_.target_key);
      const auto there = keyset.predicate(slice);
      const auto ours =
          ask(target_, sums_sql(copying_, CopySide::kTarget, target_hash_, there.sql), there.params);
      if (ours.row(0) == theirs.row(0)) return;
    }
    narrow(hashes(ask(source_, keyed_hashes_sql(copying_, source_hash_, at.sql), at.params)));
  }

  Hashes hashes(const pg::Rows& rows) const {
    Hashes out;
    for (std::size_t i = 0; i < rows.size(); ++i)
      out.emplace(keyset_.read_key(rows, i), rows.text(i, copying_.key.size()));
    return out;
  }

  /// The rows of these keys, as they are now.
  Hashes look(CopySide side, const Hashes& keys) {
    if (keys.empty()) return {};
    pg::Params params;
    for (std::size_t i = 0; i < copying_.key.size(); ++i) {
      pg::Key values;
      for (const auto& [key, hash] : keys) values.push_back(key[i]);
      params.emplace_back(pg::to_array(values));
    }
    auto& session = side == CopySide::kSource ? source_ : target_;
    const auto& hash = side == CopySide::kSource ? source_hash_ : target_hash_;
    return hashes(ask(session, hashes_of_keys_sql(copying_, side, hash), params));
  }

  bool is_right(const std::string& hash, const std::string* there) const {
    return there != nullptr && (copying_.on_conflict == OnConflict::kSkip || *there == hash);
  }

  /// Those of the rows that the target has not, or not so.
  Hashes suspects_among(const Hashes& theirs) {
    const auto ours = look(CopySide::kTarget, theirs);
    Hashes suspects;
    for (const auto& [key, hash] : theirs) {
      const auto there = ours.find(key);
      if (!is_right(hash, there == ours.end() ? nullptr : &there->second)) suspects.emplace(key, hash);
    }
    return suspects;
  }

  void narrow(const Hashes& theirs) {
    const auto again = look(CopySide::kSource, suspects_among(theirs));
    const auto ours = look(CopySide::kTarget, again);
    std::vector<pg::Key> wrong;
    for (const auto& [key, hash] : again) {
      const auto there = ours.find(key);
      if (!is_right(hash, there == ours.end() ? nullptr : &there->second)) wrong.push_back(key);
    }
    const auto coming = on_their_way_ && !wrong.empty() ? on_their_way_(wrong) : std::set<pg::Key>{};
    for (const auto& key : wrong) {
      if (!coming.contains(key)) note(key, !ours.contains(key));
    }
  }

  void note(const pg::Key& key, bool is_missing) {
    ++(is_missing ? found_.missing : found_.different);
    if (found_.named.size() < kNamedMost)
      found_.named.push_back("row " + pg::display(key) + (is_missing ? " is missing" : " is different"));
    found_.is_given_up = found_.missing + found_.different >= kDifferencesMost;
  }

  pg::Session& source_;
  pg::Session& target_;
  Copying copying_;
  walk::Keyset keyset_;
  const OnTheirWay& on_their_way_;
  std::string source_hash_;
  std::string target_hash_;
  CopyComparison found_;
};

}  // namespace

std::string CopyComparison::in_words() const {
  std::string words = (is_given_up ? "at least " : "") + base::format_count(missing + different) + " of " +
                      base::format_count(rows) + (is_given_up ? " rows compared are" : " rows") +
                      " missing or different";
  for (std::size_t i = 0; i < named.size(); ++i) words += (i == 0 ? ": " : "; ") + named[i];
  return words;
}

CopyComparison compare_copy(pg::Session& source, pg::Session& target, const CopyStep& step,
                            const OnTheirWay& on_their_way) {
  return Comparing(source, target, step, on_their_way).run();
}

}  // namespace pgsluice::engine
