#pragma once

#include <memory>
#include <optional>
#include <string>

#include "report/presenter.hpp"

namespace spdlog {
class logger;
}

namespace pgsluice::report {

/// For a log: one line on each change of state and one every kStatusEvery. A Throttle event gets a line only
/// when its state or signal differs from the last one, since the pace of a slowed run changes often.
class LinePresenter final : public Presenter {
 public:
  LinePresenter(std::FILE* err, bool log_batches);
  ~LinePresenter() override;

  void show(const Event& event, TimePoint now) override;

  static constexpr std::chrono::seconds kStatusEvery{30};  // often enough to follow; the log stays small

 private:
  bool is_wanted(const Event& event, TimePoint now);
  bool is_due(TimePoint now);
  bool is_change(const event::Throttle& throttle);

  void log(const std::string& line);

  const std::unique_ptr<spdlog::logger> logger_;
  const bool log_batches_;
  std::optional<TimePoint> last_status_;
  std::string last_throttle_ = "go";
};

}  // namespace pgsluice::report
