// Goal: a retype of a job file means what it says.
// Method: whole steps in, every field of the step looked at.
#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

RetypeStep retype(const std::string& keys) {
  const JobFile file = parse("name = \"n\"\n[[step]]\nkind = \"retype\"\nname = \"ids\"\n" + keys);
  EXPECT_EQ(mistakes(file), "") << keys;
  return file.job.steps.empty() ? RetypeStep{} : *file.job.steps.front().as<RetypeStep>();
}

TEST(Retypes, TakeTheKeysOfSeveralTables) {
  const RetypeStep step = retype(R"toml(
to = "UUID"
mapping = "embed"
tables = ["users", 'app."Order Lines"', "public.Tags"]
new_ids = "gen_random_uuid()"
)toml");
  EXPECT_EQ(step.name, "ids");
  EXPECT_EQ(step.to, "uuid");
  EXPECT_EQ(step.mapping, Mapping::kEmbed);
  EXPECT_EQ(step.tables, (std::vector<TableName>{{"", "users"}, {"app", "Order Lines"}, {"public", "tags"}}));
  EXPECT_EQ(step.column, "");
  EXPECT_EQ(step.new_ids, "gen_random_uuid()");
  EXPECT_EQ(step.using_sql + step.back_sql + step.v5_namespace + step.v7_from, "");
  EXPECT_FALSE(step.is_cutover_auto);
  EXPECT_EQ(step.kill_blockers_after, Milliseconds(0));
}

TEST(Retypes, TakeOneColumnWithItsOwnExpressions) {
  const RetypeStep step = retype(R"toml(
table = "public.events"
column = '"Happened At"'
to = "timestamptz"
using = """to_timestamp("Happened At", 'YYYY-MM-DD') -- as they write it"""
back = """to_char("Happened At", 'YYYY-MM-DD')"""
cutover = "auto"
kill_blockers_after = "30s"
)toml");
  EXPECT_EQ(step.tables, (std::vector<TableName>{{"public", "events"}}));
  EXPECT_EQ(step.column, "Happened At");
  EXPECT_EQ(step.to, "timestamptz");
  EXPECT_EQ(step.mapping, Mapping::kUsing);
  EXPECT_EQ(step.using_sql, "to_timestamp(\"Happened At\", 'YYYY-MM-DD') -- as they write it\n");
  EXPECT_EQ(step.back_sql, "to_char(\"Happened At\", 'YYYY-MM-DD')");
  EXPECT_TRUE(step.is_cutover_auto);
  EXPECT_EQ(step.kill_blockers_after, Milliseconds(30'000));
}

TEST(Retypes, CastPlainlyWhereNothingIsSaid) {
  const RetypeStep step = retype("table = \"users\"\nto = \"bigint\"\ncutover = \"manual\"\n");
  EXPECT_EQ(step.tables, (std::vector<TableName>{{"", "users"}}));
  EXPECT_EQ(step.column, "");
  EXPECT_EQ(step.mapping, Mapping::kUsing);
  EXPECT_EQ(step.using_sql, "");
  EXPECT_EQ(step.back_sql, "");
  EXPECT_FALSE(step.is_cutover_auto);
}

TEST(Retypes, ReadWhatTheirMappingNeeds) {
  const std::string head = "tables = [\"users\"]\nto = \"uuid\"\n";
  const RetypeStep v5 =
      retype(head + "mapping = \"v5\"\nnamespace = \"6BA7B810-9dad-11d1-80b4-00c04fd430c8\"\n");
  EXPECT_EQ(v5.mapping, Mapping::kV5);
  EXPECT_EQ(v5.v5_namespace, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  const RetypeStep v7 = retype(head + "mapping = \"v7\"\nfrom = \"Created_At\"\n");
  EXPECT_EQ(v7.mapping, Mapping::kV7);
  EXPECT_EQ(v7.v7_from, "created_at");
  EXPECT_EQ(retype(head + "mapping = \"random\"\n").mapping, Mapping::kRandom);
  const RetypeStep own = retype(head + "using = \"md5(id::text)::uuid\"\n");
  EXPECT_EQ(own.mapping, Mapping::kUsing);
  EXPECT_EQ(own.using_sql, "md5(id::text)::uuid");
}

TEST(Retypes, MayNameTheirMappings) {
  EXPECT_STREQ(mapping_name(Mapping::kEmbed), "embed");
  EXPECT_STREQ(mapping_name(Mapping::kV5), "v5");
  EXPECT_STREQ(mapping_name(Mapping::kV7), "v7");
  EXPECT_STREQ(mapping_name(Mapping::kRandom), "random");
  EXPECT_STREQ(mapping_name(Mapping::kUsing), "using");
}

}  // namespace
}  // namespace pgsluice::job
