// Goal: a setting that makes every COMMIT wait for ever is seen before the first one does.

#include "engine/preflight/standby_checks.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

pg::Walsender walsender(const std::string& state, const std::string& sync_state) {
  pg::Walsender w;
  w.state = state;
  w.sync_state = sync_state;
  return w;
}

TEST(Standbys, AreWantedAsTheSettingSays) {
  for (const auto& [names, wanted] : std::vector<std::pair<std::string, int>>{{"standby1", 1},
                                                                              {"a, b, c", 1},
                                                                              {"*", 1},
                                                                              {"2 (a, b)", 2},
                                                                              {"FIRST 2 (a, b, c)", 2},
                                                                              {" any 3(a,b,c,d)", 3},
                                                                              {"\"2 (odd\", b", 1}})
    EXPECT_EQ(standbys_wanted(names), wanted) << names;
}

TEST(Standbys, CountWhenTheyStreamAndAreNamed) {
  EXPECT_EQ(standbys_there({}), 0);
  EXPECT_EQ(standbys_there({walsender("streaming", "sync"), walsender("streaming", "potential")}), 2);
  EXPECT_EQ(standbys_there({walsender("streaming", "quorum")}), 1);
  EXPECT_EQ(standbys_there(
                {walsender("streaming", "async"), walsender("catchup", "sync"), walsender("streaming", "")}),
            0);
}

}  // namespace
}  // namespace pgsluice::engine
