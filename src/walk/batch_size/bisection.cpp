#include "walk/batch_size/bisection.hpp"

#include <algorithm>

namespace pgsluice::walk {

Bisection::Verdict Bisection::on_fault(std::int64_t rows_tried) {
  suspects_ = std::max<std::int64_t>(rows_tried, 1);
  return suspects_ == 1 ? Verdict::kSingleRow : Verdict::kSmaller;
}

void Bisection::on_committed(std::int64_t rows) {
  suspects_ = std::max<std::int64_t>(suspects_ - rows, 0);
}

std::int64_t Bisection::rows(std::int64_t rows_from_sizer) const {
  if (!is_searching()) return rows_from_sizer;
  return std::clamp<std::int64_t>(suspects_ / 2, 1, std::max<std::int64_t>(rows_from_sizer, 1));
}

}  // namespace pgsluice::walk
