#include "measure/figures.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pgsluice::bench {

void Figures::add(double value) {
  values_.insert(std::upper_bound(values_.begin(), values_.end(), value), value);
  last_ = value;
}

double Figures::median() const {
  if (values_.empty()) return 0;
  const auto middle = values_.size() / 2;
  return values_.size() % 2 == 1 ? values_[middle] : (values_[middle - 1] + values_[middle]) / 2;
}

double Figures::min() const {
  return values_.empty() ? 0 : values_.front();
}

double Figures::max() const {
  return values_.empty() ? 0 : values_.back();
}

double Figures::at_share(double share) const {
  if (values_.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(values_.size()));
  return values_[std::min(index, values_.size() - 1)];
}

std::string Figures::text(int decimals) const {
  if (values_.empty()) return "–";
  const auto middle = number_text(median(), decimals);
  const auto lowest = number_text(min(), decimals);
  const auto highest = number_text(max(), decimals);
  if (lowest == highest) return middle;
  return middle + " (" + lowest + " to " + highest + ")";
}

std::string number_text(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string verdict(bool is_met) {
  return is_met ? "met" : "MISSED";
}

}  // namespace pgsluice::bench
