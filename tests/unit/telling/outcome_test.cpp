// Goal: whatever the server says ends with the exit code that a scheduler decides by, and a hint that helps.

#include "telling/failure/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace pgsluice::engine {
namespace {

using ::testing::HasSubstr;

Error told(const std::string& sqlstate, bool is_connection_lost = false, Asker asker = Asker::kRun) {
  return error_of(pg::Failure(sqlstate, "the server said so", is_connection_lost), asker);
}

TEST(Outcome, HasTheExitCodeThatASchedulerDecidesBy) {
  EXPECT_EQ(told("42501").code(), ExitCode::kPrivileges);
  EXPECT_EQ(told("28000").code(), ExitCode::kPrivileges) << "another attempt would only lock the account";
  EXPECT_EQ(told("25006").code(), ExitCode::kRefused);
  EXPECT_EQ(told("3D000").code(), ExitCode::kUnreachable);
  EXPECT_EQ(told("08006", true).code(), ExitCode::kUnreachable);
  EXPECT_EQ(told("57P01", true).code(), ExitCode::kUnreachable);
  EXPECT_EQ(told("23505").code(), ExitCode::kFailed);
}

TEST(Outcome, KeepsTheServersWordsAndItsSqlstate) {
  EXPECT_STREQ(told("23505").what(), "the server said so (SQLSTATE 23505)");
  EXPECT_STREQ(told("42501").what(), "the server said so");
}

TEST(Outcome, TellsARunToGoOnAndAnOperatorWhereToLook) {
  EXPECT_THAT(told("08006", true).hint(), HasSubstr("the job continues where it stopped"));
  EXPECT_THAT(told("08006", true, Asker::kOperator).hint(), HasSubstr("--dsn"));
}

TEST(Outcome, SaysWhatAnExceptionSays) {
  EXPECT_EQ(message_of(nullptr), "");
  EXPECT_EQ(message_of(std::make_exception_ptr(std::runtime_error("disk on fire"))), "disk on fire");
}

}  // namespace
}  // namespace pgsluice::engine
