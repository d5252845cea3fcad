#pragma once

namespace pgsluice::bench {

/// Tells a quiet machine from a busy one: who used the cores from its making on.
class CoresWatch {
 public:
  CoresWatch();

  /// Percent of all cores that neither this process nor a descendant of it took, other guests of the host
  /// included. REQUIRES: descendants have ended and were waited for, or theirs count as others'.
  double others_percent() const;

 private:
  double all_s_ = 0;
  double ours_s_ = 0;
  double began_s_ = 0;
};

}  // namespace pgsluice::bench
