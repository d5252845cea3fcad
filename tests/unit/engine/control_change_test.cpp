// Goal: an operator's word is obeyed once, however often the ledger is read.

#include "engine/run/control_change.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

TEST(ControlChange, IsAskedForByAWordThatIsNew) {
  EXPECT_EQ(change_of("run", "pause"), ControlChange::kPause);
  EXPECT_EQ(change_of("pause", "run"), ControlChange::kResume);
  EXPECT_EQ(change_of("run", "cancel"), ControlChange::kCancel);
  EXPECT_EQ(change_of("pause", "cancel"), ControlChange::kCancel);
}

TEST(ControlChange, IsNoneForAWordThatIsKnown) {
  for (const char* word : {"run", "pause", "cancel"}) EXPECT_EQ(change_of(word, word), ControlChange::kNone);
}

}  // namespace
}  // namespace pgsluice::engine
