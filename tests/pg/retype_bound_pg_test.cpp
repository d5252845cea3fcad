// Goal: what is bound to a column by its number is carried over by a rename exactly as it was. Method: a
// schema with every kind of object under odd names, pg_dump before and after.
#include <gmock/gmock.h>

#include "pg/bound_fixture.hpp"
#include "pg/bound_schema.hpp"

namespace pgsluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BoundSchema : public Bound {
 protected:
  BoundSchema() { make_bound_schema(db_); }

  std::vector<ColumnPlace> places(const std::string& suffix = {}) {
    return {place(R"("Odd Schema"."User Table")", "Id" + suffix),
            place(R"("app"."orders")", "user_id" + suffix)};
  }

  static std::vector<std::string> names(const std::vector<BoundObject>& objects) {
    std::vector<std::string> out;
    for (const auto& object : objects) out.push_back(object.name);
    return out;
  }
};

TEST_F(BoundSchema, IsAsItWasAfterDropAndCreate) {
  const auto before = schema_dump(dsn_);
  const auto objects = carry(places(), {});
  EXPECT_EQ(schema_dump(dsn_), before);
  EXPECT_EQ(objects.size(), 33u) << told(objects);
}

TEST_F(BoundSchema, FollowsTheNamesToTheNewColumnsAndBack) {
  const auto before = schema_dump(dsn_);
  expand_bound_schema(db_);
  const auto carried = carry(places(), bound_schema_cutover());
  EXPECT_EQ(told(read(places("_old"))), "");
  EXPECT_EQ(names(read(places())), names(carried));
  carry(places(), bound_schema_way_back());
  EXPECT_EQ(told(read(places("_new"))), "");
  contract_bound_schema(db_);
  EXPECT_EQ(schema_dump(dsn_), before);
}

TEST_F(BoundSchema, ReadsTheSameTwice) {
  auto columns = places();
  const auto once = told(read(columns));
  std::reverse(columns.begin(), columns.end());
  columns.push_back(columns.front());
  EXPECT_EQ(told(read(columns)), once);
  EXPECT_EQ(told(read({})), "");
}

TEST_F(BoundSchema, IsReadWithLocksThatStopNobody) {
  in_transaction([&] {
    const auto objects = steps::retype::read_bound_objects(*session_, places());
    EXPECT_THAT(db_.column("SELECT DISTINCT mode FROM pg_locks WHERE locktype = 'relation' AND pid = " +
                           std::to_string(session_->backend_pid())),
                ElementsAre("AccessShareLock"));
    return objects;
  });
}

TEST_F(BoundSchema, LocksItsViewsAndNothingBelowThem) {
  const auto before = schema_dump(dsn_);
  in_transaction([&] {
    const auto objects = steps::retype::read_bound_objects(*session_, places());
    for (const auto& object : objects) {
      if (!object.lock.empty()) execute(object.lock);
    }
    EXPECT_THAT(
        db_.column(
            "SELECT relation::regclass::text FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND pid = " +
            std::to_string(session_->backend_pid())),
        testing::UnorderedElementsAre("app.counted", "app.deep", "app.grouped", "app.over",
                                      "\"Odd Schema\".\"V 1\""));
    return objects;
  });
  EXPECT_EQ(schema_dump(dsn_), before);
}

// No label provider comes with the server, so the statements are only read here.
TEST_F(Bound, SecurityLabelsGoFromColumnToColumn) {
  db_.exec(
      "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t; INSERT INTO pg_seclabel VALUES "
      "('t'::regclass, 'pg_class'::regclass, 1, 'se''l', 'it''s'), "
      "('v'::regclass, 'pg_class'::regclass, 0, 'sel', 'of v'), ('v'::regclass, 'pg_class'::regclass, 1, "
      "'sel', 'of id')");
  const auto objects = read({place("\"public\".\"t\"", "id")});
  ASSERT_EQ(objects.size(), 2u) << told(objects);
  EXPECT_THAT(objects[0].drop,
              ElementsAre(R"(SECURITY LABEL FOR "se'l" ON COLUMN "public"."t"."id" IS NULL)"));
  EXPECT_THAT(objects[0].create,
              ElementsAre(R"(SECURITY LABEL FOR "se'l" ON COLUMN "public"."t"."id" IS 'it''s')"));
  EXPECT_THAT(objects[1].create,
              testing::IsSupersetOf({R"(SECURITY LABEL FOR "sel" ON VIEW "public"."v" IS 'of v')",
                                     R"(SECURITY LABEL FOR "sel" ON COLUMN "public"."v"."id" IS 'of id')"}));
}

// The owner of the tables is no superuser; a view belongs to a role that he is a member of.
TEST_F(Bound, OrdinaryOwnerCarriesOverWhatHisRolesOwn) {
  db_.exec(R"sql(
    CREATE ROLE deployer LOGIN; CREATE ROLE readers; CREATE ROLE stranger; GRANT readers TO deployer;
    CREATE SCHEMA mine AUTHORIZATION deployer; GRANT ALL ON SCHEMA mine TO readers;
    SET ROLE deployer;
    CREATE TABLE mine.t (id int PRIMARY KEY, v text);
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO stranger;
    CREATE VIEW mine.v AS SELECT id FROM mine.t;
    ALTER VIEW mine.v OWNER TO readers;
    REVOKE ALL ON mine.v FROM stranger;
    SET ROLE readers; GRANT SELECT ON mine.v TO stranger; RESET ROLE; SET ROLE deployer;
    GRANT SELECT (id) ON mine.t TO readers WITH GRANT OPTION;
    CREATE POLICY p ON mine.t USING (id > 0);
    CREATE STATISTICS mine.s ON id, v FROM mine.t;
    ALTER STATISTICS mine.s OWNER TO readers;
    RESET ROLE;
  )sql");
  connect_as("deployer");
  const auto before = schema_dump(dsn_);
  const auto objects = carry({place("mine.t", "id")}, {});
  EXPECT_EQ(schema_dump(dsn_), before);
  EXPECT_EQ(objects.size(), 4u) << told(objects);
}

}  // namespace
}  // namespace pgsluice::test
