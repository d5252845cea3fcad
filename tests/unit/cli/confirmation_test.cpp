// Goal: only a clear yes is taken for one. Method: answers as people type them.
#include "cli/confirmation.hpp"

#include <gtest/gtest.h>

namespace pgsluice::cli {
namespace {

TEST(Confirmation, IsGivenByYAndYesOnly) {
  for (const char* answer : {"y", "Y", "yes", "YES", " yes \r"}) EXPECT_TRUE(is_yes(answer)) << answer;
  for (const char* answer : {"", "n", "no", "ye", "yess", "ok", "1", "y n"})
    EXPECT_EQ(is_yes(answer), false) << answer;
}

TEST(Confirmation, SaysWhatHappensToWhichJobsWhere) {
  EXPECT_EQ(act_sentence({"run", {"fill"}, {"database \"app\" on db1 as alice"}, "production"}),
            "This will run job \"fill\" on database \"app\" on db1 as alice in environment \"production\".");
  EXPECT_EQ(act_sentence({"roll back", {"a", "b"}, {"database \"x\"", "database \"y\""}, "live"}),
            "This will roll back 2 jobs, \"a\", \"b\", on database \"x\" and database \"y\" in environment "
            "\"live\".");
}

TEST(Confirmation, IsWantedByTheEnvironmentOnly) {
  FiledJob plain{"a.toml", {}};
  FiledJob asks{"b.toml", {}};
  asks.job.name = "b";
  asks.job.is_confirmed_first = true;
  Arguments arguments;
  arguments.dsn = "dbname=app";
  EXPECT_FALSE(act_to_confirm("run", {plain}, arguments).has_value());
  arguments.environment = "live";
  const auto act = act_to_confirm("run", {plain, asks}, arguments);
  ASSERT_TRUE(act.has_value());
  EXPECT_EQ(act->jobs, std::vector<std::string>{"b"});
  EXPECT_EQ(act->environment, "live");
  arguments.environment = "production";
  EXPECT_TRUE(act_to_confirm("run", {plain}, arguments).has_value()) << "whatever its file says";
}

}  // namespace
}  // namespace pgsluice::cli
