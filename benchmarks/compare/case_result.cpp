#include "compare/case.hpp"

namespace pgsluice::bench {

Figures CaseResult::figures(const std::string& arm, Member member) const {
  Figures result;
  for (const auto& round : rounds_) {
    const auto found = round.find(arm);
    if (found != round.end()) result.add(found->second.*member);
  }
  return result;
}

Figures CaseResult::ratio(const std::string& arm, const std::string& other, Member member) const {
  Figures result;
  for (const auto& round : rounds_) {
    const auto mine = round.find(arm);
    const auto its = round.find(other);
    const bool has_both = mine != round.end() && its != round.end() && its->second.*member > 0;
    if (has_both) result.add(mine->second.*member / (its->second.*member));
  }
  return result;
}

Figures CaseResult::speed(const std::string& arm, const std::string& other) const {
  return ratio(arm, other, &TrialFigures::rows_per_s);
}

std::vector<std::string> CaseResult::remarks(const std::string& arm) const {
  std::vector<std::string> last;
  for (const auto& round : rounds_) {
    const auto found = round.find(arm);
    if (found != round.end()) last = found->second.remarks;
  }
  return last;
}

bool CaseResult::has(const std::string& arm) const {
  return !figures(arm, &TrialFigures::seconds).empty();
}

}  // namespace pgsluice::bench
