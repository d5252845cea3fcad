#include "compare/arm.hpp"

namespace pgsluice::bench {
namespace {

// Every limit that an application on a server without replicas can reach.
constexpr const char* kNoLimits = "lock_wait = \"1min\"\nslowdown = 1000000\n";

const std::map<std::string, By>& hands() {
  static const std::map<std::string, By> by{{kAlone, By::kNobody},  {kOneUpdate, By::kOneUpdate},
                                            {kLoop, By::kLoop},     {kOffset, By::kOffset},
                                            {kPgroll, By::kPgroll}, {kGitlab, By::kGitlab}};
  return by;
}

}  // namespace

std::string arm_name(const std::string& walk, int lanes) {
  return "pgsluice " + walk + ", " + std::to_string(lanes) + (lanes == 1 ? " lane" : " lanes");
}

Arm by_hand(const std::string& name) {
  Arm arm;
  arm.name = name;
  arm.by = hands().at(name);
  arm.is_quick = true;
  return arm;
}

Arm pgsluice_arm(const std::string& walk, int lanes, bool is_quick) {
  Arm arm;
  arm.name = arm_name(walk, lanes);
  arm.walk = walk;
  arm.lanes = lanes;
  arm.is_quick = is_quick;
  return arm;
}

Arm without_traffic(Arm arm) {
  arm.name += ", no traffic";
  arm.has_traffic = false;
  return arm;
}

Arm without_limits(Arm arm) {
  arm.name += ", limits out of reach";
  arm.throttle = kNoLimits;
  return arm;
}

std::vector<Arm> all_arms() {
  std::vector<Arm> arms;
  for (const auto& name : {kOneUpdate, kLoop, kOffset, kPgroll, kGitlab}) arms.push_back(by_hand(name));
  for (const std::string walk : {"keyset", "blocks", "interleaved", "auto"}) {
    for (const int lanes : {1, 2, 4}) arms.push_back(pgsluice_arm(walk, lanes, lanes < 4));
  }
  return arms;
}

std::vector<Arm> few_arms() {
  return {by_hand(kOneUpdate),
          pgsluice_arm("keyset", 1, true),
          pgsluice_arm("keyset", 2),
          pgsluice_arm("blocks", 1),
          pgsluice_arm("blocks", 2),
          pgsluice_arm("interleaved", 1, true),
          pgsluice_arm("interleaved", 2),
          pgsluice_arm("auto", 1, true),
          pgsluice_arm("auto", 2)};
}

std::vector<Arm> traffic_arms() {
  std::vector<Arm> arms;
  for (const auto& name : {kAlone, kOneUpdate, kLoop, kOffset, kPgroll, kGitlab})
    arms.push_back(by_hand(name));
  arms.push_back(pgsluice_arm("keyset", 1));
  arms.push_back(pgsluice_arm("keyset", 2, true));
  for (const std::string walk : {"interleaved", "auto"}) {
    for (const int lanes : {1, 2}) {
      const auto arm = pgsluice_arm(walk, lanes, lanes == 2);
      for (const auto& one : {arm, without_limits(arm), without_traffic(arm)}) arms.push_back(one);
    }
  }
  return arms;
}

}  // namespace pgsluice::bench
