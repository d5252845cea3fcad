#pragma once

#include <map>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// Who makes the change.
enum class By {
  kNobody,  // the application alone
  kOneUpdate,
  kLoop,
  kOffset,
  kPgroll,
  kGitlab,
  kPgsluice,
};

/// One of those that are compared in a case.
struct Arm {
  std::string name;
  By by = By::kPgsluice;
  std::string walk{};
  int lanes = 0;
  bool is_quick = false;                     // in --quick too
  bool has_traffic = true;                   // where the case has any
  std::string throttle{};                    // lines of [throttle]
  std::map<std::string, std::string> env{};  // tunables of a sweep
};

inline const std::string kAlone = "the application alone";
inline const std::string kOneUpdate = "one UPDATE statement";
inline const std::string kLoop = "PL/pgSQL loop with COMMIT";
inline const std::string kOffset = "LIMIT and OFFSET";
inline const std::string kPgroll = "pgroll's batch shape";
inline const std::string kGitlab = "GitLab's batch shape";

/// "pgsluice keyset, 2 lanes".
std::string arm_name(const std::string& walk, int lanes);

Arm by_hand(const std::string& name);
Arm pgsluice_arm(const std::string& walk, int lanes, bool is_quick = false);
/// The same on a server that has nothing else to do, under its name with ", no traffic".
Arm without_traffic(Arm arm);
/// The same with the throttle's limits where traffic does not reach them, ", limits out of reach".
Arm without_limits(Arm arm);

/// Everybody.
std::vector<Arm> all_arms();
/// One UPDATE, and pgsluice: what a dimension is judged by.
std::vector<Arm> few_arms();
/// Everybody beside the application, the application alone, and pgsluice without it and without limits.
std::vector<Arm> traffic_arms();

}  // namespace pgsluice::bench
