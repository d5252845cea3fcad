// Goal: a purge tells what it leaves behind where that is much, and is silent where it is little. Method:
// sizes made up.
#include "kinds/purge/space_left.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kMegabyte = 1 << 20;

SpaceFacts third_of_a_large_table() {
  SpaceFacts facts;
  facts.table_sql = "\"public\".\"audit\"";
  facts.deleted = 1'000'000;
  facts.rows = 2'000'000;
  facts.storage.heap_bytes = 300 * kMegabyte;
  facts.storage.indexes.resize(2);
  facts.storage.indexes[0].bytes = 90 * kMegabyte;
  facts.storage.indexes[1].bytes = 60 * kMegabyte;
  return facts;
}

TEST(SpaceLeft, IsToldAsTheDeletedRowsShare) {
  auto facts = third_of_a_large_table();
  const auto advice = space_advice(facts);
  EXPECT_THAT(advice.text,
              AllOf(HasSubstr("1,000,000 of about 3,000,000 rows"), HasSubstr("100.0 MB of its 300.0 MB"),
                    HasSubstr("50.0 MB of its indexes' 150.0 MB"), HasSubstr("after VACUUM")));
  EXPECT_THAT(advice.hint, HasSubstr("REINDEX TABLE CONCURRENTLY"));
  facts.is_vacuumed = true;
  EXPECT_THAT(space_advice(facts).text, testing::Not(HasSubstr("after VACUUM")));
}

TEST(SpaceLeft, IsNotToldWhereItIsLittle) {
  auto facts = third_of_a_large_table();
  facts.deleted = 100'000;
  EXPECT_EQ(space_advice(facts).text, "") << "a few per cent, as every night";
  facts = third_of_a_large_table();
  facts.storage.heap_bytes = kMegabyte;
  facts.storage.indexes.clear();
  EXPECT_EQ(space_advice(facts).text, "") << "a small table";
  facts.deleted = 0;
  EXPECT_EQ(space_advice(facts).text, "");
}

}  // namespace
}  // namespace pgsluice::engine
