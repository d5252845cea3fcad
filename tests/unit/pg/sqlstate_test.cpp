// Goal: every SQLSTATE that a batch can meet leads to the right next act. Method: a table of states, as
// PostgreSQL's errcodes list them, against the one classification table.

#include "pg/sqlstate.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace pgsluice::pg {
namespace {

TEST(Sqlstate, WhatPassesByItselfIsRetried) {
  for (const std::string_view state :
       {"40001", "40P01", "40003", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "53300", "53200",
        "25P03", "08000", "08003", "08006", "08001", "08P01"}) {
    EXPECT_EQ(classify(state), Disposition::kRetryable) << state;
  }
}

TEST(Sqlstate, WhatWouldFailAgainIsFatal) {
  for (const std::string_view state : {"22P02", "22003", "23505", "23514", "23502", "42P01", "42703", "42501",
                                       "53100", "54000", "58030", "XX000", "P0001", "0A000", "", "garbage"}) {
    EXPECT_EQ(classify(state), Disposition::kFatal) << state;
  }
}

TEST(Sqlstate, OnlyErrorsThatARowCanCauseAreBisected) {
  for (const std::string_view state :
       {"22P02", "22003", "23502", "23503", "23505", "23514", "23P01", "P0001", "44000", "21000"}) {
    EXPECT_TRUE(is_row_fault(state)) << state;
  }
  for (const std::string_view state :
       {"42P01", "42703", "42501", "53100", "57014", "40P01", "08006", "XX000", ""}) {
    EXPECT_FALSE(is_row_fault(state)) << state;
  }
}

TEST(Sqlstate, WhatIsNotSupportedBlamesARowOnlyInAnUpdateOfRows) {
  EXPECT_FALSE(is_row_fault("0A000"));
  EXPECT_TRUE(is_row_fault_of_update("0A000"));
  EXPECT_TRUE(is_row_fault_of_update("23514"));
  EXPECT_FALSE(is_row_fault_of_update("42703"));
}

TEST(Sqlstate, TimeoutsAskForASmallerBatch) {
  EXPECT_TRUE(is_timeout("57014"));
  EXPECT_TRUE(is_timeout("55P03"));
  EXPECT_FALSE(is_timeout("40P01"));
}

TEST(Sqlstate, AConnectionIsDiscardedAfterCancelAndLossButNotAfterALockTimeout) {
  for (const std::string_view state : {"57014", "08006", "57P01", "25P03", "25P02"})
    EXPECT_TRUE(must_discard(state)) << state;
  for (const std::string_view state : {"55P03", "40P01", "40001", "23505", "22P02"})
    EXPECT_FALSE(must_discard(state)) << state;
}

}  // namespace
}  // namespace pgsluice::pg
