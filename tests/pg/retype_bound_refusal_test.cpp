// Goal: what cannot be carried over to a new column is refused by name, before anything is written. Method:
// one table, one thing that stands in the way at a time.
#include <gmock/gmock.h>

#include "pg/bound_fixture.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BoundRefusal : public Bound {
 protected:
  BoundRefusal() { db_.exec("CREATE TABLE t (id int PRIMARY KEY, v text)"); }

  /// `name: refusal` of what is refused.
  std::vector<std::string> refused(const std::string& table = "t", const std::string& column = "id") {
    std::vector<std::string> out;
    for (const auto& object : read({place(table, column)})) {
      if (object.refusal.empty()) continue;
      EXPECT_TRUE(object.drop.empty() && object.create.empty()) << object.name;
      out.push_back(object.name + ": " + object.refusal);
    }
    return out;
  }
};

TEST_F(BoundRefusal, NamesMaterialisedViewsAlsoOverViews) {
  db_.exec(
      "CREATE MATERIALIZED VIEW m AS SELECT id FROM t; CREATE VIEW v AS SELECT id FROM t;"
      "CREATE MATERIALIZED VIEW n AS SELECT count(*) FROM v; CREATE VIEW over_n AS SELECT * FROM n");
  EXPECT_THAT(refused(),
              ElementsAre(HasSubstr("materialized view public.m: it would have to be filled again"),
                          HasSubstr("materialized view public.n: it would have to be filled again")));
}

TEST_F(BoundRefusal, NamesUsersOfAViewsRowType) {
  db_.exec(
      "CREATE VIEW v AS SELECT id FROM t; CREATE TABLE u (a v, b v[]);"
      "CREATE FUNCTION f(v) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  EXPECT_THAT(refused(),
              ElementsAre(HasSubstr("column a of table public.u: it uses the row type of a view"),
                          HasSubstr("column b of table public.u: it uses the row type of a view"),
                          HasSubstr("function public.f(public.v): it uses the row type of a view")));
}

TEST_F(BoundRefusal, NamesUsersOfTheTablesRowType) {
  db_.exec(
      "CREATE DOMAIN d AS t; CREATE TABLE u (a t, b t[], c d); CREATE TYPE y AS (x t); CREATE VIEW v AS "
      "SELECT t FROM t");
  EXPECT_THAT(
      refused(),
      ElementsAre(HasSubstr("column a of table public.u: its type is made from the rows of public.t"),
                  HasSubstr("column b of table public.u: "), HasSubstr("column c of table public.u: "),
                  HasSubstr("column x of composite type public.y: ")));
}

TEST_F(BoundRefusal, NamesTemporaryViewsOfOtherSessions) {
  db_.exec("CREATE TEMP VIEW mine AS SELECT id FROM t");
  EXPECT_THAT(refused(), ElementsAre(HasSubstr("mine: it is temporary and belongs to a session")));
}

TEST_F(BoundRefusal, NamesWhatBelongsToAnExtension) {
  db_.exec(
      "CREATE VIEW v AS SELECT id FROM t; ALTER EXTENSION plpgsql ADD VIEW v;"
      "CREATE TABLE x (id int); ALTER EXTENSION plpgsql ADD TABLE x");
  EXPECT_THAT(refused(), ElementsAre(HasSubstr("view public.v: it belongs to an extension")));
  EXPECT_THAT(refused("x"), ElementsAre(HasSubstr("table public.x: it belongs to an extension")));
}

TEST_F(BoundRefusal, NamesViewsThatStandOnThemselves) {
  db_.exec(
      "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v;"
      "CREATE OR REPLACE VIEW v AS SELECT t.id FROM t JOIN w ON w.id = t.id");
  EXPECT_THAT(refused(), ElementsAre("view public.v: it depends on itself through other views",
                                     "view public.w: it depends on itself through other views"));
}

TEST_F(BoundRefusal, NamesListsOfColumnAliases) {
  db_.exec(
      "CREATE VIEW v AS SELECT x.a FROM t x(a, b); CREATE VIEW w AS SELECT x.id FROM t x; CREATE VIEW over_v "
      "AS SELECT y.k FROM v y(k);"
      "CREATE POLICY p ON t USING (EXISTS (SELECT FROM t \"Od \"\"d\"(q) WHERE q = 1))");
  EXPECT_THAT(refused(),
              ElementsAre(HasSubstr("policy p on public.t: it gives the columns of public.t other names"),
                          HasSubstr("view public.v: it gives the columns of public.t other names")));
}

