#include "report/line_presenter.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "report/text/describe.hpp"
#include "report/text/render_line.hpp"
#include "report/text/render_summary.hpp"

namespace pgsluice::report {
namespace {

// The presenter has a thread to itself: no mutex. The line carries the time of the event, not of writing it.
std::unique_ptr<spdlog::logger> make_logger(std::FILE* file) {
  using Sink = spdlog::sinks::stdout_sink_base<spdlog::details::console_nullmutex>;
  auto logger = std::make_unique<spdlog::logger>("pgsluice", std::make_shared<Sink>(file));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace

LinePresenter::LinePresenter(std::FILE* err, bool log_batches)
    : logger_(make_logger(err)), log_batches_(log_batches) {}

LinePresenter::~LinePresenter() = default;

void LinePresenter::log(const std::string& line) {
  logger_->log(spdlog::level::info, spdlog::string_view_t(line));
}

bool LinePresenter::is_due(TimePoint now) {
  if (!last_status_) last_status_ = now;  // the step's own line has just said where it stands
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
    for (const auto& line : render_summary(event.job, *summary, false)) log(line);
  } else if (is_wanted(event, now)) {
    log(render_line(event));
  }
}

}  // namespace pgsluice::report
