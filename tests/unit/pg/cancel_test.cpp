// Goal: of the same SQLSTATE, who ended a statement: its timeout, somebody, or we. Also where the server
// speaks another language.

#include <gtest/gtest.h>

#include "pg/failure.hpp"

namespace pgsluice::pg {
namespace {

using std::chrono::milliseconds;

TEST(Cancel, IsToldApartByTheServersWords) {
  EXPECT_EQ(read_cancel("57014", "canceling statement due to statement timeout"), CancelledBy::kTimeout);
  EXPECT_EQ(read_cancel("57014", "canceling statement due to user request\nCONTEXT: …"),
            CancelledBy::kSomebody);
  EXPECT_EQ(read_cancel("57014", "storniere Anfrage wegen Zeitüberschreitung der Anfrage"),
            CancelledBy::kUntold);
  EXPECT_EQ(read_cancel("55P03", "canceling statement due to lock timeout"), CancelledBy::kNobody);
}

TEST(Cancel, IsToldApartByTimeWhereTheWordsAreForeign) {
  const auto after = [](int ran_for) {
    return Failure("57014", "annulation de la requête", false, CancelledBy::kUntold, milliseconds{ran_for});
  };
  EXPECT_TRUE(after(499).is_somebodys_cancel(milliseconds{500}));
  EXPECT_FALSE(after(501).is_somebodys_cancel(milliseconds{500}));
  EXPECT_TRUE(after(90'000).is_somebodys_cancel(milliseconds{0})) << "it had no timeout";
}

TEST(Cancel, OfOursIsNobodyElses) {
  const Failure ours("57014", "canceling statement due to user request", false, CancelledBy::kUs, {});
  EXPECT_FALSE(ours.is_somebodys_cancel(milliseconds{0}));
}

}  // namespace
}  // namespace pgsluice::pg
