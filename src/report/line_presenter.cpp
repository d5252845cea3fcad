#include "report/line_presenter.hpp"

#include "report/describe.hpp"
#include "report/render_line.hpp"
#include "report/render_summary.hpp"

namespace pgsluice::report {

bool LinePresenter::is_due(TimePoint now) {
  if (!last_status_) last_status_ = now;  // the step's own line has just told where it stands
  if (now - *last_status_ < kStatusEvery) return false;
  last_status_ = now;
  return true;
}

bool LinePresenter::is_change(const event::Throttle& throttle) {
  const std::string now = throttle.state == "go" ? throttle.state : throttle.state + " " + throttle.signal;
  if (now == last_throttle_) return false;
  last_throttle_ = now;
  return true;
}

bool LinePresenter::is_wanted(const Event& event, TimePoint now) {
  if (std::holds_alternative<event::Status>(event.body)) return is_due(now);
  if (std::holds_alternative<event::Batch>(event.body)) return log_batches_;
  if (const auto* throttle = std::get_if<event::Throttle>(&event.body)) return is_change(*throttle);
  return describe(event.body).weight > Weight::kDetail;
}

void LinePresenter::show(const Event& event, TimePoint now) {
  if (const auto* summary = std::get_if<event::Summary>(&event.body)) {
    write_lines(err_, render_summary(event.job, *summary, false));
  } else if (is_wanted(event, now)) {
    write_lines(err_, {render_line(event)});
  }
}

}  // namespace pgsluice::report
