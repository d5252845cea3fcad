#include "report/quiet_presenter.hpp"

#include "report/text/describe.hpp"
#include "report/text/render_line.hpp"
#include "report/text/render_summary.hpp"

namespace pgsluice::report {

void QuietPresenter::show(const Event& event, TimePoint /*now*/) {
  if (const auto* summary = std::get_if<event::Summary>(&event.body)) {
    write_lines(err_, render_summary(event.job, *summary, false));
  } else if (describe(event.body).weight >= Weight::kWarning) {
    write_lines(err_, {render_line(event)});
  }
}

}  // namespace pgsluice::report
