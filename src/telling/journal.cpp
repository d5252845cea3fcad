#include "telling/journal.hpp"

#include <iterator>
#include <utility>

#include "report/text/event_json.hpp"
#include "report/text/timestamp.hpp"

namespace pgsluice::engine {
namespace {

bool belongs_into_log(const EventBody& body) {
  return !std::holds_alternative<event::Batch>(body) && !std::holds_alternative<event::Status>(body) &&
         !std::holds_alternative<event::Lease>(body);
}

}  // namespace

void Journal::write(EventBody body) {
  Event event;
  event.job = job_;
  event.run_id = run_id_;
  event.body = std::move(body);
  if (belongs_into_log(event.body)) {
    pending_.push_back({report::timestamp_milliseconds(event.at), run_id_, event_type(event.body),
                        report::event_fields_json(event.body)});
  }
  sink_.publish(std::move(event));
}

std::vector<LogEntry> Journal::take_pending() {
  return std::exchange(pending_, {});
}

void Journal::give_back(std::vector<LogEntry> entries) {
  entries.insert(entries.end(), std::make_move_iterator(pending_.begin()),
                 std::make_move_iterator(pending_.end()));
  pending_ = std::move(entries);
  if (pending_.size() <= kPendingMax) return;
  const auto surplus = pending_.size() - kPendingMax;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(surplus));
  dropped_ += surplus;
}

}  // namespace pgsluice::engine
