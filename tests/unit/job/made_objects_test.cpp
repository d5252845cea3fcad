// Goal: which statements make objects that can be there already, and how they are sent to a probe.
#include "job/made/made_objects.hpp"

#include <gmock/gmock.h>

namespace pgsluice::job {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string on_probe(std::string_view sql) {
  const auto made = made_objects(sql);
  return made ? made->on_probe : "none";
}

TEST(MadeObjects, OfAddColumnMoveTheTableToTheProbe) {
  const auto made = made_objects("ALTER TABLE ONLY public . t ADD COLUMN a int, ADD COLUMN \"B\" text");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->shape, MadeObjects::Shape::kParts);
  EXPECT_EQ(made->name, (TableName{"public", "t"}));
  EXPECT_THAT(made->columns, ElementsAre("a", "B"));
  EXPECT_EQ(made->on_probe, "ALTER TABLE ONLY pg_temp.\"t\" ADD COLUMN a int, ADD COLUMN \"B\" text");
}

TEST(MadeObjects, OfForeignKeysMoveTheOtherTableToo) {
  const auto made = made_objects(
      "ALTER TABLE t ADD COLUMN u int REFERENCES app.users (id), ADD CONSTRAINT c FOREIGN KEY (v) REFERENCES "
      "t");
  ASSERT_TRUE(made);
  EXPECT_THAT(made->references, ElementsAre(TableName{"app", "users"}));
  EXPECT_THAT(made->constraints, ElementsAre("c"));
  EXPECT_EQ(made->on_probe,
            "ALTER TABLE pg_temp.\"t\" ADD COLUMN u int REFERENCES pg_temp.\"users\" (id), ADD CONSTRAINT c "
            "FOREIGN "
            "KEY (v) REFERENCES pg_temp.\"t\"");
}

TEST(MadeObjects, OfCreateTableAndFunction) {
  EXPECT_EQ(on_probe("CREATE TABLE \"Odd\".\"T\" (id int)"), "CREATE TABLE pg_temp.\"T\" (id int)");
  EXPECT_EQ(on_probe("create /* a */ function -- b\n app.F(a int) returns int language sql as 'select 1'"),
            "create /* a */ function -- b\n pg_temp.\"f\"(a int) returns int language sql as 'select 1'");
  EXPECT_EQ(on_probe("CREATE INDEX i ON t (a)"), "") << "an index has a probe of its own";
}

TEST(MadeObjects, AreNoneWhereTheStatementSaysItselfWhatToDo) {
  for (const char* sql : {"ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
                          "CREATE TABLE IF NOT EXISTS t (a int)", "CREATE INDEX IF NOT EXISTS i ON t (a)",
                          "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"})
    EXPECT_FALSE(made_objects(sql)) << sql;
}

TEST(MadeObjects, AreNoneWhereTheResultCannotBeCompared) {
  for (const char* sql : {"ALTER TABLE t ADD COLUMN a int, DROP COLUMN b", "CREATE TABLE t AS SELECT 1",
                          "CREATE TABLE t (a int) INHERITS (o)", "CREATE TEMP TABLE t (a int)",
                          "CREATE INDEX ON t (a)", "DROP TABLE t", "SELECT f()", "CREATE VIEW v AS SELECT 1"})
    EXPECT_FALSE(made_objects(sql)) << sql;
}

TEST(MadeObjects, LaterStatementsOnTheSameTableGoToTheProbe) {
  EXPECT_EQ(alter_on_probe("ALTER TABLE t ALTER COLUMN a SET DEFAULT 0", {"", "t"}),
            "ALTER TABLE pg_temp.\"t\" ALTER COLUMN a SET DEFAULT 0");
  EXPECT_THAT(alter_on_probe("ALTER TABLE u ALTER COLUMN a SET DEFAULT 0", {"", "t"}), IsEmpty());
  EXPECT_THAT(alter_on_probe("CREATE INDEX i ON t (a)", {"", "t"}), IsEmpty());
}

TEST(MadeObjects, MayBeRemovedByAnythingButAdditions) {
  EXPECT_FALSE(may_remove("ALTER TABLE t ADD COLUMN a int, ALTER COLUMN a SET DEFAULT 0"));
  EXPECT_FALSE(may_remove("CREATE INDEX i ON t (a)"));
  EXPECT_TRUE(may_remove("ALTER TABLE t DROP COLUMN a"));
  EXPECT_TRUE(may_remove("ALTER TABLE t RENAME COLUMN a TO b"));
  EXPECT_TRUE(may_remove("DROP INDEX i"));
  EXPECT_TRUE(may_remove("SELECT tidy()"));
}

}  // namespace
}  // namespace pgsluice::job
