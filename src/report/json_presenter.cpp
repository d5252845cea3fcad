#include "report/json_presenter.hpp"

#include "report/text/event_json.hpp"

namespace pgsluice::report {

bool JsonPresenter::is_due(const Event& event, TimePoint now) {
  if (!std::holds_alternative<event::Status>(event.body)) return true;
  if (last_status_ && now - *last_status_ < kStatusEvery) return false;
  last_status_ = now;
  return true;
}

void JsonPresenter::show(const Event& event, TimePoint now) {
  if (!is_due(event, now)) return;
  const std::string line = event_line_json(event, ++seq_) + "\n";
  std::fwrite(line.data(), 1, line.size(), out_);
}

void JsonPresenter::tick(TimePoint /*now*/) {
  std::fflush(out_);
}

}  // namespace pgsluice::report