TEST_F(BoundRefusal, NamesGeneratedColumnsAndExclusionConstraints) {
  db_.exec(
      "CREATE TABLE g (id int, twice int GENERATED ALWAYS AS (id * 2) STORED, EXCLUDE USING btree (id WITH "
      "=),"
      "EXCLUDE USING btree ((id + 1) WITH =))");
  EXPECT_THAT(
      refused("g"),
      ElementsAre(
          HasSubstr("constraint g_id_excl on table public.g: an exclusion constraint"),
          HasSubstr("default value for column twice of table public.g: it is computed from the column"),
          HasSubstr("index public.g_expr_excl: an exclusion constraint")));
  EXPECT_THAT(refused("g", "twice"), ElementsAre("column twice of table public.g: it is a generated column"));
}

TEST_F(BoundRefusal, NamesTablesThatAreNotOrdinary) {
  db_.exec(
      "CREATE TABLE p (id int, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES "
      "FROM (1) TO (9);"
      "CREATE TABLE child (extra int) INHERITS (t); CREATE TYPE y AS (id int); CREATE TABLE typed OF y;"
      "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id "
      "int) SERVER s");
  EXPECT_THAT(refused("p"),
              ElementsAre(HasSubstr("column id of table public.p: its table's partition key contains it")));
  EXPECT_THAT(refused("p", "v"), ElementsAre());  // goes along with its partitions
  EXPECT_THAT(refused("p1"), testing::Contains(HasSubstr("table public.p1: it is a partition")));
  EXPECT_THAT(refused("t"),
              ElementsAre(HasSubstr("table public.t: tables with inheritance parents or children")));
  EXPECT_THAT(refused("child"),
              ElementsAre(HasSubstr("table public.child: tables with inheritance parents or children")));
  EXPECT_THAT(refused("typed"), ElementsAre(HasSubstr("table public.typed: it is a typed table")));
  EXPECT_THAT(refused("f"), ElementsAre(HasSubstr("table public.f: it is a foreign table")));
}

TEST_F(BoundRefusal, NamesWhatItDoesNotKnow) {
  db_.exec(
      "CREATE COLLATION odd FROM \"C\"; INSERT INTO pg_depend VALUES ('pg_collation'::regclass, "
      "(SELECT oid FROM pg_collation WHERE collname = 'odd'), 0, 'pg_class'::regclass, 't'::regclass, 1, "
      "'n')");
  EXPECT_THAT(refused(),
              ElementsAre(HasSubstr("collation public.odd depends on column id of table public.t, which "
                                    "pgsluice does not know how to carry over")));
}

TEST_F(BoundRefusal, NamesWhatTheRoleMayNotTouch) {
  db_.exec(
      "CREATE ROLE owner_of_t LOGIN; CREATE ROLE somebody; GRANT somebody TO owner_of_t; CREATE ROLE other;"
      "ALTER TABLE t OWNER TO owner_of_t; GRANT SELECT (id) ON t TO other WITH GRANT OPTION;"
      "SET ROLE other; GRANT SELECT (id) ON t TO somebody; RESET ROLE;"
      "CREATE VIEW of_other AS SELECT id FROM t; ALTER VIEW of_other OWNER TO other;"
      "CREATE VIEW nowhere AS SELECT id FROM t; ALTER VIEW nowhere OWNER TO somebody;"
      "CREATE FUNCTION leak() RETURNS int LANGUAGE sql LEAKPROOF RETURN (SELECT max(id) FROM t);"
      "ALTER FUNCTION leak() OWNER TO owner_of_t");
  EXPECT_THAT(refused(), testing::IsEmpty());
  connect_as("owner_of_t");
  EXPECT_THAT(refused(),
              ElementsAre(HasSubstr("column grant of t.\"id\": role \"other\" granted privileges on it"),
                          HasSubstr("function public.leak(): only a superuser"),
                          HasSubstr("view public.nowhere: it could not be given back to its owner somebody"),
                          HasSubstr("view public.of_other: it belongs to role other")));
}

TEST_F(BoundRefusal, ReadsNothingOutsideOfATransaction) {
  EXPECT_THROW(steps::retype::read_bound_objects(*session_, {place("t", "id")}), Error);
}

}  // namespace
}  // namespace pgsluice::test
