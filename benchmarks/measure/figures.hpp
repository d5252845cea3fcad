#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// The same quantity from repeated trials. Median and spread, never a mean: one disturbed trial must not move
/// it.
class Figures {
 public:
  void add(double value);
  bool empty() const { return values_.empty(); }
  /// 0 without any.
  double median() const;
  double min() const;
  double max() const;
  /// Not exceeded by this share of the values: 0.99 is the 99th percentile.
  double at_share(double share) const;
  /// The newest; 0 without any.
  double last() const { return last_; }
  std::size_t count() const { return values_.size(); }

  /// "12.3 (11.9 to 13.0)"; the value alone where all read the same, of none a dash.
  std::string text(int decimals) const;

 private:
  std::vector<double> values_;  // sorted
  double last_ = 0;
};

std::string number_text(double value, int decimals);

/// "met" or "MISSED".
std::string verdict(bool is_met);

}  // namespace pgsluice::bench
