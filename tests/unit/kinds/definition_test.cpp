// Goal: a definition changes when what a step does changes, and only then.
// Method: compare lines of steps that differ in one thing.
#include <gtest/gtest.h>

#include "pgsluice/job.hpp"

namespace pgsluice {
namespace {

using Lines = std::vector<std::string>;

BackfillStep backfill() {
  return {
      "fill", {"public", "Users"}, {"tenant_id", "id"}, {{"email", "lower(email)"}}, "email <> lower(email)"};
}

TEST(Definitions, AreLinesFitForADiff) {
  EXPECT_EQ(step_definition(backfill()),
            (Lines{"kind = backfill", "name = fill", "table = public.\"Users\"", "key = tenant_id",
                   "key = id", "set.email = lower(email)", "where = email <> lower(email)"}));
  EXPECT_EQ(step_definition(SqlStep{"add", {"ALTER TABLE a\n  ADD x int", "SELECT 1"}, {}}),
            (Lines{"kind = sql", "name = add", "up = ALTER TABLE a", "up =   ADD x int", "up = SELECT 1"}));
  EXPECT_EQ(step_definition(IndexStep{"i", "CREATE INDEX CONCURRENTLY i ON a (b)"}),
            (Lines{"kind = index", "name = i", "sql = CREATE INDEX CONCURRENTLY i ON a (b)"}));
  EXPECT_EQ(step_definition(VerifyStep{"v", "SELECT 0", "0"}),
            (Lines{"kind = verify", "name = v", "query = SELECT 0", "expect = 0"}));
}

TEST(Definitions, ChangeWithEverythingThatABackfillDoes) {
  const Lines before = step_definition(backfill());
  for (void (*change)(BackfillStep&) :
       {+[](BackfillStep& s) { s.table.name = "users"; }, +[](BackfillStep& s) { s.key.pop_back(); },
        +[](BackfillStep& s) { s.set[0].expression += " "; }, +[](BackfillStep& s) { s.where.clear(); }}) {
    BackfillStep changed = backfill();
    change(changed);
    EXPECT_NE(step_definition(changed), before);
  }
}

RetypeStep retype() {
  RetypeStep step;
  step.name = "ids";
  step.tables = {{"", "users"}, {"app", "Tags"}};
  step.to = "uuid";
  step.mapping = Mapping::kV5;
  step.v5_namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  step.new_ids = "gen_random_uuid()";
  return step;
}

TEST(Definitions, OfARetypeSayHowValuesAreMade) {
  EXPECT_EQ(step_definition(retype()),
            (Lines{"kind = retype", "name = ids", "table = users", "table = app.\"Tags\"", "to = uuid",
                   "mapping = v5", "namespace = 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                   "new_ids = gen_random_uuid()"}));
}

TEST(Definitions, ChangeWithEverythingThatARetypeDoes) {
  const Lines before = step_definition(retype());
  for (void (*change)(RetypeStep&) :
       {+[](RetypeStep& s) { s.tables.pop_back(); }, +[](RetypeStep& s) { s.column = "id"; },
        +[](RetypeStep& s) { s.to = "text"; }, +[](RetypeStep& s) { s.mapping = Mapping::kRandom; },
        +[](RetypeStep& s) { s.v5_namespace.clear(); }, +[](RetypeStep& s) { s.v7_from = "a"; },
        +[](RetypeStep& s) { s.using_sql = "id"; }, +[](RetypeStep& s) { s.back_sql = "id"; },
        +[](RetypeStep& s) { s.new_ids.clear(); }}) {
    RetypeStep changed = retype();
    change(changed);
    EXPECT_NE(step_definition(changed), before);
  }
}

TEST(Definitions, LetTheWordOnTheCutOverBeChanged) {
  RetypeStep changed = retype();
  changed.is_cutover_auto = true;
  changed.kill_blockers_after = Milliseconds(5'000);
  EXPECT_EQ(step_definition(changed), step_definition(retype()));
}

TEST(Definitions, LetTheWayBackBeMended) {
  EXPECT_EQ(step_definition(SqlStep{"a", {"SELECT 1"}, {}}),
            step_definition(SqlStep{"a", {"SELECT 1"}, {"SELECT 2"}}));
}

TEST(Steps, KnowTheirNameAndKind) {
  const Step step = backfill();
  EXPECT_EQ(step.name(), "fill");
  EXPECT_EQ(step.kind(), "backfill");
  EXPECT_EQ(Step(SqlStep{}).kind(), "sql");
  EXPECT_EQ(Step(IndexStep{}).kind(), "index");
  EXPECT_EQ(Step(VerifyStep{}).kind(), "verify");
  EXPECT_EQ(Step(RetypeStep{}).kind(), "retype");
}

}  // namespace
}  // namespace pgsluice
