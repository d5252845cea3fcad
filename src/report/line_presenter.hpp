#pragma once

#include <optional>
#include <string>

#include "report/presenter.hpp"

namespace pgsluice::report {

/// One line on each change of state and one every kStatusEvery, for a log. The pace of a slowed run changes
/// often: a Throttle event gets a line only when its state or signal differs from the last one.
class LinePresenter final : public Presenter {
 public:
  LinePresenter(std::FILE* err, bool log_batches) : err_(err), log_batches_(log_batches) {}

  void show(const Event& event, TimePoint now) override;

  static constexpr std::chrono::seconds kStatusEvery{
      30};  // a line that people scroll past, not a file that grows

 private:
  bool is_wanted(const Event& event, TimePoint now);
  bool is_due(TimePoint now);
  bool is_change(const event::Throttle& throttle);

  std::FILE* const err_;
  const bool log_batches_;
  std::optional<TimePoint> last_status_;
  std::string last_throttle_ = "go";
};

}  // namespace pgsluice::report
