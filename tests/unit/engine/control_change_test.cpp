// Goal: an operator's word is obeyed once, however often the ledger is read.

#include "engine/run/control_change.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

TEST(ControlChange, IsAskedForByAWordThatIsNew) {
  EXPECT_EQ(change_of(Control::kRun, Control::kPause), ControlChange::kPause);
  EXPECT_EQ(change_of(Control::kPause, Control::kRun), ControlChange::kResume);
  EXPECT_EQ(change_of(Control::kRun, Control::kCancel), ControlChange::kCancel);
  EXPECT_EQ(change_of(Control::kPause, Control::kCancel), ControlChange::kCancel);
}

TEST(ControlChange, IsNoneForAWordThatIsKnown) {
  for (const auto word : {Control::kRun, Control::kPause, Control::kCancel})
    EXPECT_EQ(change_of(word, word), ControlChange::kNone);
}

}  // namespace
}  // namespace pgsluice::engine
