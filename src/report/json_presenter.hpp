#pragma once

#include <cstdint>
#include <optional>

#include "report/presenter.hpp"

namespace pgsluice::report {

/// One JSON line per event. Status at most every kStatusEvery; every other event always.
class JsonPresenter final : public Presenter {
 public:
  explicit JsonPresenter(std::FILE* out) : out_(out) {}

  void show(const Event& event, TimePoint now) override;
  void tick(TimePoint now) override;

  static constexpr std::chrono::seconds kStatusEvery{5};  // readers store each line: 720 an hour is enough

 private:
  bool is_due(const Event& event, TimePoint now);

  std::FILE* const out_;
  std::int64_t seq_ = 0;  // of the last line
  std::optional<TimePoint> last_status_;
};

}  // namespace pgsluice::report
