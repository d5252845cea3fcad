#include "governor/wal_room.hpp"

#include <algorithm>

namespace pgsluice::governor {

void WalRoom::read(TimePoint asked, std::optional<Lsn> insert, std::optional<double> bytes) {
  room_ = bytes;
  if (insert) learn(*insert);
  // What ended before is in the reading.
  std::erase_if(batches_, [asked](const auto& b) { return !b.second.is_in_work && b.second.at < asked; });
}

void WalRoom::learn(Lsn insert) {
  // A position that went back is another server's: nothing is learned from it. Nor while none of ours ended.
  if (insert_ && insert >= *insert_ && rows_since_ > 0) {
    bytes_ = bytes_ * kMemory + static_cast<double>(insert - *insert_);
    rows_ = rows_ * kMemory + rows_since_;
    rows_since_ = 0;
    insert_ = insert;
    return;
  }
  if (!insert_ || insert < *insert_ || in_work_ == 0) insert_ = insert;
}

// What was in work at the reading counts as a whole: how much of it is in the reading is not known.
double WalRoom::used() const {
  double bytes = 0;
  for (const auto& [number, batch] : batches_) bytes += batch.cost;
  return bytes;
}

std::int64_t WalRoom::rows_that_fit(std::int64_t rows) const {
  if (!room_) return rows;
  if (price() <= 0) return batches_.empty() ? rows : 0;  // the first one tells the price
  const double left = *room_ - used();
  if (left <= 0) return 0;
  const auto fit = static_cast<std::int64_t>(std::min(left / price(), static_cast<double>(rows)));
  if (fit * 2 >= rows) return fit;
  return in_work_ == 0 ? std::min(rows, std::max(fit, kRowsLeast)) : 0;
}

WalRoom::Batch WalRoom::started(std::int64_t rows) {
  ++in_work_;
  batches_[next_] = {{}, static_cast<double>(rows) * price(), true};
  return next_++;
}

void WalRoom::ended(TimePoint now, Batch batch, std::int64_t rows) {
  const auto it = batches_.find(batch);
  if (it == batches_.end()) return;
  --in_work_;
  rows_since_ += static_cast<double>(rows);
  it->second.is_in_work = false;
  it->second.cost = static_cast<double>(rows) * price();
  it->second.at = now;
}

}  // namespace pgsluice::governor
