#include "kinds/compare/comparison.hpp"

#include <algorithm>

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
// How often a slice's wrong rows are mended and looked at again: the application may change one each time.
constexpr int kMendings = 3;

std::string encoding_of(pg::Session& session) {
  return session.exec("SHOW server_encoding").text(0, 0);
}

/// Each question in a transaction of its own: none is held open for long.
template <class Ask>
auto reading(pg::Session& session, bool is_without_encoding, Ask question) {
  session.exec(begin_reading_sql(is_without_encoding));
  try {
    auto answer = question();
    session.exec("COMMIT");
    return answer;
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

std::string listed(const std::vector<std::string>& named, std::int64_t of) {
  std::string words;
  for (std::size_t i = 0; i < named.size(); ++i) words += (i == 0 ? ": " : "; ") + named[i];
  if (of > static_cast<std::int64_t>(named.size()) && !named.empty()) words += "; …";
  return words;
}

}  // namespace

std::string Differences::in_words() const {
  std::string words = (is_given_up ? "at least " : "") + base::format_count(missing + different) + " of " +
                      base::format_count(rows) + (is_given_up ? " rows compared are" : " rows") +
                      " missing or different";
  if (surplus > 0) words += ", " + base::format_count(surplus) + " more at the target only";
  words += listed(named, 0);
  if (mended > 0) words += "; " + base::format_count(mended) + " mended" + listed(healed, mended);
  return words;
}

Comparison::Comparison(Sides sides, const CopyStep& step, Surplus surplus)
    : copying_(read_copy_facts(sides.source, sides.target, step).copying),
      keyset_(copying_.from.sql(), copying_.key),
      surplus_(surplus) {
  const bool is_converted = encoding_of(sides.source) != encoding_of(sides.target);
  source_hash_ = row_hash_sql(copying_, CopySide::kSource, is_converted);
  target_hash_ = row_hash_sql(copying_, CopySide::kTarget, is_converted);
  if (!copying_.target_key.empty()) target_keyset_.emplace(copying_.to.sql(), copying_.target_key);
  if (!is_key_copied(copying_))
    throw Error(ExitCode::kRefused,
                "the rows of table " + copying_.to.sql() + " cannot be compared with " +
                    copying_.source_in_words() + ": the source's key is not copied under its own name",
                "compare them with a verify step of your own");
}

pg::Rows Comparison::ask(Sides sides, bool is_source, const std::string& sql, const pg::Params& params) {
  auto& session = is_source ? sides.source : sides.target;
  const bool is_without =
      is_source ? copying_.is_source_without_encoding : copying_.is_target_without_encoding;
  return reading(session, is_without, [&] { return session.exec_cancellable(sql, params); });
}

bool Comparison::next(Sides sides, Mender* mender) try {
  if (found_.is_given_up) part_ = Part::kOver;
  const bool is_more = go_on(sides, mender);
  so_far_ = found_;
  return is_more;
} catch (...) {
  found_ = so_far_;  // the slice is compared again
  throw;
}

bool Comparison::go_on(Sides sides, Mender* mender) {
  switch (part_) {
    case Part::kSource:
      return next_of_source(sides, mender);
    case Part::kBehind:
      return next_behind(sides);
    case Part::kCount:
      count_surplus(sides);
      part_ = Part::kOver;
      return false;
    case Part::kOver:
      break;
  }
  return false;
}

void Comparison::go_on_behind() {
  part_ = Part::kOver;
  if (surplus_ == Surplus::kCounted) part_ = target_keyset_ ? Part::kBehind : Part::kCount;
  upper_.reset();
}

bool Comparison::next_of_source(Sides sides, Mender* mender) {
  if (!upper_) {
    const auto last = ask(sides, true, keyset_.highest(), {});
    if (!last.empty()) upper_ = keyset_.read_key(last, 0);
  }
  bool is_last = true;
  if (upper_) {
    const auto cut = reading(sides.source, copying_.is_source_without_encoding,
                             [&] { return find_cut(sides.source, keyset_, from_, *upper_, kSliceRows); });
    compare(sides, cut.slice, mender);
    from_ = cut.slice.upper;
    is_last = cut.is_last;
  }
  if (is_last) go_on_behind();
  return part_ != Part::kOver;
}

/// Behind the source's last key.
bool Comparison::next_behind(Sides sides) {
  if (!upper_) {
    const auto last = ask(sides, false, target_keyset_->highest(), {});
    if (last.empty()) {
      part_ = Part::kOver;
      return false;
    }
    upper_ = target_keyset_->read_key(last, 0);
  }
  const auto cut = reading(sides.target, copying_.is_target_without_encoding, [&] {
    return find_cut(sides.target, *target_keyset_, from_, *upper_, kSliceRows);
  });
  if (cut.visited > 0) note_surplus(sides, cut.slice, {});
  from_ = cut.slice.upper;
  if (cut.is_last) part_ = Part::kOver;
  return part_ != Part::kOver;
}

void Comparison::compare(Sides sides, const walk::KeySlice& slice, Mender* mender) {
  const auto at = keyset_.predicate(slice);
  const auto theirs =
      ask(sides, true, sums_sql(copying_, CopySide::kSource, source_hash_, at.sql), at.params);
  found_.rows += theirs.integer(0, 0);
  if (theirs.integer(0, 0) == 0 && surplus_ == Surplus::kIgnored) return;
  if (target_keyset_) {
    const auto there = target_keyset_->predicate(slice);
    const auto ours =
        ask(sides, false, sums_sql(copying_, CopySide::kTarget, target_hash_, there.sql), there.params);
    if (ours.row(0) == theirs.row(0)) return;
  }
  narrow(sides, slice, mender);
}

RowHashes Comparison::hashes(const pg::Rows& rows) const {
  RowHashes out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.emplace(keyset_.read_key(rows, i), rows.text(i, copying_.key.size()));
  return out;
}

RowHashes Comparison::look(Sides sides, bool is_source, const RowHashes& keys) {
  if (keys.empty()) return {};
  const auto side = is_source ? CopySide::kSource : CopySide::kTarget;
  const auto& hash = is_source ? source_hash_ : target_hash_;
  return hashes(
      ask(sides, is_source, hashes_of_keys_sql(copying_, side, hash), key_arrays(keys, copying_.key.size())));
}

WrongRows Comparison::wrong_among(Sides sides, const RowHashes& theirs) {
  const auto ours = look(sides, false, theirs);
  WrongRows wrong;
  for (const auto& [key, hash] : theirs) {
    const auto there = ours.find(key);
    const bool is_there = there != ours.end();
    if (is_there && (copying_.on_conflict == OnConflict::kSkip || there->second == hash)) continue;
    wrong.theirs.emplace(key, hash);
    if (is_there) wrong.ours.insert(*there);
  }
  return wrong;
}

void Comparison::narrow(Sides sides, const walk::KeySlice& slice, Mender* mender) {
  const auto at = keyset_.predicate(slice);
  const auto theirs = hashes(
      ask(sides, true, keyed_hashes_sql(copying_, CopySide::kSource, source_hash_, at.sql), at.params));
  auto wrong = wrong_among(sides, look(sides, true, wrong_among(sides, theirs).theirs));
  std::map<pg::Key, std::string> reasons;
  if (mender != nullptr && !wrong.theirs.empty()) mend(sides, wrong, *mender, reasons);
  leave_out_coming(wrong);
  note(wrong, reasons);
  if (surplus_ == Surplus::kCounted && target_keyset_) note_surplus(sides, slice, theirs);
}

void Comparison::leave_out_coming(WrongRows& wrong) {
  if (!on_their_way_ || wrong.theirs.empty()) return;
  std::vector<pg::Key> keys;
  for (const auto& [key, hash] : wrong.theirs) keys.push_back(key);
  for (const auto& key : on_their_way_(keys)) wrong.theirs.erase(key);
}

void Comparison::mend(Sides sides, WrongRows& wrong, Mender& mender,
                      std::map<pg::Key, std::string>& reasons) {
  const auto before = wrong;
  for (int i = 0; i < kMendings && !wrong.theirs.empty(); ++i) {
    reasons = mender.mend(wrong);
    wrong = wrong_among(sides, look(sides, true, wrong.theirs));
  }
  for (const auto& [key, hash] : before.theirs) {
    if (wrong.theirs.contains(key)) continue;
    ++found_.mended;
    if (found_.healed.size() < kNamedMost)
      found_.healed.push_back("row " + pg::display(key) +
                              (before.ours.contains(key) ? " was different" : " was missing"));
  }
}

void Comparison::name(const std::string& words) {
  if (found_.named.size() < kNamedMost) found_.named.push_back(words);
  found_.is_given_up = found_.wrong() >= kDifferencesMost;
}

void Comparison::note(const WrongRows& wrong, const std::map<pg::Key, std::string>& reasons) {
  for (const auto& [key, hash] : wrong.theirs) {
    const bool is_missing = !wrong.ours.contains(key);
    ++(is_missing ? found_.missing : found_.different);
    const auto reason = reasons.find(key);
    name("row " + pg::display(key) + (is_missing ? " is missing" : " is different") +
         (reason == reasons.end() ? "" : ", and cannot be mended: " + reason->second));
  }
}

void Comparison::note_surplus(Sides sides, const walk::KeySlice& slice, const RowHashes& theirs) {
  const auto there = target_keyset_->predicate(slice);
  auto ours = hashes(ask(sides, false, keyed_hashes_sql(copying_, CopySide::kTarget, target_hash_, there.sql),
                         there.params));
  std::erase_if(ours, [&](const auto& row) { return theirs.contains(row.first); });
  const auto came = look(sides, true, ours);
  std::erase_if(ours, [&](const auto& row) { return came.contains(row.first); });
  for (const auto& [key, hash] : look(sides, false, ours)) {
    ++found_.surplus;
    name("row " + pg::display(key) + " is only at the target");
  }
}

/// Without the order of keys, their number alone shows that there are more.
void Comparison::count_surplus(Sides sides) {
  const auto all = ask(sides, false, count_sql(copying_), {}).integer(0, 0);
  const auto more = all - (found_.rows - found_.missing);
  if (more <= 0) return;
  found_.surplus = more;
  name("which ones these are cannot be asked: the target may order their keys in another way");
}

Differences compare_all(Comparison::Sides sides, const CopyStep& step, Comparison::Surplus surplus,
                        const std::function<std::unique_ptr<Mender>(Comparison&)>& mender,
                        const OnTheirWay& on_their_way) {
  Comparison comparison(sides, step, surplus);
  comparison.leave_out(on_their_way);
  const auto with = mender ? mender(comparison) : nullptr;
  while (comparison.next(sides, with.get())) {
  }
  return comparison.found();
}

}  // namespace pgsluice::engine
