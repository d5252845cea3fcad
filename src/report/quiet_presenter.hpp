#pragma once

#include "report/presenter.hpp"

namespace pgsluice::report {

/// Warnings, errors and the summary only.
class QuietPresenter final : public Presenter {
 public:
  explicit QuietPresenter(std::FILE* err) : err_(err) {}

  void show(const Event& event, TimePoint now) override;

 private:
  std::FILE* const err_;
};

}  // namespace pgsluice::report
