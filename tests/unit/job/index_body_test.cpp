// Goal: an index's body is what stands behind its table's name. Method: texts.
#include "job/sql/index_body.hpp"

#include <gtest/gtest.h>

namespace pgsluice::job {
namespace {

TEST(IndexBodies, BeginBehindTheTable) {
  EXPECT_EQ(index_body("CREATE INDEX CONCURRENTLY i ON t (a)"), "(a)");
  EXPECT_EQ(index_body("CREATE UNIQUE INDEX i ON ONLY \"Odd \"\"on\"\" x\" . \"t (b)\"(a);\n"), "(a)");
  EXPECT_EQ(index_body("create index on public.t\nusing gin (tags) where tags is not null"),
            "using gin (tags) where tags is not null");
}

TEST(IndexBodies, AreOfIndexesOnly) {
  EXPECT_EQ(index_body("SELECT 1"), "");
  EXPECT_EQ(index_body("CREATE INDEX ON t (a); SELECT 1"), "");
  EXPECT_EQ(index_body("no sql"), "");
}

}  // namespace
}  // namespace pgsluice::job
