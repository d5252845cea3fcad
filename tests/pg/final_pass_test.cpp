// When a walk over blocks is complete: the story of whole runs is in blocks_test.cpp, what two lanes could do
// to each other is here.
#include "engine/final_pass.hpp"

#include <gtest/gtest.h>

#include "pg/counted_range.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

TEST(FinalPass, IsNotOverWhileRangesThatAnotherLaneHasJustCutAreNotDone) {
  CountedRange trial(fresh_database());
  const auto session = trial.open();
  const auto found = [&] { return engine::look_for_rows_left(*session, trial.prepared(), 1, 0).found; };
  trial.db().exec(
      "UPDATE pgsluice.range SET walk = 'blocks', is_done = true;"
      "INSERT INTO pgsluice.range (step_id, lower, upper, walk) SELECT step_id, '{7}', '{8}', 'final' FROM "
      "pgsluice.step");
  EXPECT_EQ(found(), engine::Found::kGoOn);
  trial.db().exec("UPDATE pgsluice.range SET is_done = true");
  EXPECT_EQ(found(), engine::Found::kNothing);
}

}  // namespace
}  // namespace pgsluice::test
